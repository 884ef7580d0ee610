/** Operands of the x87 unit in memory: numbers of 2 to 10 bytes, and areas. */
import type { Instruction } from '../instruction.ts';
import type { Machine } from '../machine.ts';
import { load, probeStore, store } from '../memory.ts';
import { effectiveAddress } from '../operands.ts';
import { type Extended, ofParts, upperWord } from './extended.ts';

/** Reads whole words of 4 bytes, and one of 2 at the end where there is one. */
export function read(m: Machine, i: Instruction, bytes: number, from = 0): bigint {
  const offset = effectiveAddress(m, i) + from;
  let value = 0n;
  for (let at = 0; at < bytes; at += 4) {
    const size = Math.min(4, bytes - at);
    value |= BigInt(load(m, i.segment, offset + at, size) >>> 0) << BigInt(8 * at);
  }
  return value;
}

/** Leaves unless all of an area can be written. */
export function probe(m: Machine, i: Instruction, bytes: number): void {
  probeStore(m, i.segment, effectiveAddress(m, i), bytes);
}

/** As `read`; nothing is written unless all can be. */
export function write(m: Machine, i: Instruction, bytes: number, value: bigint, from = 0): void {
  const offset = effectiveAddress(m, i) + from;
  probeStore(m, i.segment, offset, bytes);
  for (let at = 0; at < bytes; at += 4) {
    const size = Math.min(4, bytes - at);
    const word = BigInt.asIntN(32, value >> BigInt(8 * at));
    store(m, i.segment, offset + at, size, size === 4 ? Number(word) : Number(word & 0xffffn));
  }
}

/** The 10 bytes of a register in memory. */
export const bitsOf = (value: Extended): bigint => (BigInt(upperWord(value)) << 64n) | value.significand;

export const ofBits = (bits: bigint): Extended =>
  ofParts(Number((bits >> 64n) & 0xffffn), BigInt.asUintN(64, bits));
