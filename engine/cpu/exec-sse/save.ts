/** FXSAVE and FXRSTOR, MXCSR, and the instructions beside them that only order accesses. */
import type { Instruction } from '../instruction.ts';
import { CR0_EM, CR0_TS, GP, type Machine, NM } from '../machine.ts';
import { load, probeStore, signed64, store } from '../memory.ts';
import { effectiveAddress } from '../operands.ts';
import { loadWords } from '../x87/unit.ts';
import { ready } from './operands.ts';

/** Offsets in the area of 512 bytes (Intel SDM 1, table 10-2). */
const STATUS = 2;
const TAGS = 4;
const LAST_OPCODE = 6;
const LAST_INSTRUCTION = 8;
const LAST_OPERAND = 16;
const MXCSR = 24;
const MXCSR_MASK = 28;
const STACK = 32;
const STACK_BYTES = 128;
/** A register of the x87 unit has 10 bytes of its 16. */
const REGISTER_WORDS = [-1, -1, 0xffff, 0];
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

type Put = (offset: number, value: number) => void;
const putter =
  (m: Machine, segment: number, at: number): Put =>
  (offset, value) =>
    store(m, segment, at + offset, 4, value);

/** The x87 unit's part of an area of FXSAVE or XSAVE; that it can be written is known. */
export function saveUnit(m: Machine, segment: number, at: number): void {
  const put = putter(m, segment, at);
  put(0, m.fpControl | (m.fpStatus << 16));
  const put64 = (offset: number, value: bigint): void => {
    put(offset, Number(BigInt.asIntN(32, value)));
    put(offset + 4, Number(BigInt.asIntN(32, value >> 32n)));
  };
  put(TAGS, m.fpTags | (Number(m.fpLast & 0xffffn) << 16));
  put64(LAST_INSTRUCTION, m.fpLast >> 16n);
  put64(LAST_OPERAND, m.fpData);
  for (let n = 0; n < STACK_BYTES; n += 4) put(STACK + n, m.fpStack[n / 4]!);
}

/** MXCSR and the bits that it has. */
export function saveControl(m: Machine, segment: number, at: number): void {
  const put = putter(m, segment, at);
  put(MXCSR, m.mxcsr);
  put(MXCSR_MASK, MXCSR_BITS);
}

/** The XMM registers. */
export function saveVectors(m: Machine, segment: number, at: number): void {
  const put = putter(m, segment, at);
  for (let n = 0; n < xmmWords(m); n += 1) put(XMM + 4 * n, m.x32[n]!);
}

export function fxsave(m: Machine, i: Instruction): void {
  const at = area(m, i);
  probeStore(m, i.segment, at, SAVED_BYTES);
  saveUnit(m, i.segment, at);
  saveControl(m, i.segment, at);
  saveVectors(m, i.segment, at);
}

export function checkedMxcsr(m: Machine, segment: number, at: number): number {
  const mxcsr = load(m, segment, at + MXCSR, 4);
  if ((mxcsr & ~MXCSR_BITS) !== 0) m.fault(GP, 0);
  return mxcsr;
}

/** The counterparts; they read all before they change anything. */
export function loadUnit(m: Machine, segment: number, at: number): void {
  const get = (offset: number, size = 4): number => load(m, segment, at + offset, size);
  const stack = Int32Array.from(
    { length: STACK_BYTES / 4 },
    (_, n) => get(STACK + 4 * n) & REGISTER_WORDS[n & 3]!,
  );
  const get64 = (offset: number): bigint => BigInt.asUintN(64, signed64(get(offset), get(offset + 4)));
  m.fpLast = (get64(LAST_INSTRUCTION) << 16n) | BigInt(get(LAST_OPCODE, 2) & 0x7ff);
  m.fpData = get64(LAST_OPERAND);
  m.fpTags = get(TAGS, 1);
  loadWords(m, get(0, 2), get(STATUS, 2));
  m.fpStack.set(stack);
  m.fpTouched = true;
}

export function loadVectors(m: Machine, segment: number, at: number): void {
  m.x32.set(Int32Array.from({ length: xmmWords(m) }, (_, n) => load(m, segment, at + XMM + 4 * n, 4)));
  m.xmmTouched = true;
}

export function fxrstor(m: Machine, i: Instruction): void {
  const at = area(m, i);
  const mxcsr = checkedMxcsr(m, i.segment, at);
  // Whatever of it is missing is found before anything changes.
  for (let n = 0; n < XMM + 4 * xmmWords(m); n += 4) load(m, i.segment, at + n, 4);
  loadUnit(m, i.segment, at);
  loadVectors(m, i.segment, at);
  m.mxcsr = mxcsr;
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
