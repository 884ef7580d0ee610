import { writeField } from '../../abi/index.ts';
import type { Emitted } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import { type ObjectId, TOP } from '../../state/store.ts';
import { PARTITION } from '../cells/partition.ts';
import { cellAt } from '../cells/place.ts';
import { BLOCKED, VP } from '../cells/vp.ts';
import { messageOf } from '../intercept/message.ts';
import { messageToParent } from '../intercept/stop.ts';
import { waitingExtint } from './extint.ts';
import { interruptToTake } from './request.ts';
import { BANK_BITS, BITSET, countSignal, MAX_PAIRS, PAIR, type Signalled } from './signalled.ts';
import { mayRun } from './suspend.ts';

/** The message comes from no partition. */
const HYPERVISOR = 0n;
const { blocked } = VP.slots;

/** What kept the VP from being dispatched is over; `interrupted`: an interrupt is on its way to it. */
function isUnblocked(context: Context, vp: ObjectId, interrupted: boolean): boolean {
  const { store } = context;
  if (!mayRun(context, vp)) return false;
  if (BLOCKED[store.low(cellAt(vp, blocked))] === 'suspended' || interrupted) return true;
  const waiting = waitingExtint(context, vp) !== undefined;
  const nmi = store.low(cellAt(vp, VP.slots.interrupt.nmi)) !== 0;
  return waiting || nmi || interruptToTake(context, vp) !== undefined;
}

function unblock(context: Context, emitted: readonly Emitted[]): Signalled[] {
  const { store } = context;
  const interrupted = (partition: bigint, index: number) =>
    emitted.some(
      (event) =>
        event.kind === 'message' &&
        event.what === 'interrupt' &&
        event.vp?.partition === partition &&
        event.vp.vp === index,
    );
  const found: Signalled[] = [];
  for (const id of store.children(TOP, PARTITION)) {
    const partition = BigInt(store.key(id));
    for (const vp of store.children(id, VP)) {
      if (store.low(cellAt(vp, blocked)) === 0) continue;
      const index = Number(store.key(vp));
      if (!isUnblocked(context, vp, interrupted(partition, index))) continue;
      countSignal(context, vp);
      found.push({ partition, index });
    }
  }
  return found;
}

/** VPs of one partition, in banks of 64. */
function bitset(partition: bigint, indexes: readonly number[]): Uint8Array {
  const payload = new Uint8Array(BITSET.bytes);
  writeField(payload, BITSET.id, partition);
  writeField(payload, BITSET.count, indexes.length);
  const banks = new Map<number, bigint>();
  for (const index of [...indexes].sort((a, b) => a - b)) {
    const bank = Math.floor(index / BANK_BITS);
    banks.set(bank, (banks.get(bank) ?? 0n) | (1n << BigInt(index % BANK_BITS)));
  }
  writeField(
    payload,
    BITSET.words,
    [...banks.keys()].reduce((mask, bank) => mask | (1n << BigInt(bank)), 0n),
    1,
  );
  [...banks.values()].forEach((bits, i) => {
    writeField(payload, BITSET.words, bits, i + 2);
  });
  return messageOf(BITSET.type, HYPERVISOR, payload);
}

function pairs(vps: readonly Signalled[]): Uint8Array {
  const payload = new Uint8Array(PAIR.bytes);
  writeField(payload, PAIR.count, vps.length);
  vps.forEach(({ partition, index }, i) => {
    writeField(payload, PAIR.ids, partition, i);
    writeField(payload, PAIR.indexes, index, i);
  });
  return messageOf(PAIR.type, HYPERVISOR, payload);
}

/**
 * A parent that schedules is told of VPs that were answered as blocked and can be dispatched again: one message in the
 * slot of intercepts, a set of bits where they are of one partition, else pairs (Linux 7.2 drivers/hv/mshv_synic.c,
 * mshv_scheduler_isr, reads both).
 */
export function withSignals<A extends { readonly emitted?: readonly Emitted[] }>(
  context: Context,
  cpu: number | undefined,
  answer: A,
): A {
  if (context.profile.scheduler !== 'root') return answer;
  const { emitted = [] } = answer;
  const vps = unblock(context, emitted).slice(0, MAX_PAIRS);
  const [first] = vps;
  if (first === undefined) return answer;
  const isOne = vps.every(({ partition }) => partition === first.partition);
  const message = isOne
    ? bitset(
        first.partition,
        vps.map(({ index }) => index),
      )
    : pairs(vps);
  return { ...answer, emitted: [...emitted, ...messageToParent(context, cpu, message)] };
}
