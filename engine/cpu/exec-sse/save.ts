/** FXSAVE and FXRSTOR, MXCSR, and the instructions beside them that only order accesses. */
import type { Instruction } from '../instruction.ts';
import { CR0_EM, CR0_TS, GP, type Machine, NM } from '../machine.ts';
import { load, probeStore, store } from '../memory.ts';
import { effectiveAddress } from '../operands.ts';
import { ready } from './operands.ts';

/** Offsets in the area of 512 bytes (Intel SDM 1, table 10-2). */
const STATUS = 2;
const MXCSR = 24;
const MXCSR_MASK = 28;
const STACK = 32;
const STACK_BYTES = 128;
const XMM = 160;
const SAVED_BYTES = 416;

/** Bits of MXCSR that exist. */
const MXCSR_BITS = 0xffff;

function area(m: Machine, i: Instruction): number {
  if ((m.cr0 & (CR0_EM | CR0_TS)) !== 0) m.fault(NM);
  const at = effectiveAddress(m, i);
  if (((m.bases[i.segment]! + at) & 15) !== 0) m.fault(GP, 0);
  return at;
}

/** Registers 8 to 15 are those of 64-bit code. */
const xmmWords = (m: Machine): number => (m.code64 ? 64 : 32);

/** The x87 stack is empty here; what FXRSTOR brought of it is kept as it was. */
export function fxsave(m: Machine, i: Instruction): void {
  const at = area(m, i);
  probeStore(m, i.segment, at, SAVED_BYTES);
  const put = (offset: number, value: number): void => store(m, i.segment, at + offset, 4, value);
  put(0, m.fpControl | (m.fpStatus << 16));
  for (let offset = 4; offset < MXCSR; offset += 4) put(offset, 0);
  put(MXCSR, m.mxcsr);
  put(MXCSR_MASK, MXCSR_BITS);
  for (let n = 0; n < STACK_BYTES; n += 4) put(STACK + n, m.fpStack[n / 4]!);
  for (let n = 0; n < xmmWords(m); n += 1) put(XMM + 4 * n, m.x32[n]!);
}

export function fxrstor(m: Machine, i: Instruction): void {
  const at = area(m, i);
  const get = (offset: number, size = 4): number => load(m, i.segment, at + offset, size);
  const mxcsr = get(MXCSR);
  if ((mxcsr & ~MXCSR_BITS) !== 0) m.fault(GP, 0);
  const stack = Int32Array.from({ length: STACK_BYTES / 4 }, (_, n) => get(STACK + 4 * n));
  const xmm = Int32Array.from({ length: xmmWords(m) }, (_, n) => get(XMM + 4 * n));
  m.fpControl = get(0, 2);
  m.fpStatus = get(STATUS, 2);
  m.mxcsr = mxcsr;
  m.fpStack.set(stack);
  m.x32.set(xmm);
  m.xmmTouched = true;
}

export function ldmxcsr(m: Machine, i: Instruction): void {
  ready(m);
  const value = load(m, i.segment, effectiveAddress(m, i), 4);
  if ((value & ~MXCSR_BITS) !== 0) m.fault(GP, 0);
  m.mxcsr = value;
}

export function stmxcsr(m: Machine, i: Instruction): void {
  ready(m);
  store(m, i.segment, effectiveAddress(m, i), 4, m.mxcsr);
}

/** LFENCE, MFENCE, SFENCE: accesses are in order anyhow. */
export function fence(): void {}

/** CLFLUSH: there are no caches; the line must be readable. */
export function clflush(m: Machine, i: Instruction): void {
  load(m, i.segment, effectiveAddress(m, i), 1);
}
