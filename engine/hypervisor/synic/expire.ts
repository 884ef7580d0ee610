import { fieldOf, messageTypes, readU32, writeField } from '../../abi/index.ts';
import type { Emitted } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import { STIMER_COUNT } from '../cells/cpu.ts';
import { cellAt, groupAt } from '../cells/place.ts';
import { VP, VP_QUEUED } from '../cells/vp.ts';
import { messageOf, messageType, readMessage } from '../intercept/message.ts';
import { apicExpiry, expireApicTimer } from '../lapic/timer.ts';
import { after, isFrozen, referenceTime, whenReached } from '../partition/reference.ts';
import { deliver, ownerOf } from './deliver.ts';
import { VP_FILE } from './file.ts';

/** Bits of a timer's configuration (TLFS, synthetic timer configuration register). */
export const TIMER = {
  enabled: 1,
  periodic: 2,
  lazy: 4,
  autoEnabled: 1 << 3,
  vectorShift: 4,
  vectorMask: 0xff,
  direct: 1 << 12,
  sintShift: 16,
  sintMask: 0xf,
} as const;

const TIMER_EXPIRED = messageTypes.number('HVMSG_TIMER_EXPIRED');
const PAYLOAD = {
  bytes: 24,
  index: fieldOf('hv_timer_message_payload', 'timer_index'),
  expiration: fieldOf('hv_timer_message_payload', 'expiration_time'),
  delivery: fieldOf('hv_timer_message_payload', 'delivery_time'),
};
const { timerDue } = VP.slots;
const { timer } = VP.slots.synic;

function timerCells(vp: ObjectId, index: number) {
  const at = groupAt(timer, index);
  return { config: cellAt(vp, at + timer.slots.config), count: cellAt(vp, at + timer.slots.count) };
}

/**
 * A guest has written to a timer: from its registers follows when it expires. A one-shot timer counts to a reference
 * time, at once where that has passed; a periodic one begins a period (TLFS, synthetic timers).
 */
export function armTimer(context: Context, vp: ObjectId, index: number, tNs: number): void {
  const { store } = context;
  const { config, count } = timerCells(vp, index);
  const due = cellAt(vp, timerDue.first + index);
  const runs = (store.low(config) & TIMER.enabled) !== 0 && !isFrozen(context, store.parent(vp));
  const at = runs ? dueTime(context, vp, config, count, tNs) : 0;
  if (store.number(due) !== at) store.set(due, at);
}

/** The reference time of a partition has been set, stopped or let go: its guests' timers count by it. */
export function rearmTimers(context: Context, partition: ObjectId, tNs: number): void {
  for (const vp of context.store.children(partition, VP)) {
    for (let i = 0; i < STIMER_COUNT; i++) armTimer(context, vp, i, tNs);
  }
}

function dueTime(
  context: Context,
  vp: ObjectId,
  config: ReturnType<typeof cellAt>,
  count: ReturnType<typeof cellAt>,
  tNs: number,
): number {
  const { store } = context;
  const value = store.get(count);
  if (value === 0n) return 0;
  if ((store.low(config) & TIMER.periodic) !== 0) return after(tNs, value);
  return whenReached(context, store.parent(vp), value, tNs);
}

/**
 * The first time at which a timer of the VP expires, a synthetic one or that of its APIC; undefined: none is running. One that
 * is lazy waits for whatever happens next (TLFS, synthetic timer configuration register).
 */
export function nextExpiry(context: Context, vp: ObjectId): number | undefined {
  const { store } = context;
  let first = apicExpiry(context, vp);
  for (let i = 0; i < timerDue.count; i++) {
    const at = store.number(cellAt(vp, timerDue.first + i));
    if ((store.low(timerCells(vp, i).config) & TIMER.lazy) !== 0) continue;
    if (at !== 0 && (first === undefined || at < first)) first = at;
  }
  return first;
}

/**
 * Timers of a VP that have expired by `tNs`: their messages, or their interrupts in direct mode. A one-shot timer stops; of a
 * periodic one what was missed is skipped, and it sends nothing while a message of its own waits for the slot (Linux 7.2
 * arch/x86/kvm/hyperv.c, stimer_start and stimer_expiration).
 */
export function expireTimers(context: Context, vp: ObjectId, tNs: number): Emitted[] {
  const { store } = context;
  const emitted: Emitted[] = [];
  for (let i = 0; i < STIMER_COUNT; i++) {
    const due = cellAt(vp, timerDue.first + i);
    const at = store.number(due);
    if (at === 0 || at > tNs) continue;
    const { config } = timerCells(vp, i);
    const sint = (store.low(config) >>> TIMER.sintShift) & TIMER.sintMask;
    if ((store.low(config) & TIMER.enabled) === 0) store.set(due, 0);
    // Two into one slot: the second is due again at the next event.
    else if (!emitted.some((event) => event.kind === 'message' && event.sint === sint))
      emitted.push(...expire(context, vp, i, at, tNs));
  }
  emitted.push(...expireApicTimer(context, vp, tNs));
  return emitted;
}

function expire(context: Context, vp: ObjectId, index: number, atNs: number, tNs: number): Emitted[] {
  const { store } = context;
  const { config, count } = timerCells(vp, index);
  const due = cellAt(vp, timerDue.first + index);
  const bits = store.low(config);
  const partition = store.parent(vp);
  const periodic = (bits & TIMER.periodic) !== 0;
  const expiration = periodic ? referenceTime(context, partition, atNs) : store.get(count);
  if (periodic) {
    const period = store.get(count);
    let next = after(atNs, period);
    if (next !== 0 && next <= tNs) {
      const lengthNs = next - atNs;
      next += (Math.floor((tNs - next) / lengthNs) + 1) * lengthNs;
    }
    store.set(due, next);
  } else {
    store.set(due, 0);
    store.setWords(config, bits & ~TIMER.enabled, store.high(config));
  }
  if ((bits & TIMER.direct) !== 0) {
    const vector = (bits >>> TIMER.vectorShift) & TIMER.vectorMask;
    const to = { component: 'hypervisor', ...ownerOf(context, vp), sint: 0 } as const;
    return [{ kind: 'message', ...to, what: 'interrupt', vector }];
  }
  if (waits(context, vp, index)) return [];
  const payload = new Uint8Array(PAYLOAD.bytes);
  writeField(payload, PAYLOAD.index, index);
  writeField(payload, PAYLOAD.expiration, expiration);
  writeField(payload, PAYLOAD.delivery, referenceTime(context, partition, tNs));
  const sint = (bits >>> TIMER.sintShift) & TIMER.sintMask;
  return deliver(context, vp, VP_FILE, sint, messageOf(TIMER_EXPIRED, 0n, payload));
}

/** A message of the timer waits for its slot. */
function waits({ store }: Context, vp: ObjectId, index: number): boolean {
  return store.children(vp, VP_QUEUED).some((id) => {
    const content = store.blob(store.number(cellAt(id, VP_QUEUED.slots.content)));
    return timerOf(content) === index;
  });
}

/** The timer that a message tells of; undefined for a message about something else. */
export function timerOf(slot: Uint8Array): number | undefined {
  if (messageType(slot) !== TIMER_EXPIRED) return undefined;
  const { payload } = readMessage(slot);
  if (payload.length < PAYLOAD.bytes) return undefined;
  const index = readU32(payload, PAYLOAD.index);
  return index < STIMER_COUNT ? index : undefined;
}
