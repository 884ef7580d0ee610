import type { MsrAnswer } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import { cellAt } from '../cells/place.ts';
import { VP } from '../cells/vp.ts';
import { keepCommand, sendCommand } from '../lapic/command.ts';
import { endOfInterrupt, letIn } from '../lapic/end.ts';
import { APIC, readApic, writeApic } from '../lapic/registers.ts';
import { apicMode } from '../lapic/targets.ts';
import { timeOf } from '../partition/reference.ts';
import { row } from './plain.ts';
import {
  type Access,
  type AccessRule,
  answered,
  faulted,
  leaveUnmodelled,
  type MsrRow,
  refuse,
  unmodelled,
} from './row.ts';

const TPR_RULE = 'TLFS.apic.tpr';
const ICR_RULE = 'TLFS.apic.icr';
const MAX_PRIORITY = 0xffn;
/** CR8 is the class of the task priority, its upper four bits (Intel SDM 3, 12.8.6.1). */
const CLASS_SHIFT = 4n;
/** Destination of an xAPIC command, as the synthetic register has it too: 8 bits on top. */
const DESTINATION_SHIFT = 56n;
const U32 = 0xffff_ffffn;

/** End of interrupt. The APICs of the own partition are not modelled: nothing follows there but that messages are let in. */
const writeEoi: AccessRule = (context, owner, access) => {
  const answer = answered(access.value ?? 0n, 'TLFS.apic.eoi');
  if (access.vp === undefined) {
    const waiting = letIn(context, owner, false);
    return waiting.length === 0 ? answer : { ...answer, emitted: waiting };
  }
  const { level, emitted } = endOfInterrupt(context, owner, access.cpu);
  if (level) return { ...answer, rule: 'TLFS2013.apic.eoi-message', emitted };
  return emitted.length === 0 ? answer : { ...answer, emitted };
};

const readTpr: AccessRule = (context, owner, access) => {
  if (access.vp === undefined) return leaveUnmodelled(context, owner, access);
  return answered(context.store.get(cellAt(owner, VP.slots.reg.cr8)) << CLASS_SHIFT, TPR_RULE);
};

/** Task priority; of its lower four bits nothing hangs, and they are not kept (Linux 7.2 arch/x86/kvm/lapic.c: 8 bits). */
const writeTpr: AccessRule = (context, owner, access) => {
  if (access.vp === undefined) return leaveUnmodelled(context, owner, access);
  const value = access.value ?? 0n;
  if (value > MAX_PRIORITY) return faulted(TPR_RULE);
  context.store.set(cellAt(owner, VP.slots.reg.cr8), value >> CLASS_SHIFT);
  return answered(value, TPR_RULE);
};

/** Both halves of the interrupt command register at once; `shift`: where the destination begins. */
function command(context: Context, vp: ObjectId, value: bigint, shift: bigint): void {
  const low = Number(value & U32);
  keepCommand(context, vp, low, Number(value >> 32n));
  sendCommand(context, vp, low, value >> shift);
}

const readIcr: AccessRule = (context, owner, access) => {
  if (access.vp === undefined) return leaveUnmodelled(context, owner, access);
  const { icrLow, icrHigh } = VP.slots.lapic;
  const { store } = context;
  return answered((store.get(cellAt(owner, icrHigh)) << 32n) | store.get(cellAt(owner, icrLow)), ICR_RULE);
};

const writeIcr: AccessRule = (context, owner, access) => {
  if (access.vp === undefined) return leaveUnmodelled(context, owner, access);
  const value = access.value ?? 0n;
  command(context, owner, value, DESTINATION_SHIFT);
  return answered(value, ICR_RULE);
};

/** Enlightened access to the APIC (TLFS, virtual interrupt control). Reading EOI is refused as KVM does. */
export const APIC_ROWS: readonly MsrRow[] = [
  row('EOI', refuse('KVM.apic.eoi-write-only'), writeEoi),
  row('ICR', readIcr, writeIcr),
  row('TPR', readTpr, writeTpr),
];

/** x2APIC registers; the interrupt command register is one of 64 bits there, and three registers are not there. */
const X2APIC_FIRST = 0x800;
const X2APIC_LAST = 0x8ff;
const X2APIC_MISSING: ReadonlySet<number> = new Set([APIC.apr, APIC.dfr, APIC.icrHigh, APIC.rrd]);
const X2APIC_READ_ONLY: ReadonlySet<number> = new Set<number>([
  ...[APIC.id, APIC.version, APIC.ppr, APIC.ldr, APIC.currentCount],
]);
const WRITE_ONLY: ReadonlySet<number> = new Set<number>([APIC.eoi, APIC.selfIpi]);
const X2APIC_RULE = 'SDM.apic.x2apic';
/**
 * A guest's access to the window of its APIC in memory has no event of its own kind: it is one to an MSR whose number is the
 * register's address in the window's usual place, where no MSR is (docs/decisions/0014-registers-of-the-apic-as-msrs.md).
 */
