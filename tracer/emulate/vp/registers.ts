import { registers } from '../../../engine/abi/index.ts';

const NAMES = [
  ...['RAX', 'RCX', 'RDX', 'RBX', 'RSP', 'RBP', 'RSI', 'RDI'],
  ...['R8', 'R9', 'R10', 'R11', 'R12', 'R13', 'R14', 'R15', 'RIP', 'RFLAGS'],
  ...['ES', 'CS', 'SS', 'DS', 'FS', 'GS', 'LDTR', 'TR', 'IDTR', 'GDTR'],
  ...['CR0', 'CR2', 'CR3', 'CR4', 'CR8', 'DR0', 'DR1', 'DR2', 'DR3', 'DR6', 'DR7'],
  ...['FP_CONTROL_STATUS', 'EFER', 'KERNEL_GS_BASE', 'STAR', 'LSTAR', 'SFMASK'],
  ...['SYSENTER_CS', 'SYSENTER_EIP', 'SYSENTER_ESP', 'XFEM'],
  ...Array.from({ length: 16 }, (_, n) => `XMM${n}`),
  ...Array.from({ length: 8 }, (_, n) => `FP_MMX${n}`),
  'XMM_CONTROL_STATUS',
];

/** The registers that the processor works with and the engine hears of, in the order in which they are handed over. */
export const REGISTERS: readonly number[] = NAMES.map((name) => registers.number(`HV_X64_REGISTER_${name}`));

/** What else a processor has to know to go on where another one was. */
const INNER: readonly number[] = [
  registers.number('HV_X64_REGISTER_TSC_ADJUST'),
  registers.number('HV_X64_REGISTER_TSC_AUX'),
  registers.number('HV_REGISTER_INTERRUPT_STATE'),
];

/** All registers that are handed over: those of {@link REGISTERS} have the same places. */
export const HANDED: readonly number[] = [...REGISTERS, ...INNER];

const PLACES: ReadonlyMap<number, number> = new Map(HANDED.map((name, place) => [name, place]));

/** Place of a register by its name's number. */
export function placeOf(name: number): number {
  const place = PLACES.get(name);
  if (place === undefined) throw new Error(`register 0x${name.toString(16)} is not handed over`);
  return place;
}

/** Place of a register in {@link REGISTERS}. */
export function registerIndex(name: string): number {
  const index = NAMES.indexOf(name);
  if (index < 0) throw new Error(`no register ${name}`);
  return index;
}
