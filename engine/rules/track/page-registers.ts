import { constantNumber, hexOf, msrs, registers } from '../../abi/index.ts';
import type { PageKind } from '../../trace/event.ts';

/** Registers that give the hypervisor a page of the guest to write to or to lay its own over (TLFS, overlay pages). */

export interface PageRegister {
  /** As the TLFS names it: `SIMP`. */
  readonly name: string;
  /** Undefined: no MSR, the parent sets it. */
  readonly msr: number | undefined;
  /** One for each processor, or one for the whole partition (TLFS, MSR scope). */
  readonly scope: 'processor' | 'partition';
  /** Path below a CPU and below a VP. */
  readonly path: { readonly cpu: string; readonly vp: string };
}

function register(name: string, path: string, vp: string, scope: PageRegister['scope']): PageRegister {
  const msr = msrs.number(name);
  return { name, msr, scope, path: { cpu: path === '' ? `msr[${hexOf(msr)}]` : path, vp } };
}

export const HYPERCALL = register('HYPERCALL', '', 'reg.hypercall', 'partition');
const GHCB_NAME = registers.number('GHCB');

/** The page through which a confidential guest speaks: the parent moves it only after it has given up the old one. */
export const GHCB: PageRegister = {
  name: 'GHCB',
  msr: undefined,
  scope: 'processor',
  path: { cpu: `reg[${hexOf(GHCB_NAME)}]`, vp: `reg[${hexOf(GHCB_NAME)}]` },
};

const REGISTERS: readonly PageRegister[] = [
  HYPERCALL,
  register('REFERENCE_TSC', '', 'reg.referenceTsc', 'partition'),
  register('VP_ASSIST_PAGE', '', 'reg.vpAssist', 'processor'),
  register('SIEFP', 'synic.siefp', 'synic.siefp', 'processor'),
  register('SIMP', 'synic.simp', 'synic.simp', 'processor'),
  register('SIRBP', 'synic.sirbp', 'synic.sirbp', 'processor'),
  register('NESTED_SIEFP', 'nested.synic.siefp', 'nested.synic.siefp', 'processor'),
  register('NESTED_SIMP', 'nested.synic.simp', 'nested.synic.simp', 'processor'),
];

/** By MSR. */
export const PAGE_MSRS: ReadonlyMap<number, PageRegister> = new Map(
  REGISTERS.map((page) => [page.msr ?? 0, page]),
);

/** By the name code that a parent sets it by. */
export const PAGE_NAMES: ReadonlyMap<number, PageRegister> = new Map([
  ...['HYPERCALL', 'REFERENCE_TSC', 'VP_ASSIST_PAGE', 'SIEFP', 'SIMP', 'SIRBP'].map(
    (name) => [registers.number(name), pageRegister(name)] as const,
  ),
  [GHCB_NAME, GHCB],
]);

/** By the words of page events. */
export const PAGE_KINDS: ReadonlyMap<PageKind, PageRegister> = new Map([
  ['simp', pageRegister('SIMP')],
  ['siefp', pageRegister('SIEFP')],
  ['sirbp', pageRegister('SIRBP')],
  ['vp-assist', pageRegister('VP_ASSIST_PAGE')],
  ['hypercall', HYPERCALL],
  ['reference-tsc', pageRegister('REFERENCE_TSC')],
  ['ghcb', GHCB],
]);

export function pageRegister(name: string): PageRegister {
  const found = REGISTERS.find((page) => page.name === name);
  if (found === undefined) throw new Error(`no page register ${name}`);
  return found;
}

const ENABLE = 1n;
const PAGE_SHIFT = BigInt(constantNumber('HV_HYP_PAGE_SHIFT'));

export function isEnabled(value: bigint): boolean {
  return (value & ENABLE) !== 0n;
}

/** The frame of guest memory that a value of any of these registers names. */
export function frameOf(value: bigint): bigint {
  return value >> PAGE_SHIFT;
}
