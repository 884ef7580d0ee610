import type { Emitted } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import { cellAt } from '../cells/place.ts';
import { VP } from '../cells/vp.ts';
import { processorPriority } from '../vp/request.ts';
import { keepCommand, sendCommand } from './command.ts';
import { endOfInterrupt } from './end.ts';
import { APIC_ERROR, apicError, showErrors } from './error.ts';
import { LVT, LVT_BITS, LVT_MASKED } from './lvt.ts';
import { LAPIC_VERSION } from './state.ts';
import { apicId, apicMode, logicalId } from './targets.ts';
import { currentCount, startTimer } from './timer.ts';

/** Registers by their offset in the window (Intel SDM 3, table 12-1); an x2APIC MSR is 0x800 and a sixteenth of it. */
export const APIC = {
  id: 0x20,
  version: 0x30,
  tpr: 0x80,
  apr: 0x90,
  ppr: 0xa0,
  eoi: 0xb0,
  rrd: 0xc0,
  ldr: 0xd0,
  dfr: 0xe0,
  svr: 0xf0,
  isr: 0x100,
  tmr: 0x180,
  irr: 0x200,
  esr: 0x280,
  cmci: 0x2f0,
  icrLow: 0x300,
  icrHigh: 0x310,
  lvt: 0x320,
  initialCount: 0x380,
  currentCount: 0x390,
  divide: 0x3e0,
  selfIpi: 0x3f0,
} as const;

const { lapic, interrupt } = VP.slots;
const { cr8 } = VP.slots.reg;
const STRIDE = 0x10;
const WORDS = 8;
const LVT_ENTRIES = 6;
const CLASS_SHIFT = 4;
const ID_SHIFT = 24;
const LDR_BITS = 0xff00_0000;
const DFR_ONES = 0x0fff_ffff;
const SVR_BITS = 0x3ff;
const SOFTWARE_ENABLED = 1 << 8;
const DIVIDE_BITS = 0xb;
const SELF_SHORTHAND = 1 << 18;

const VECTOR_WORDS = [
  [APIC.isr, interrupt.isr],
  [APIC.tmr, interrupt.tmr],
  [APIC.irr, interrupt.irr],
] as const;

const PLAIN: ReadonlyMap<number, number> = new Map([
  [APIC.dfr, lapic.dfr],
  [APIC.svr, lapic.svr],
  [APIC.esr, lapic.esr],
  [APIC.cmci, lapic.lvt.first + LVT.cmci],
  [APIC.icrLow, lapic.icrLow],
  [APIC.icrHigh, lapic.icrHigh],
  [APIC.initialCount, lapic.initialCount],
  [APIC.divide, lapic.divide],
  ...Array.from({ length: LVT_ENTRIES }, (_, i): [number, number] => [
    APIC.lvt + i * STRIDE,
    lapic.lvt.first + i,
  ]),
]);

/** What a register of the APIC holds; undefined where there is none. Reading changes nothing. */
export function readApic(context: Context, vp: ObjectId, offset: number, tNs: number): number | undefined {
  const { store } = context;
  const plain = PLAIN.get(offset);
  if (plain !== undefined) return store.low(cellAt(vp, plain)) >>> 0;
  for (const [first, words] of VECTOR_WORDS) {
    const index = (offset - first) / STRIDE;
    if (index >= 0 && index < WORDS) return store.low(cellAt(vp, words.first + index)) >>> 0;
  }
  switch (offset) {
    case APIC.id: {
      const id = apicId(context, vp);
      return apicMode(context, vp) === 'x2apic' ? id : (id << ID_SHIFT) >>> 0;
    }
    case APIC.version:
      return LAPIC_VERSION;
    case APIC.tpr:
    case APIC.apr:
      return store.low(cellAt(vp, cr8)) << CLASS_SHIFT;
    case APIC.ppr:
      return processorPriority(context, vp);
    case APIC.rrd:
      return 0;
    case APIC.ldr:
      return logicalId(context, vp);
    case APIC.currentCount:
      return currentCount(context, vp, tNs);
    default:
      return undefined;
  }
}

