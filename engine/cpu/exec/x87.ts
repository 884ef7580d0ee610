/**
 * The x87 unit without its stack: what firmware and loaders ask before they use it (FNINIT, control and status word). All
 * other instructions of it are an exit that says so.
 */
import { type Instruction, MEMORY } from '../instruction.ts';
import { CR0_EM, CR0_MP, CR0_TS, type Machine, NM, RAX } from '../machine.ts';
import { load, store } from '../memory.ts';
import { effectiveAddress, registerIndex } from '../operands.ts';

/** Rounds to nearest with 64 bits, all exceptions masked (Intel SDM 1, table 8-1: FNINIT). */
const INITIAL_CONTROL = 0x37f;
/** Exceptions, stack fault, summary, busy: what FNCLEX takes away. */
const EXCEPTIONS = 0x80ff;
/** Control word: bits that exist, and one that always reads as 1. */
const CONTROL_BITS = 0x1f3f;
const CONTROL_ONE = 0x40;

/** Opcodes from D8 on, as the decoder numbers them. */
const D9 = 1;
const DB = 3;
const DD = 5;
const DF = 7;

function inMemory(m: Machine, i: Instruction): boolean {
  const at = (): number => effectiveAddress(m, i);
  if (i.kind === D9 && i.reg === 5) m.fpControl = (load(m, i.segment, at(), 2) & CONTROL_BITS) | CONTROL_ONE;
  else if (i.kind === D9 && i.reg === 7) store(m, i.segment, at(), 2, m.fpControl);
  else if (i.kind === DD && i.reg === 7) store(m, i.segment, at(), 2, m.fpStatus);
  else return false;
  return true;
}

function inRegisters(m: Machine, i: Instruction): boolean {
  const rm = [0, 1, 2, 3, 4, 5, 6, 7].find((r) => registerIndex(r, i.size) === i.rm);
  if (i.kind === DB && i.reg === 4 && rm === 2) m.fpStatus &= ~EXCEPTIONS;
  else if (i.kind === DB && i.reg === 4 && rm === 3) {
    m.fpControl = INITIAL_CONTROL;
    m.fpStatus = 0;
    m.fpRest = 0n;
  } else if (i.kind === DF && i.reg === 4 && rm === 0) m.g16[4 * RAX] = m.fpStatus;
  else return false;
  return true;
}

/** #NM where the guest asked for it. */
export function coprocessor(m: Machine, i: Instruction): void {
  if ((m.cr0 & (CR0_EM | CR0_TS)) !== 0) m.fault(NM);
  if (i.rm === MEMORY ? inMemory(m, i) : inRegisters(m, i)) return;
  m.leave({ kind: 'unsupported', what: 'x87 instruction', instructionLength: i.length });
}

/** WAIT: no exception is ever pending; #NM where the guest watches it too (Intel SDM 2, WAIT). */
export function wait(m: Machine): void {
  if ((m.cr0 & CR0_MP) !== 0 && (m.cr0 & CR0_TS) !== 0) m.fault(NM);
}
