import { msrs } from '../../abi/index.ts';
import type { Emitted, MsrAnswer } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import { CPU, SINT_COUNT } from '../cells/cpu.ts';
import { cellAt } from '../cells/place.ts';
import { rescan } from '../synic/deliver.ts';
import { NESTED_FILE, PLAIN_FILE, type SynicFile } from '../synic/file.ts';
import { bytesOf, KVM_INACTIVE, refusesInactive, refusesTransition, STRICT_TRANSITION } from './policy.ts';
import { type AccessRule, answered, faulted, type MsrRow, refuse, taught } from './row.ts';

const ENABLE = 1;
const MASKED = 1n << 16n;
const VECTOR_MASK = 0xffn;
/** Vectors below 16 are exceptions (TLFS, SINT; Linux 7.2 include/hyperv: HV_SYNIC_FIRST_VALID_VECTOR). */
const FIRST_VECTOR = 16n;
const SYNIC_VERSION = 1n;

/** A register that keeps all 64 bits, reserved ones included: they are to be preserved, nobody checks them (TLFS, SynIC MSRs). */
const REGISTER = 'TLFS.synic.register';
const SINT_VECTOR = 'TLFS.synic.sint-vector';

function withEmitted(answer: MsrAnswer, emitted: readonly Emitted[]): MsrAnswer {
  return emitted.length === 0 ? answer : { ...answer, emitted };
}

function read(slot: number): AccessRule {
  return (context, cpu, access) => {
    if (refusesInactive(context)) return faulted(KVM_INACTIVE);
    const cell = cellAt(cpu, slot);
    return context.store.known(cell)
      ? answered(context.store.get(cell), REGISTER)
      : taught(context, cell, access);
  };
}

function store(context: Context, cpu: ObjectId, slot: number, value: bigint): MsrAnswer {
  context.store.set(cellAt(cpu, slot), value);
  return answered(value, REGISTER);
}

/** SCONTROL: from here on it is known who switched the SynIC off, for the policy `strict-transition`. */
function writeControl(file: SynicFile): AccessRule {
  return (context, cpu, access) => {
    if (refusesInactive(context)) return faulted(KVM_INACTIVE);
    const cell = cellAt(cpu, file.slots.scontrol);
    const was = context.store.known(cell) ? context.store.low(cell) & ENABLE : undefined;
    const value = access.value ?? 0n;
    const now = Number(value & 1n);
    const answer = store(context, cpu, file.slots.scontrol, value);
    const disabledBy = cellAt(cpu, file.slots.disabledBy);
    if (was === 1 && now === 0) {
      context.store.set(disabledBy, context.store.intern(bytesOf(access.component ?? 'unknown')));
    } else if (now === 1 && context.store.number(disabledBy) !== 0) {
      context.store.set(disabledBy, 0);
    }
    return now === 1 && was === 0 ? withEmitted(answer, rescan(context, cpu, file)) : answer;
  };
}

/** SIMP, SIEFP: base and enable bit. Switching the message page on lets waiting messages in (TLFS, SIMP). */
function writePage(file: SynicFile, slot: number): AccessRule {
  return (context, cpu, access) => {
    if (refusesInactive(context)) return faulted(KVM_INACTIVE);
    if (refusesTransition(context, cpu, file, access)) return faulted(STRICT_TRANSITION);
    const answer = store(context, cpu, slot, access.value ?? 0n);
    return slot === file.slots.simp ? withEmitted(answer, rescan(context, cpu, file)) : answer;
  };
}

/** The event ring is for partitions that have children (Linux 7.2 include/hyperv); elsewhere there is no such register. */
const NO_RING = 'choice.sirbp.not-a-parent';
function isParent({ profile: { role } }: Context): boolean {
  return role === 'root' || role === 'nested-root' || role === 'l1vh';
}

const readRing =
  (slot: number): AccessRule =>
  (context, cpu, access) =>
    isParent(context) ? read(slot)(context, cpu, access) : faulted(NO_RING);

/** The event ring page is not in the TLFS; nothing says that anything but its value matters (Linux 7.2 include/hyperv). */
function writeRing(slot: number): AccessRule {
  return (context, cpu, access) => {
    if (!isParent(context)) return faulted(NO_RING);
    if (refusesInactive(context)) return faulted(KVM_INACTIVE);
    return store(context, cpu, slot, access.value ?? 0n);
  };
}

/** An unmasked SINT needs a vector of at least 16; the reset value, masked with vector 0, shows that a masked one does not. */
function writeSint(file: SynicFile, slot: number): AccessRule {
  return (context, cpu, access) => {
    if (refusesInactive(context)) return faulted(KVM_INACTIVE);
    if (refusesTransition(context, cpu, file, access)) return faulted(STRICT_TRANSITION);
    const value = access.value ?? 0n;
    if ((value & MASKED) === 0n && (value & VECTOR_MASK) < FIRST_VECTOR) return faulted(SINT_VECTOR);
    return store(context, cpu, slot, value);
  };
}

/** EOM reads as 0; any write lets waiting messages in (TLFS, EOM). */
function writeEom(file: SynicFile): AccessRule {
  return (context, cpu, access) => {
    if (refusesInactive(context)) return faulted(KVM_INACTIVE);
    const value = access.value ?? 0n;
    context.store.set(cellAt(cpu, file.slots.eom), value);
    return withEmitted(answered(value, 'TLFS.synic.eom'), rescan(context, cpu, file));
  };
}

const readEom: AccessRule = (context) =>
  refusesInactive(context) ? faulted(KVM_INACTIVE) : answered(0n, 'TLFS.synic.eom');

const readVersion: AccessRule = (context) =>
  refusesInactive(context) ? faulted(KVM_INACTIVE) : answered(SYNIC_VERSION, 'TLFS.synic.sversion');

/** The registers of one register file. */
export function fileRows(file: SynicFile, prefix: '' | 'NESTED_'): MsrRow[] {
  const { scontrol, siefp, simp, sint } = file.slots;
  const at = (name: string) => msrs.number(`${prefix}${name}`);
  const rows: MsrRow[] = [
    { msr: at('SCONTROL'), read: read(scontrol), write: writeControl(file) },
    { msr: at('SVERSION'), read: readVersion, write: refuse('TLFS.synic.sversion') },
    { msr: at('SIEFP'), read: read(siefp), write: writePage(file, siefp) },
    { msr: at('SIMP'), read: read(simp), write: writePage(file, simp) },
    { msr: at('EOM'), read: readEom, write: writeEom(file) },
  ];
  for (let i = 0; i < SINT_COUNT; i++) {
    const slot = sint.first + i;
    rows.push({ msr: at('SINT0') + i, read: read(slot), write: writeSint(file, slot) });
  }
  return rows;
}

const { sirbp } = CPU.slots.synic;

/** The SynIC registers of both register files; the event ring page has no nested alias (Linux 7.2 include/hyperv). */
export const SYNIC_ROWS: readonly MsrRow[] = [
  ...fileRows(PLAIN_FILE, ''),
  { msr: msrs.number('SIRBP'), read: readRing(sirbp), write: writeRing(sirbp) },
  ...fileRows(NESTED_FILE, 'NESTED_'),
];
