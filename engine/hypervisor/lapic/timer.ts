import type { Emitted } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import { PARTITION } from '../cells/partition.ts';
import { cellAt } from '../cells/place.ts';
import { VP } from '../cells/vp.ts';
import { ownerOf } from '../synic/deliver.ts';
import { LVT, LVT_MASKED } from './lvt.ts';

const { lapic } = VP.slots;
const PERIODIC = 1 << 17;
const VECTOR_MASK = 0xff;
const FIRST_VECTOR = 16;
const NS_PER_S = 1_000_000_000n;
/**
 * What counts where the guest was told no frequency, and what HV_X64_MSR_APIC_FREQUENCY says then: the usual one of an APIC
 * below Hyper-V.
 */
export const OWN_APIC_HZ = 200_000_000n;

/** By how much the divide configuration divides: its bits 0, 1 and 3 are 0 for 2 up to 6 for 128, and 7 for 1. */
function divisor({ store }: Context, vp: ObjectId): bigint {
  const bits = store.low(cellAt(vp, lapic.divide));
  const power = (((bits >>> 1) & 4) | (bits & 3)) + 1;
  return 1n << BigInt(power & 7);
}

function hertz({ store }: Context, vp: ObjectId): bigint {
  const told = store.get(cellAt(store.parent(vp), PARTITION.slots.frequency.apic));
  return told === 0n ? OWN_APIC_HZ : told;
}

/** Nanoseconds that a count lasts, at least one; exact for all 32 bits (2^32 * 128 ticks at 1 Hz and more are < 2^53 ms). */
function lasts(context: Context, vp: ObjectId, count: number): number {
  const ns = (BigInt(count) * divisor(context, vp) * NS_PER_S) / hertz(context, vp);
  return ns < 1n ? 1 : Number(ns);
}

/** Starts counting down from `count` at a time; 0 stops. */
export function startTimer(context: Context, vp: ObjectId, count: number, tNs: number): void {
  const { store } = context;
  const due = count === 0 ? 0 : tNs + lasts(context, vp, count);
  const at = due > Number.MAX_SAFE_INTEGER ? 0 : due;
  if (store.number(cellAt(vp, lapic.due)) !== at) store.set(cellAt(vp, lapic.due), at);
}

/** What is left of the count (Intel SDM 3, 12.5.4). */
export function currentCount(context: Context, vp: ObjectId, tNs: number): number {
  const due = context.store.number(cellAt(vp, lapic.due));
  if (due <= tNs) return 0;
  return Number((BigInt(due - tNs) * hertz(context, vp)) / (NS_PER_S * divisor(context, vp))) >>> 0;
}

/** When the timer of a VP expires; undefined: it does not count. */
export function apicExpiry({ store }: Context, vp: ObjectId): number | undefined {
  const due = store.number(cellAt(vp, lapic.due));
  return due === 0 ? undefined : due;
}

/** The timer has reached 0 by `tNs`: its interrupt, unless it is masked; a periodic one begins again, what was missed is skipped. */
export function expireApicTimer(context: Context, vp: ObjectId, tNs: number): Emitted[] {
  const { store } = context;
  const due = store.number(cellAt(vp, lapic.due));
  if (due === 0 || due > tNs) return [];
  const entry = store.low(cellAt(vp, lapic.lvt.first + LVT.timer));
  let next = 0;
  if ((entry & PERIODIC) !== 0) {
    const period = lasts(context, vp, store.low(cellAt(vp, lapic.initialCount)) >>> 0);
    next = due + (Math.floor((tNs - due) / period) + 1) * period;
  }
  store.set(cellAt(vp, lapic.due), next);
  const vector = entry & VECTOR_MASK;
  if ((entry & LVT_MASKED) !== 0 || vector < FIRST_VECTOR) return [];
  const to = { component: 'hypervisor', ...ownerOf(context, vp), sint: 0 } as const;
  return [{ kind: 'message', ...to, what: 'interrupt', vector }];
}
