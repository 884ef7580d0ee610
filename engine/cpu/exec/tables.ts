import type { Instruction } from '../instruction.ts';
import type { Machine } from '../machine.ts';

/** Base and limit of a descriptor table, as its register holds them. */
export interface TableRegister {
  readonly base: number;
  readonly limit: number;
}

/** SGDT, SIDT, LGDT and LIDT, which differ between the modes in how the operand is stored and loaded alone (Intel SDM 2). */
export function tableInstructions(
  storeTable: (m: Machine, i: Instruction, base: number, limit: number) => void,
  loadTable: (m: Machine, i: Instruction) => TableRegister,
) {
  return {
    sgdt(m: Machine, i: Instruction): void {
      storeTable(m, i, m.gdtBase, m.gdtLimit);
    },
    sidt(m: Machine, i: Instruction): void {
      storeTable(m, i, m.idtBase, m.idtLimit);
    },
    lgdt(m: Machine, i: Instruction): void {
      const { base, limit } = loadTable(m, i);
      m.gdtLimit = limit;
      m.gdtBase = base;
    },
    lidt(m: Machine, i: Instruction): void {
      const { base, limit } = loadTable(m, i);
      m.idtLimit = limit;
      m.idtBase = base;
    },
  };
}
