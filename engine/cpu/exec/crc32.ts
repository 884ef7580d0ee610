/** CRC32: the checksum of Castagnoli's polynomial, bits in the order of iSCSI (Intel SDM 2, CRC32). */
import type { Instruction } from '../instruction.ts';
import type { Machine } from '../machine.ts';
import { readRm, writeRegister } from '../operands.ts';
import { readRm8 } from '../wide-operands.ts';
import { narrowSource } from './moves.ts';

/** 11EDC6F41h with its bits turned round, without the highest. */
const POLYNOMIAL = 0x82f63b78;

const table = Int32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit += 1) rest = (rest >>> 1) ^ ((rest & 1) !== 0 ? POLYNOMIAL : 0);
  return rest;
});

function add(checksum: number, value: number, bytes: number): number {
  let rest = checksum ^ value;
  for (let n = 0; n < bytes; n += 1) rest = (rest >>> 8) ^ table[rest & 0xff]!;
  return rest;
}

/** Of `kind` bytes, else of the operand size; the destination has 4 bytes, and 8 whose upper half becomes 0. */
export function crc32(m: Machine, i: Instruction): void {
  // The index of a register of 2 bytes is twice that of one of 4.
  const register = i.size === 2 ? i.reg / 2 : i.reg;
  const before = m.g32[register]!;
  let checksum: number;
  if (i.kind === 1) checksum = add(before, narrowSource(m, i), 1);
  else if (i.size === 8) {
    const low = readRm8(m, i);
    checksum = add(add(before, low, 4), m.high, 4);
  } else checksum = add(before, readRm(m, i), i.size);
  writeRegister(m, register, 4, checksum);
}
