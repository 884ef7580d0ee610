import { registers } from '../../../engine/abi/index.ts';

const NAMES = [
  ...['RAX', 'RCX', 'RDX', 'RBX', 'RSP', 'RBP', 'RSI', 'RDI'],
  ...['R8', 'R9', 'R10', 'R11', 'R12', 'R13', 'R14', 'R15', 'RIP', 'RFLAGS'],
  ...['ES', 'CS', 'SS', 'DS', 'FS', 'GS', 'LDTR', 'TR', 'IDTR', 'GDTR'],
  ...['CR0', 'CR2', 'CR3', 'CR4', 'CR8', 'DR0', 'DR1', 'DR2', 'DR3', 'DR6', 'DR7'],
];

/** The registers that the processor works with, in the order in which they are handed to and fro. */
export const REGISTERS: readonly number[] = NAMES.map((name) => registers.number(`HV_X64_REGISTER_${name}`));

/** Place of a register in {@link REGISTERS}. */
export function registerIndex(name: string): number {
  const index = NAMES.indexOf(name);
  if (index < 0) throw new Error(`no register ${name}`);
  return index;
}