export const APIC_WINDOW = 0xfee0_0000;
const WINDOW_BYTES = 0x1000;
const WINDOW_RULE = 'SDM.apic.register';
const BASE = 0x1b;
const BASE_RULE = 'SDM.apic.base';
const BASE_RESERVED = 0x2ffn | (0xfffn << 52n);
const ENABLED = 1n << 11n;
const EXTENDED = 1n << 10n;
const BOOT_PROCESSOR = 1n << 8n;

/** IA32_APIC_BASE: x2APIC comes after xAPIC and leads only to off; the boot bit stays (Intel SDM 3, 12.12.5). */
function answerBase({ store }: Context, vp: ObjectId, access: Access): MsrAnswer {
  const cell = cellAt(vp, VP.slots.reg.apicBase);
  const was = store.get(cell);
  if (access.dir === 'read') return answered(was, BASE_RULE);
  const value = access.value ?? 0n;
  const [before, now] = [was & (ENABLED | EXTENDED), value & (ENABLED | EXTENDED)];
  const wrong =
    (value & BASE_RESERVED) !== 0n ||
    now === EXTENDED ||
    (before === (ENABLED | EXTENDED) && now === ENABLED) ||
    (before === 0n && now === (ENABLED | EXTENDED));
  if (wrong) return faulted(BASE_RULE);
  store.set(cell, (value & ~BOOT_PROCESSOR) | (was & BOOT_PROCESSOR));
  return answered(value, BASE_RULE);
}

function answerX2apic(context: Context, vp: ObjectId, access: Access): MsrAnswer {
  const offset = (access.msr - X2APIC_FIRST) << 4;
  if (apicMode(context, vp) !== 'x2apic' || X2APIC_MISSING.has(offset)) return faulted(X2APIC_RULE);
  if (access.dir === 'read') {
    if (offset === APIC.icrLow) return { ...readIcr(context, vp, access), rule: X2APIC_RULE };
    const value = WRITE_ONLY.has(offset) ? undefined : readApic(context, vp, offset, timeOf(access));
    return value === undefined ? faulted(X2APIC_RULE) : answered(BigInt(value), X2APIC_RULE);
  }
  const value = access.value ?? 0n;
  if (offset === APIC.icrLow) {
    command(context, vp, value, 32n);
    return answered(value, X2APIC_RULE);
  }
  const nonZero = (offset === APIC.eoi || offset === APIC.esr) && value !== 0n;
  if (value > U32 || nonZero || X2APIC_READ_ONLY.has(offset)) return faulted(X2APIC_RULE);
  const isVector = offset >= APIC.isr && offset < APIC.esr;
  const at = { tNs: timeOf(access), cpu: access.cpu };
  const written = isVector ? 'missing' : writeApic(context, vp, offset, Number(value), at);
  if (written === 'missing') return faulted(X2APIC_RULE);
  const answer = answered(value, X2APIC_RULE);
  return written.length === 0 ? answer : { ...answer, emitted: written };
}

/** The window takes accesses of 32 bits; what is not there reads as 0 and drops what is written. */
function answerWindow(context: Context, vp: ObjectId, access: Access): MsrAnswer {
  if (apicMode(context, vp) !== 'xapic') return unmodelled(access);
  const offset = access.msr - APIC_WINDOW;
  const tNs = timeOf(access);
  const isOne = offset % 16 === 0 && offset !== APIC.selfIpi;
  if (access.dir === 'read')
    return answered(BigInt((isOne ? readApic(context, vp, offset, tNs) : undefined) ?? 0), WINDOW_RULE);
  const value = access.value ?? 0n;
  const answer = answered(value, WINDOW_RULE);
  if (!isOne) return answer;
  const written = writeApic(context, vp, offset, Number(value & U32), { tNs, cpu: access.cpu });
  return written === 'missing' || written.length === 0 ? answer : { ...answer, emitted: written };
}

/** What a guest with a LAPIC finds at the registers of its APIC; undefined for all others. */
export function answerApic(context: Context, vp: ObjectId, access: Access): MsrAnswer | undefined {
  const { msr } = access;
  if (msr === BASE) return hasApic(context, vp) ? answerBase(context, vp, access) : undefined;
  if (msr >= X2APIC_FIRST && msr <= X2APIC_LAST)
    return hasApic(context, vp) ? answerX2apic(context, vp, access) : undefined;
  if (msr >= APIC_WINDOW && msr < APIC_WINDOW + WINDOW_BYTES) return answerWindow(context, vp, access);
  return undefined;
}

/** Its partition was made with one: then its base is in the trace from the start. */
function hasApic({ store }: Context, vp: ObjectId): boolean {
  return store.get(cellAt(vp, VP.slots.reg.apicBase)) !== 0n;
}
