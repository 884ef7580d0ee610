import { msrs, registers } from '../../abi/index.ts';
import { isEnabled, pageRegister } from './page-registers.ts';
import { isOn, SINT_COUNT, SYNIC_REGISTERS, synicIndex } from './synic-registers.ts';

/** The synthetic registers of a processor in which its guest keeps something (TLFS, synthetic MSRs), as MSR and as VP register. */
export interface SyntheticRegister {
  /** As the TLFS names it: `SINT2`. */
  readonly name: string;
  /** Path below a VP. */
  readonly path: string;
  /** One for the whole partition. */
  readonly isShared: boolean;
  /** Whether a value has something switched on, which a reset register never has. */
  readonly isActive: (value: bigint) => boolean;
}

const PAGES = ['HYPERCALL', 'REFERENCE_TSC', 'VP_ASSIST_PAGE', 'SIMP', 'SIEFP'].map(pageRegister);
const SINT0 = SYNIC_REGISTERS[synicIndex(msrs.number('SINT0'))];
const isUnmasked = (value: bigint) => SINT0 !== undefined && isOn(SINT0, value);

const REGISTERS: readonly SyntheticRegister[] = [
  { name: 'GUEST_OS_ID', path: 'reg.guestOsId', isShared: true, isActive: (value) => value !== 0n },
  ...PAGES.map(({ name, path, scope }) => ({
    name,
    path: path.vp,
    isShared: scope === 'partition',
    isActive: isEnabled,
  })),
  { name: 'SCONTROL', path: 'synic.scontrol', isShared: false, isActive: isEnabled },
  ...Array.from({ length: SINT_COUNT }, (_, n) => ({
    name: `SINT${n}`,
    path: `synic.sint[${n}]`,
    isShared: false,
    isActive: isUnmasked,
  })),
];

export const SYNTHETIC_MSRS: ReadonlyMap<number, SyntheticRegister> = new Map(
  REGISTERS.map((register) => [msrs.number(register.name), register]),
);

/** By the name code of a VP register. */
export const SYNTHETIC_NAMES: ReadonlyMap<number, SyntheticRegister> = new Map(
  REGISTERS.map((register) => [registers.number(register.name), register]),
);
