/** Delivery of exceptions and interrupts through the vector table or the descriptor table (Intel SDM 3, 6.12; 20.1.4). */
import { deliverLong } from '../exec64/interrupts.ts';
import { AC, IF, NT, overflow, RF, readFlags, TF, VM } from '../flags.ts';
import type { Instruction } from '../instruction.ts';
import {
  BP,
  BR,
  CS,
  DB,
  DE,
  DOUBLE_FAULT,
  type EventSource,
  Fault,
  GP,
  type Machine,
  NP,
  OVERFLOW,
  PAGE_FAULT,
  STACK_FAULT,
  TS,
} from '../machine.ts';
import { load, loadSystem } from '../memory.ts';
import { effectiveAddress, offsetFrom, readReg, signed } from '../operands.ts';
import { PRESENT, setRealSegment } from '../segment-state.ts';
import { enterCode } from './enter-code.ts';
import { pushAll, pushedFlags } from './frames.ts';
import { enterInner } from './inner-stack.ts';
import { dplOf, isCode, isConforming, readDescriptor, selectorError } from './segments.ts';
import { needIopl3 } from './stack.ts';
import { interruptToTask } from './tasks.ts';

/** Calls the handler of `vector`; the return address is `m.ip`. Faults and exits leave the state as it was. */
export function deliver(m: Machine, vector: number, source: EventSource, error?: number): void {
  if (m.longMode) deliverLong(m, vector, source, error);
  else if (m.protectedMode) deliverProtected(m, vector, source, error);
  else deliverReal(m, vector);
}

function deliverReal(m: Machine, vector: number): void {
  if (vector * 4 + 3 > m.idtLimit) m.fault(GP);
  const at = m.idtBase + vector * 4;
  const ip = loadSystem(m, at >>> 0, 2);
  const selector = loadSystem(m, (at + 2) >>> 0, 2);
  pushAll(m, [readFlags(m), m.selectors[CS]!, m.ip], 2);
  m.flags &= ~(IF | TF | AC | RF);
  setRealSegment(m, CS, selector);
  m.ip = ip;
}

const INTERRUPT_GATE_32 = 14;
const TRAP_GATE_32 = 15;
const INTERRUPT_GATE_16 = 6;
const TRAP_GATE_16 = 7;
const TASK_GATE = 5;

function deliverProtected(m: Machine, vector: number, source: EventSource, error: number | undefined): void {
  const ext = source === 'software' ? 0 : 1;
  const gateError = vector * 8 + 2 + ext;
  if (vector * 8 + 7 > m.idtLimit) m.fault(GP, gateError);
  const at = (m.idtBase + vector * 8) >>> 0;
  const low = loadSystem(m, at, 4);
  const high = loadSystem(m, (at + 4) >>> 0, 4);
  const attributes = (high >>> 8) & 0xff;
  const type = attributes & 0x1f;
  const wide = type === INTERRUPT_GATE_32 || type === TRAP_GATE_32;
  const known = wide || type === INTERRUPT_GATE_16 || type === TRAP_GATE_16 || type === TASK_GATE;
  if (!known) m.fault(GP, gateError);
  if (source === 'software' && dplOf(attributes) < m.cpl) m.fault(GP, gateError);
  if ((attributes & PRESENT) === 0) m.fault(NP, gateError);

  const selector = low >>> 16;
  if (type === TASK_GATE) {
    interruptToTask(m, selector, ext, error);
    return;
  }
  if ((selector & 0xfffc) === 0) m.fault(GP, ext);
  const d = readDescriptor(m, selector, GP, ext);
  const dpl = dplOf(d.attributes);
  if (!isCode(d.attributes) || dpl > m.cpl) m.fault(GP, selectorError(selector) + ext);
  if ((d.attributes & PRESENT) === 0) m.fault(NP, selectorError(selector) + ext);

  const size = wide ? 4 : 2;
  const ip = wide ? ((high & 0xffff0000) | (low & 0xffff)) >>> 0 : low & 0xffff;
  if (ip > d.limit) m.fault(GP, ext);
  const frame = [pushedFlags(m, vector, source), m.selectors[CS]!, m.ip];
  if (error !== undefined) frame.push(error);
  const sameLevel = isConforming(d.attributes) || dpl === m.cpl;
  // Out of virtual-8086 mode only to level 0.
  if (m.virtual8086 && (sameLevel || dpl !== 0)) m.fault(GP, selectorError(selector) + ext);
  if (sameLevel) {
    pushAll(m, frame, size);
    enterCode(m, d, m.cpl, ip);
  } else enterInner(m, d, dpl, ip, frame, size, ext);
  m.flags &= ~(TF | NT | RF | VM);
  if (type === INTERRUPT_GATE_32 || type === INTERRUPT_GATE_16) m.flags &= ~IF;
}

/** Exceptions that make a double fault of an exception that meets another (Intel SDM 3, table 6-5). */
const CONTRIBUTORY: readonly number[] = [DE, TS, NP, STACK_FAULT, GP];

function makesDoubleFault(first: number, second: number): boolean {
  if (CONTRIBUTORY.includes(second)) return CONTRIBUTORY.includes(first) || first === PAGE_FAULT;
  return second === PAGE_FAULT && first === PAGE_FAULT;
}

/**
 * Delivers an exception, and those that its delivery raises. False: a triple fault, the processor shuts down.
 * Real mode has no error codes: the caller's are dropped there.
 */
export function deliverException(m: Machine, vector: number, error: number | undefined): boolean {
  let current = vector;
  let code = error;
  for (;;) {
    try {
      deliver(m, current, 'exception', code);
      return true;
    } catch (stopped) {
      if (!(stopped instanceof Fault)) throw stopped;
      m.faultInNewTask = false;
      if (current === DOUBLE_FAULT) return false;
      if (makesDoubleFault(current, m.faultVector)) {
        current = DOUBLE_FAULT;
        code = 0;
      } else {
        current = m.faultVector;
        code = m.faultError;
      }
    }
  }
}

export function int(m: Machine, i: Instruction): void {
  if (m.virtual8086) needIopl3(m);
  deliver(m, i.imm & 0xff, 'software');
}

/** INT1 asks for no right, as what the processor raises itself (Intel SDM 2, INT n). */
export function int1(m: Machine): void {
  deliver(m, DB, 'external');
}

export function int3(m: Machine): void {
  deliver(m, BP, 'software');
}

export function into(m: Machine): void {
  if (overflow(m) !== 0) deliver(m, OVERFLOW, 'software');
}

export function bound(m: Machine, i: Instruction): void {
  const at = effectiveAddress(m, i);
  const index = signed(readReg(m, i), i.size);
  const low = signed(load(m, i.segment, at, i.size), i.size);
  const high = signed(load(m, i.segment, offsetFrom(i, at, i.size), i.size), i.size);
  if (index < low || index > high) m.fault(BR);
}
