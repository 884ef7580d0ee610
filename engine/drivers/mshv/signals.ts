import { fieldOf, messageTypes, readU32, readU64 } from '../../abi/index.ts';
import { cellAt, readMessage } from '../../hypervisor/index.ts';
import type { Context } from '../../machine/context.ts';
import { MSHV_VP } from '../cells/driver.ts';
import { vpOf } from './objects.ts';

const BITSET = messageTypes.number('HVMSG_SCHEDULER_VP_SIGNAL_BITSET');
const PAIR = messageTypes.number('HVMSG_SCHEDULER_VP_SIGNAL_PAIR');
const SET = {
  bytes: 160,
  id: fieldOf('hv_vp_signal_bitset_scheduler_message', 'partition_id'),
  count: fieldOf('hv_vp_signal_bitset_scheduler_message', 'vp_count'),
  /** Format, mask of the banks that follow, the banks. */
  words: fieldOf('hv_vp_signal_bitset_scheduler_message', 'vp_bitset.bitset_buffer'),
};
const PAIRS = {
  bytes: 240,
  count: fieldOf('hv_vp_signal_pair_scheduler_message', 'vp_count'),
  ids: fieldOf('hv_vp_signal_pair_scheduler_message', 'partition_ids'),
  indexes: fieldOf('hv_vp_signal_pair_scheduler_message', 'vp_indexes'),
};
const MAX_PAIRS = 19;
const BANK_BITS = 64;
const MAX_BANKS = 16;

export function isSchedulerSignal(content: Uint8Array): boolean {
  const { type } = readMessage(content);
  return type === BITSET || type === PAIR;
}

/** Tells the call that runs the VP; false for one that the driver does not have. */
function kickVp(context: Context, partition: bigint, index: number): boolean {
  const vp = vpOf(context, partition, index);
  if (vp === undefined) return false;
  const { store } = context;
  const count = cellAt(vp, MSHV_VP.slots.scheduler.signals);
  store.set(count, store.number(count) + 1);
  store.set(cellAt(vp, MSHV_VP.slots.kicked), 1);
  return true;
}

/** The payload as long as its type, whatever the message says. */
function whole(payload: Uint8Array, bytes: number): Uint8Array {
  const full = new Uint8Array(bytes);
  full.set(payload.subarray(0, bytes));
  return full;
}

/** VPs of one partition; the first that is not there ends it (handle_bitset_message). */
function serveSet(context: Context, payload: Uint8Array): void {
  const word = (index: number) => readU64(payload, SET.words, index);
  // A format other than the sparse one is not read.
  if (word(0) !== 0n || readU32(payload, SET.count) === 0) return;
  const partition = readU64(payload, SET.id);
  let next = 2;
  for (let bank = 0; bank < BANK_BITS && next < MAX_BANKS + 2; bank++) {
    if (((word(1) >> BigInt(bank)) & 1n) === 0n) continue;
    const bits = word(next++);
    for (let bit = 0; bit < BANK_BITS; bit++) {
      const isNamed = ((bits >> BigInt(bit)) & 1n) === 1n;
      if (isNamed && !kickVp(context, partition, bank * BANK_BITS + bit)) return;
    }
  }
}

/** VPs of several partitions; the first that is not there ends it (handle_pair_message). */
function servePairs(context: Context, payload: Uint8Array): void {
  const count = Math.min(readU32(payload, PAIRS.count), MAX_PAIRS);
  for (let i = 0; i < count; i++) {
    if (!kickVp(context, readU64(payload, PAIRS.ids, i), readU32(payload, PAIRS.indexes, i))) return;
  }
}

/**
 * The hypervisor's scheduler names VPs that can be dispatched again (Linux 7.2 drivers/hv/mshv_synic.c,
 * mshv_scheduler_isr). Whatever is in it, the message is done with.
 */
export function serveSignals(context: Context, content: Uint8Array): void {
  const { type, payload } = readMessage(content);
  if (type === BITSET) serveSet(context, whole(payload, SET.bytes));
  else servePairs(context, whole(payload, PAIRS.bytes));
}
