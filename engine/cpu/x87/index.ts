/** The x87 unit: what the opcodes D8 to DF and WAIT do (Intel SDM 2, tables ). */
import { type Instruction, MEMORY } from '../instruction.ts';
import { CR0_EM, CR0_MP, CR0_NE, CR0_TS, type Machine, MF, NM, RAX, UD } from '../machine.ts';
import {
  compareFlags,
  compareNumber,
  compareRegister,
  conditionalMove,
  exchange,
  freeRegister,
  OPERATIONS,
  pushRegister,
  special,
  storeAndPop,
  storeRegister,
  withNumber,
  withRegister,
} from './compute.ts';
import { loadEnvironment, restoreAll, saveAll, storeEnvironment } from './environment.ts';
import type { Extended } from './extended.ts';
import { transcendental } from './functions.ts';
import { read, write } from './operands.ts';
import type { Calculation } from './round.ts';
import * as transfer from './transfer.ts';
import { begin, C1, clearExceptions, initialize, isPending, pop, setControl, turn } from './unit.ts';

/** Opcodes from D8 on, as the decoder numbers them. */
const D9 = 1;
const DA = 2;
const DB = 3;
const DD = 5;
const DE = 6;
const DF = 7;

/** Operations by ModRM.reg. */
const FCOM = 2;
const FCOMP = 3;

/** An exception that is pending comes before the next instruction that waits for it (Intel SDM 1, 8.7). */
export function waitForExceptions(m: Machine, i: Instruction): void {
  if (!isPending(m)) return;
  if ((m.cr0 & CR0_NE) !== 0) m.fault(MF);
  m.leave({ kind: 'unsupported', what: 'x87 exceptions without CR0.NE', instructionLength: i.length });
}

/** WAIT; #NM where the guest watches it too (Intel SDM 2, WAIT). */
export function wait(m: Machine, i: Instruction): void {
  if ((m.cr0 & CR0_MP) !== 0 && (m.cr0 & CR0_TS) !== 0) m.fault(NM);
  waitForExceptions(m, i);
}

/** #NM where the guest asked for it. */
export function coprocessor(m: Machine, i: Instruction): void {
  if ((m.cr0 & (CR0_EM | CR0_TS)) !== 0) m.fault(NM);
  m.fpTouched = true;
  const reg = i.reg & 7;
  if (i.rm === MEMORY) {
    if (!storesState(m, i, reg)) inMemory(m, i, reg);
    return;
  }
  const rm = (i.size === 2 ? i.rm >> 2 : i.rm >> 1) & 7;
  if (isUndefined(i.kind, reg, rm)) m.fault(UD);
  if (!controls(m, i, reg, rm)) inRegisters(m, i, reg, rm);
}

/** Forms of registers that are no instruction. */
function isUndefined(opcode: number, reg: number, rm: number): boolean {
  switch (opcode) {
    case D9:
      return reg === 2 ? rm !== 0 : reg === 4 ? [2, 3, 6, 7].includes(rm) : reg === 5 && rm === 7;
    case DA:
      return reg >= 4 && !(reg === 5 && rm === 1);
    case DB:
      return reg === 7 || (reg === 4 && rm > 4);
    case DD:
      return reg > 5;
    case DE:
      return reg === 3 && rm !== 1;
    case DF:
      return reg === 7 || (reg === 4 && rm !== 0);
    default:
      return false;
  }
}

/** What stores the state in memory does not wait. */
function storesState(m: Machine, i: Instruction, reg: number): boolean {
  if (i.kind === D9 && reg === 6) storeEnvironment(m, i);
  else if (i.kind === D9 && reg === 7) write(m, i, 2, BigInt(m.fpControl));
  else if (i.kind === DD && reg === 6) saveAll(m, i);
  else if (i.kind === DD && reg === 7) write(m, i, 2, BigInt(m.fpStatus));
  else return false;
  return true;
}

/** FNCLEX, FNINIT, FNSTSW AX, and those of older units that do nothing: they do not wait. */
function controls(m: Machine, i: Instruction, reg: number, rm: number): boolean {
  if (i.kind === DB && reg === 4) {
    if (rm === 2) clearExceptions(m);
    else if (rm === 3) initialize(m);
    return true;
  }
  if (i.kind !== DF || reg !== 4 || rm !== 0) return false;
  m.g16[4 * RAX] = m.fpStatus;
  return true;
}

function inMemory(m: Machine, i: Instruction, reg: number): void {
  const execute = MEMORY_FORMS[8 * i.kind + reg];
  if (execute === undefined) m.fault(UD);
  waitForExceptions(m, i);
  execute(m, i);
}

type Form = (m: Machine, i: Instruction) => void;

/** Arithmetic and comparisons with an operand of memory. */
function arithmetic(reg: number, operandOf: (m: Machine, i: Instruction, c: Calculation) => Extended): Form {
  const operation = OPERATIONS[reg];
  return (m, i) => {
    const c = begin(m);
    const operand = operandOf(m, i, c);
    if (operation !== undefined) withNumber(m, c, operation, operand);
    else if (compareNumber(m, c, operand) && reg === FCOMP) pop(m);
  };
}

