import { msrs } from '../../abi/index.ts';

/** What the registers of one SynIC are and how a value switches what they control (TLFS, SynIC MSRs). */

export type RegisterKind = 'scontrol' | 'page' | 'sint' | 'eom';

export interface SynicRegister {
  /** As the TLFS names it: `SCONTROL`, `SINT2`. */
  readonly name: string;
  /** Path below the CPU's `synic`. */
  readonly path: string;
  readonly kind: RegisterKind;
}

export const SINT_COUNT = 16;

const FIRST = msrs.number('SCONTROL');
const NESTED_FIRST = msrs.number('NESTED_SCONTROL');

const REGISTERS: readonly SynicRegister[] = [
  { name: 'SCONTROL', path: 'scontrol', kind: 'scontrol' },
  { name: 'SIEFP', path: 'siefp', kind: 'page' },
  { name: 'SIMP', path: 'simp', kind: 'page' },
  { name: 'SIRBP', path: 'sirbp', kind: 'page' },
  { name: 'EOM', path: 'eom', kind: 'eom' },
  ...Array.from(
    { length: SINT_COUNT },
    (_, n): SynicRegister => ({ name: `SINT${n}`, path: `sint[${n}]`, kind: 'sint' }),
  ),
];

/** Where a register stands in {@link SYNIC_REGISTERS}: its distance from SCONTROL. */
export function indexOf(name: string): number {
  return msrs.number(name) - FIRST;
}

/** By distance from SCONTROL; a hole where no register with a state or an effect of its own is (SVERSION). */
export const SYNIC_REGISTERS: readonly (SynicRegister | undefined)[] = Array.from(
  { length: indexOf(`SINT${SINT_COUNT - 1}`) + 1 },
  (_, index) => REGISTERS.find(({ name }) => indexOf(name) === index),
);

/** The MSRs of SCONTROL and of the SINTs, in both register files. */
export const SWITCHES: readonly number[] = SYNIC_REGISTERS.flatMap((register, index) =>
  register?.kind === 'sint' || register?.kind === 'scontrol' ? [FIRST + index, NESTED_FIRST + index] : [],
);

/** Index in {@link SYNIC_REGISTERS} of an MSR or of its nested alias; -1 where it is none of them. */
export function synicIndex(msr: number): number {
  const index = isNestedAlias(msr) ? msr - NESTED_FIRST : msr - FIRST;
  return SYNIC_REGISTERS[index] === undefined ? -1 : index;
}

/** An MSR of the second register file, that of a root partition which is nested itself (Linux 7.2 include/hyperv). */
export function isNestedAlias(msr: number): boolean {
  return msr >= NESTED_FIRST;
}

/** The mask of some bit fields of an MSR. */
function bits(msr: string, ...names: readonly string[]): bigint {
  return names.reduce((mask, name) => {
    const field = msrs.named(msr)?.bits.find((bit) => bit.name === name);
    if (field === undefined) throw new Error(`${msr} has no field ${name}`);
    return mask | (((1n << BigInt(field.width)) - 1n) << BigInt(field.lsb));
  }, 0n);
}

const ENABLE = bits('SCONTROL', 'enable');
const PAGE_ENABLED = bits('SIMP', 'enabled');
const PAGE_BASE = bits('SIMP', 'base_simp_gpa');
const MASKED = bits('SINT0', 'masked');
const AS_INTERCEPT = bits('SINT0', 'as_intercept');
const PROXY = bits('SINT0', 'proxy');
const SINT_PURPOSE = bits('SINT0', 'vector', 'auto_eoi', 'polling', 'as_intercept', 'proxy');

/** Whether a value switches on what the register controls; a SINT is on while it is not masked. */
export function isOn({ kind }: SynicRegister, value: bigint): boolean {
  switch (kind) {
    case 'sint':
      return (value & MASKED) === 0n;
    case 'page':
      return (value & PAGE_ENABLED) !== 0n;
    case 'scontrol':
      return (value & ENABLE) !== 0n;
    case 'eom':
      return false;
  }
}

/** What a write does to whoever uses a register that is on and stays on. */
export function changeWhileOn(
  { kind }: SynicRegister,
  was: bigint,
  now: bigint,
): 'move' | 're-program' | 'none' {
  if (kind === 'page') return ((was ^ now) & PAGE_BASE) === 0n ? 'none' : 'move';
  if (kind === 'sint') return ((was ^ now) & SINT_PURPOSE) === 0n ? 'none' : 're-program';
  return 'none';
}

/** A SINT of this kind reports through the event ring page, SIRBP (Linux 7.2 drivers/hv/mshv_synic.c). */
export function isAsIntercept(sint: bigint): boolean {
  return (sint & AS_INTERCEPT) !== 0n;
}

/** A SINT of this kind is passed on to a lower VTL, whose pages count (OpenVMM hvdef). */
export function isProxy(sint: bigint): boolean {
  return (sint & PROXY) !== 0n;
}

/** Linux on x86 has at most this many CPUs (NR_CPUS_RANGE_END, arch/x86/Kconfig); more is noise. */
export const MAX_CPUS = 8192;

/** Path of the cell that an MSR of a SynIC stands for: `cpu[0].synic.siefp`. */
export function synicCell(cpu: number, msr: number): string | undefined {
  const register = SYNIC_REGISTERS[synicIndex(msr)];
  return register && `${synicPath(cpu, isNestedAlias(msr))}.${register.path}`;
}

export function synicPath(cpu: number, nested: boolean): string {
  return nested ? `cpu[${cpu}].nested.synic` : `cpu[${cpu}].synic`;
}
