/**
 * The registers of one SynIC and how a value switches what they control (TLFS, SynIC MSRs; SIRBP and the
 * as-intercept bit: Linux 7.2 include/hyperv).
 */

export type RegisterKind = 'scontrol' | 'page' | 'sint' | 'eom';

export interface SynicRegister {
  /** As the TLFS names it: `SCONTROL`, `SINT2`. */
  readonly name: string;
  /** Path below the CPU's `synic`. */
  readonly path: string;
  readonly kind: RegisterKind;
  /** Number of the SINT, its place among the sixteen. */
  readonly sint?: number;
}

export const SINT_COUNT = 16;
const ENABLE = 1n;
const MASKED = 1n << 16n;
const AS_INTERCEPT = 1n << 19n;
const PROXY = 1n << 20n;
/** Vector, auto-EOI, polling, as-intercept, proxy: what a SINT is for. */
const SINT_PURPOSE = 0x1e_00ffn;
const BASE_SHIFT = 12n;

const FIRST = 0x4000_0080;
const NESTED_FIRST = 0x4000_1080;
const SINT0 = 0x10;
const PLAIN: readonly (SynicRegister | undefined)[] = [
  { name: 'SCONTROL', path: 'scontrol', kind: 'scontrol' },
  undefined, // SVERSION is read-only
  { name: 'SIEFP', path: 'siefp', kind: 'page' },
  { name: 'SIMP', path: 'simp', kind: 'page' },
  { name: 'EOM', path: 'eom', kind: 'eom' },
  { name: 'SIRBP', path: 'sirbp', kind: 'page' },
];

/** By the MSR's distance from SCONTROL; undefined where no register of a SynIC is. */
export const SYNIC_REGISTERS: readonly (SynicRegister | undefined)[] = Array.from(
  { length: SINT0 + SINT_COUNT },
  (_, i) => {
    if (i < SINT0) return PLAIN[i];
    const sint = i - SINT0;
    return { name: `SINT${sint}`, path: `sint[${sint}]`, kind: 'sint', sint };
  },
);
export const SCONTROL_INDEX = 0;
export const SIEFP_INDEX = 2;
export const SIMP_INDEX = 3;
export const SIRBP_INDEX = 5;
export const SINT0_INDEX = SINT0;

/** Where an MSR stands in {@link SYNIC_REGISTERS}, or -1; the aliases of a nested SynIC stand at the same places. */
export function synicIndex(msr: number): number {
  const index = isNestedAlias(msr) ? msr - NESTED_FIRST : msr - FIRST;
  return SYNIC_REGISTERS[index] === undefined ? -1 : index;
}

export function isNestedAlias(msr: number): boolean {
  return msr >= NESTED_FIRST;
}

/** Whether a value switches on what the register controls; a SINT is on while it is not masked. */
export function isOn(register: SynicRegister, value: bigint): boolean {
  if (register.kind === 'sint') return (value & MASKED) === 0n;
  return register.kind !== 'eom' && (value & ENABLE) !== 0n;
}

/** What an on -> on write does to whoever uses the register. */
export function changeWhileOn(
  register: SynicRegister,
  was: bigint,
  now: bigint,
): 'move' | 're-program' | 'none' {
  if (register.kind === 'page') return was >> BASE_SHIFT === now >> BASE_SHIFT ? 'none' : 'move';
  if (register.kind === 'sint') return ((was ^ now) & SINT_PURPOSE) === 0n ? 'none' : 're-program';
  return 'none';
}

/** A SINT of this kind reports through the event ring page (SIRBP). */
export function isAsIntercept(sint: bigint): boolean {
  return (sint & AS_INTERCEPT) !== 0n;
}

/** A SINT of this kind is passed on to a lower VTL, whose pages count. */
export function isProxy(sint: bigint): boolean {
  return (sint & PROXY) !== 0n;
}
