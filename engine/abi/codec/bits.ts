import type { BitField, Display } from '../lookup/bit-fields.ts';
import { msrs } from '../lookup/msrs.ts';

/** A bit field with what stands in it. */
export interface BitValue {
  readonly name: string;
  readonly lsb: number;
  readonly width: number;
  readonly display: Display;
  readonly reserved: boolean;
  readonly value: bigint;
}

/** Takes a value apart. Bits that no field names come as one field each run, named `bits_13_3` (lsb, width). */
export function decodeBits(fields: readonly BitField[], value: bigint, widthBits = 64): BitValue[] {
  const values: BitValue[] = [];
  const add = (field: Omit<BitValue, 'value'>): void => {
    const mask = (1n << BigInt(field.width)) - 1n;
    values.push({ ...field, value: (value >> BigInt(field.lsb)) & mask });
  };
  let next = 0;
  const gap = (end: number): void => {
    if (end <= next) return;
    const width = end - next;
    add({ name: `bits_${next}_${width}`, lsb: next, width, display: 'hex', reserved: true });
  };
  for (const { name, lsb, width, display, reserved } of fields) {
    gap(lsb);
    add({ name, lsb, width, display, reserved });
    next = lsb + width;
  }
  gap(widthBits);
  return values;
}

/** Inverse of {@link decodeBits}. */
export function encodeBits(values: readonly Pick<BitValue, 'lsb' | 'width' | 'value'>[]): bigint {
  let word = 0n;
  for (const { lsb, width, value } of values) word |= BigInt.asUintN(width, value) << BigInt(lsb);
  return word;
}

/** The bit fields of an MSR's value; empty where its value is a plain number or nobody knows the MSR. */
export function decodeMsr(address: number, value: bigint): BitValue[] {
  const row = msrs.find(address);
  return row === undefined || row.bits.length === 0 ? [] : decodeBits(row.bits, value);
}

/**
 * Puts an MSR's value together from members by name; members not given are 0. An unknown member or MSR is a
 * mistake of the programmer and throws.
 */
export function encodeMsr(msr: string, members: Readonly<Record<string, number | bigint | boolean>>): bigint {
  const row = msrs.named(msr);
  if (row === undefined) throw new Error(`no MSR is called ${msr}`);
  let word = 0n;
  for (const [name, value] of Object.entries(members)) {
    const bit = row.bits.find((candidate) => candidate.name === name);
    if (bit === undefined) throw new Error(`${row.name} has no field ${name}`);
    word |= BigInt.asUintN(bit.width, BigInt(value)) << BigInt(bit.lsb);
  }
  return word;
}
