import { fieldOf, messageTypes, readU32, readU64 } from '../../abi/index.ts';
import type { Context } from '../../machine/context.ts';
import { cellAt } from '../cells/place.ts';
import { VP } from '../cells/vp.ts';
import { messageType, readMessage } from '../intercept/message.ts';
import { vpOfRef } from './find.ts';

/** Messages by which the hypervisor tells a parent that schedules which VPs can be dispatched again. */

export const BITSET = {
  type: messageTypes.number('HVMSG_SCHEDULER_VP_SIGNAL_BITSET'),
  bytes: 160,
  id: fieldOf('hv_vp_signal_bitset_scheduler_message', 'partition_id'),
  count: fieldOf('hv_vp_signal_bitset_scheduler_message', 'vp_count'),
  /** Format (0, the sparse one), which banks follow, and these (Linux 7.2 include/hyperv: struct hv_vpset). */
  words: fieldOf('hv_vp_signal_bitset_scheduler_message', 'vp_bitset.bitset_buffer'),
};
export const PAIR = {
  type: messageTypes.number('HVMSG_SCHEDULER_VP_SIGNAL_PAIR'),
  bytes: 240,
  count: fieldOf('hv_vp_signal_pair_scheduler_message', 'vp_count'),
  ids: fieldOf('hv_vp_signal_pair_scheduler_message', 'partition_ids'),
  indexes: fieldOf('hv_vp_signal_pair_scheduler_message', 'vp_indexes'),
};
export const BANK_BITS = 64;
const MAX_BANKS = 16;
/** VPs that one message of pairs has room for. */
export const MAX_PAIRS = 19;

/** A VP that such a message names. */
export interface Signalled {
  readonly partition: bigint;
  readonly index: number;
}

/** The payload as long as its type, whatever the message says. */
function whole(payload: Uint8Array, bytes: number): Uint8Array {
  const full = new Uint8Array(bytes);
  full.set(payload.subarray(0, bytes));
  return full;
}

/** VPs of one partition; of a format other than the sparse one none. */
function ofSet(payload: Uint8Array): Signalled[] {
  const word = (index: number) => readU64(payload, BITSET.words, index);
  if (word(0) !== 0n || readU32(payload, BITSET.count) === 0) return [];
  const partition = readU64(payload, BITSET.id);
  const vps: Signalled[] = [];
  let next = 2;
  for (let bank = 0; bank < BANK_BITS && next < MAX_BANKS + 2; bank++) {
    if (((word(1) >> BigInt(bank)) & 1n) === 0n) continue;
    const bits = word(next++);
    for (let bit = 0; bit < BANK_BITS; bit++)
      if (((bits >> BigInt(bit)) & 1n) === 1n) vps.push({ partition, index: bank * BANK_BITS + bit });
  }
  return vps;
}

function ofPairs(payload: Uint8Array): Signalled[] {
  const count = Math.min(readU32(payload, PAIR.count), MAX_PAIRS);
  return Array.from({ length: count }, (_, i) => ({
    partition: readU64(payload, PAIR.ids, i),
    index: readU32(payload, PAIR.indexes, i),
  }));
}

/** The VPs that a scheduler message names, in its order; undefined for any other message. */
export function signalledBy(content: Uint8Array): Signalled[] | undefined {
  const type = messageType(content);
  if (type !== BITSET.type && type !== PAIR.type) return undefined;
  const { payload } = readMessage(content);
  return type === BITSET.type ? ofSet(whole(payload, BITSET.bytes)) : ofPairs(whole(payload, PAIR.bytes));
}

/** A VP is not blocked any more, of which its parent is told. */
export function countSignal({ store }: Context, vp: Parameters<typeof cellAt>[0]): void {
  const { blocked, signals } = VP.slots;
  store.set(cellAt(vp, blocked), 0);
  store.set(cellAt(vp, signals), store.number(cellAt(vp, signals)) + 1);
}

/**
 * A message is on its way that names VPs. For those that are still taken to be blocked something happened that the trace does not show:
 * their guest, or a timer.
 */
export function noteSignals(context: Context, content: Uint8Array): void {
  if (context.profile.scheduler !== 'root') return;
  for (const { partition, index } of signalledBy(content) ?? []) {
    const vp = vpOfRef(context, { partition, vp: index });
    if (vp !== undefined && context.store.low(cellAt(vp, VP.slots.blocked)) !== 0) countSignal(context, vp);
  }
}