const allOperations = (
  operandOf: (m: Machine, i: Instruction, c: Calculation) => Extended,
): readonly (Form | undefined)[] => OPERATIONS.map((_, reg) => arithmetic(reg, operandOf));

const wholes = (bytes: 2 | 4): readonly Form[] => [
  (m, i) => transfer.loadWhole(m, i, bytes),
  (m, i) => transfer.storeTruncated(m, i, bytes),
  (m, i) => transfer.storeWhole(m, i, bytes, false),
  (m, i) => transfer.storeWhole(m, i, bytes, true),
];
const numbers = (bytes: 4 | 8): readonly (Form | undefined)[] => [
  (m, i) => transfer.loadNumber(m, i, bytes),
  bytes === 8 ? (m, i) => transfer.storeTruncated(m, i, 8) : undefined,
  (m, i) => transfer.storeNumber(m, i, bytes, false),
  (m, i) => transfer.storeNumber(m, i, bytes, true),
];

/** Eight for each opcode, by ModRM.reg. */
const MEMORY_FORMS: readonly (Form | undefined)[] = [
  ...allOperations((m, i, c) => transfer.numberOf(m, i, c, 4)),
  ...[
    ...numbers(4),
    loadEnvironment,
    (m: Machine, i: Instruction) => setControl(m, Number(read(m, i, 2))),
    undefined,
    undefined,
  ],
  ...allOperations((m, i) => transfer.wholeOf(m, i, 4)),
  ...[...wholes(4), undefined, transfer.loadExtended, undefined, transfer.storeExtended],
  ...allOperations((m, i, c) => transfer.numberOf(m, i, c, 8)),
  ...[...numbers(8), restoreAll, undefined, undefined, undefined],
  ...allOperations((m, i) => transfer.wholeOf(m, i, 2)),
  ...[
    ...[...wholes(2), transfer.loadDecimal, (m: Machine, i: Instruction) => transfer.loadWhole(m, i, 8)],
    ...[transfer.storeDecimal, (m: Machine, i: Instruction) => transfer.storeWhole(m, i, 8, true)],
  ],
];

type RegisterForm = (m: Machine, reg: number, rm: number) => void;

function inRegisters(m: Machine, i: Instruction, reg: number, rm: number): void {
  waitForExceptions(m, i);
  if (i.kind === D9 && reg >= 4) constantOrFunction(m, 0xc0 | (reg << 3) | rm);
  else REGISTER_FORMS[i.kind]!(m, reg, rm);
}

/** D9 E0 to D9 FF. */
function constantOrFunction(m: Machine, code: number): void {
  if (special(m, code) || transcendental(m, code)) return;
  // FDECSTP and FINCSTP are left.
  turn(m, code === 0xf6 ? -1 : 1);
  m.fpStatus &= ~C1;
}

const toTop: RegisterForm = (m, reg, rm) => {
  const operation = OPERATIONS[reg];
  if (operation !== undefined) withRegister(m, operation, 0, rm, false);
  else compareRegister(m, rm, false, reg - FCOM);
};

/** In these forms subtraction and division have changed places with their reversed ones: ST(i) is the destination. */
const fromTop =
  (pops: boolean): RegisterForm =>
  (m, reg, rm) => {
    const operation = OPERATIONS[reg < 4 ? reg : reg ^ 1];
    if (operation !== undefined) withRegister(m, operation, rm, 0, pops);
    else if (!pops) compareRegister(m, rm, false, reg - FCOM);
    else if (reg === FCOM) compareRegister(m, rm, false, 1);
    // FCOMPP
    else compareRegister(m, 1, false, 2);
  };

const REGISTER_FORMS: readonly RegisterForm[] = [
  toTop,
  (m, reg, rm) => {
    // What is left is FNOP.
    if (reg === 0) pushRegister(m, rm);
    else if (reg === 1) exchange(m, rm);
    else if (reg === 3) storeAndPop(m, rm);
  },
  (m, reg, rm) => {
    if (reg < 4) conditionalMove(m, reg, false, rm);
    // FUCOMPP
    else compareRegister(m, 1, true, 2);
  },
  (m, reg, rm) => {
    if (reg < 4) conditionalMove(m, reg, true, rm);
    else compareFlags(m, rm, reg === 5, false);
  },
  fromTop(false),
  (m, reg, rm) => {
    if (reg === 0) freeRegister(m, rm);
    else if (reg === 1) exchange(m, rm);
    else if (reg < 4) storeRegister(m, rm, reg === 3);
    else compareRegister(m, rm, true, reg - 4);
  },
  fromTop(true),
  (m, reg, rm) => {
    if (reg === 0) {
      freeRegister(m, rm);
      pop(m);
    } else if (reg === 1) exchange(m, rm);
    else if (reg < 4) storeRegister(m, rm, true);
    else compareFlags(m, rm, reg === 5, true);
  },
];