/** What a write came to: `missing` where there is no such register. */
export type ApicWrite = 'missing' | readonly Emitted[];

const NOTHING: readonly Emitted[] = [];
/** Registers that cannot be written; the window takes such a write and drops it (Linux 7.2 arch/x86/kvm/lapic.c). */
const READ_ONLY: ReadonlySet<number> = new Set<number>([
  ...[APIC.id, APIC.version, APIC.apr, APIC.ppr, APIC.rrd, APIC.currentCount],
]);

/** A guest writes a register of its APIC at a time; `cpu` is the one that hears of what is told to its parent. */
export function writeApic(
  context: Context,
  vp: ObjectId,
  offset: number,
  value: number,
  at: { readonly tNs: number; readonly cpu: number | undefined },
): ApicWrite {
  const { store } = context;
  const seen = cellAt(vp, lapic.seen);
  if (store.low(seen) === 0) store.set(seen, 1);
  const put = (slot: number, now: number) => store.set(cellAt(vp, slot), now >>> 0);
  const entry = (offset - APIC.lvt) / STRIDE;
  if ((entry >= 0 && entry < LVT_ENTRIES) || offset === APIC.cmci) {
    writeLvt(context, vp, offset === APIC.cmci ? LVT.cmci : entry, value);
    return NOTHING;
  }
  switch (offset) {
    case APIC.tpr:
      put(cr8, (value & 0xff) >>> CLASS_SHIFT);
      return NOTHING;
    case APIC.eoi:
      return endOfInterrupt(context, vp, at.cpu).emitted;
    case APIC.ldr:
      put(lapic.ldr, value & LDR_BITS);
      return NOTHING;
    case APIC.dfr:
      put(lapic.dfr, value | DFR_ONES);
      return NOTHING;
    case APIC.svr:
      put(lapic.svr, value & SVR_BITS);
      if ((value & SOFTWARE_ENABLED) === 0) maskAll(context, vp);
      return NOTHING;
    case APIC.esr:
      showErrors(context, vp);
      return NOTHING;
    case APIC.icrHigh:
      keepCommand(context, vp, undefined, value);
      return NOTHING;
    case APIC.icrLow: {
      keepCommand(context, vp, value, undefined);
      const high = store.low(cellAt(vp, lapic.icrHigh)) >>> 0;
      sendCommand(context, vp, value, BigInt(high >>> ID_SHIFT));
      return NOTHING;
    }
    case APIC.initialCount:
      put(lapic.initialCount, value);
      startTimer(context, vp, value >>> 0, at.tNs);
      return NOTHING;
    case APIC.divide: {
      // What is left of the count goes on at the new speed.
      const left = currentCount(context, vp, at.tNs);
      put(lapic.divide, value & DIVIDE_BITS);
      if (left !== 0) startTimer(context, vp, left, at.tNs);
      return NOTHING;
    }
    case APIC.selfIpi:
      sendCommand(context, vp, (value & 0xff) | SELF_SHORTHAND, 0n);
      return NOTHING;
  }
  const isThere = READ_ONLY.has(offset) || readApic(context, vp, offset, at.tNs) !== undefined;
  if (isThere) return NOTHING;
  apicError(context, vp, APIC_ERROR.register);
  return 'missing';
}

/** An APIC that is switched off by its software has all entries masked (Intel SDM 3, 12.4.7.2). */
function writeLvt({ store }: Context, vp: ObjectId, index: number, value: number): void {
  const off = (store.low(cellAt(vp, lapic.svr)) & SOFTWARE_ENABLED) === 0;
  const bits = value & (LVT_BITS[index] ?? 0);
  store.set(cellAt(vp, lapic.lvt.first + index), (off ? bits | LVT_MASKED : bits) >>> 0);
}

function maskAll({ store }: Context, vp: ObjectId): void {
  for (let i = 0; i < lapic.lvt.count; i++) {
    const cell = cellAt(vp, lapic.lvt.first + i);
    if ((store.low(cell) & LVT_MASKED) === 0) store.set(cell, store.low(cell) | LVT_MASKED);
  }
}
