/** Delivery of exceptions and interrupts through the vector table or the descriptor table (Intel SDM 3, 6.12; 20.1.4). */
import { deliverLong } from '../exec64/interrupts.ts';
import { AC, IF, NT, overflow, RF, readFlags, TF, VM } from '../flags.ts';
import type { Instruction } from '../instruction.ts';
import {
  BP,
  BR,
  CS,
  DE,
  DOUBLE_FAULT,
  type EventSource,
  Fault,
  GP,
  type Machine,
  NP,
  OVERFLOW,
  PAGE_FAULT,
  SS,
  STACK_FAULT,
  TR,
  TS,
} from '../machine.ts';
import { load, loadSystem } from '../memory.ts';
import { effectiveAddress, readReg, setStackPointer, signed } from '../operands.ts';
import { PRESENT, setRealSegment, setSegment } from '../segment-state.ts';
import { enterCode, pushAll } from './far.ts';
import {
  type Descriptor,
  dplOf,
  isCode,
  isConforming,
  markAccessed,
  readDescriptor,
  selectorError,
} from './segments.ts';

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

function deliverProtected(m: Machine, vector: number, source: EventSource, error: number | undefined): void {
  const ext = source === 'software' ? 0 : 1;
  const gateError = vector * 8 + 2 + ext;
  if (vector * 8 + 7 > m.idtLimit) m.fault(GP, gateError);
  const at = (m.idtBase + vector * 8) >>> 0;
  const low = loadSystem(m, at, 4);
  const high = loadSystem(m, (at + 4) >>> 0, 4);
  const attributes = (high >>> 8) & 0xff;
  const type = attributes & 0x1f;
  if (type === 5) m.leave({ kind: 'unsupported', what: 'task gate', instructionLength: 0 });
  const wide = type === INTERRUPT_GATE_32 || type === TRAP_GATE_32;
  if (!wide && type !== INTERRUPT_GATE_16 && type !== TRAP_GATE_16) m.fault(GP, gateError);
  if (source === 'software' && dplOf(attributes) < m.cpl) m.fault(GP, gateError);
  if ((attributes & PRESENT) === 0) m.fault(NP, gateError);

  const selector = low >>> 16;
  if ((selector & 0xfffc) === 0) m.fault(GP, ext);
  const d = readDescriptor(m, selector);
  const dpl = dplOf(d.attributes);
  if (!isCode(d.attributes) || dpl > m.cpl) m.fault(GP, selectorError(selector) + ext);
  if ((d.attributes & PRESENT) === 0) m.fault(NP, selectorError(selector) + ext);

  const size = wide ? 4 : 2;
  const ip = wide ? ((high & 0xffff0000) | (low & 0xffff)) >>> 0 : low & 0xffff;
  if (ip > d.limit) m.fault(GP, ext);
  const frame = [readFlags(m), m.selectors[CS]!, m.ip];
  if (error !== undefined) frame.push(error);
  if (isConforming(d.attributes) || dpl === m.cpl) {
    pushAll(m, frame, size);
    enterCode(m, d, m.cpl, ip);
  } else enterInner(m, d, dpl, ip, frame, size);
  m.flags &= ~(TF | NT | RF | VM);
  if (type === INTERRUPT_GATE_32 || type === INTERRUPT_GATE_16) m.flags &= ~IF;
}

const TSS_32_BUSY = 11;

/** Switches to the stack that the TSS names for the inner level, and pushes the outer one first. */
function enterInner(
  m: Machine,
  code: Descriptor,
  level: number,
  ip: number,
  frame: readonly number[],
  size: number,
): void {
  if ((m.attributes[TR]! & 0x1f) !== TSS_32_BUSY)
    m.leave({ kind: 'unsupported', what: 'inner stack of a 16-bit TSS', instructionLength: 0 });
  const slot = 4 + level * 8;
  if (slot + 7 > m.limits[TR]!) m.fault(TS, selectorError(m.selectors[TR]!));
  const sp = loadSystem(m, (m.bases[TR]! + slot) >>> 0, 4);
  const selector = loadSystem(m, (m.bases[TR]! + slot + 4) >>> 0, 2);
  if ((selector & 0xfffc) === 0) m.fault(TS, 0);
  const d = readDescriptor(m, selector, TS);
  const writable = (d.attributes & 0x1a) === 0x12;
  const error = selectorError(selector);
  if ((selector & 3) !== level || dplOf(d.attributes) !== level || !writable) m.fault(TS, error);
  if ((d.attributes & PRESENT) === 0) m.fault(STACK_FAULT, error);

  const outer = {
    selector: m.selectors[SS]!,
    base: m.bases[SS]!,
    limit: m.limits[SS]!,
    attributes: m.attributes[SS]!,
    sp: m.g32[8]!,
  };
  setSegment(m, SS, selector, d.base, d.limit, markAccessed(m, d));
  setStackPointer(m, sp);
  try {
    pushAll(m, [outer.selector, outer.sp, ...frame], size);
    enterCode(m, code, level, ip);
  } catch (stopped) {
    setSegment(m, SS, outer.selector, outer.base, outer.limit, outer.attributes);
    m.g32[8] = outer.sp;
    throw stopped;
  }
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
  deliver(m, i.imm & 0xff, 'software');
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
  const high = signed(load(m, i.segment, ((at + i.size) & i.addressMask) >>> 0, i.size), i.size);
  if (index < low || index > high) m.fault(BR);
}
