import { highHalf, lowHalf, wholeOf } from './halves.ts';
import type { Field, FieldType, StructLayout } from './layout.ts';
import { layoutOfType, structOf } from './structs.ts';

/**
 * Where one field of a struct stands, for code that reads a few fields of many buffers. `width` is undefined
 * for whole bytes; else the field is `width` bits from bit `lsb` of the `size` bytes at `offset`. In an array,
 * element i stands `stride` bytes further than element i - 1; 0 outside one. `length`: bytes of the whole field,
 * all elements of an array of fixed length included.
 */
export interface FieldHandle {
  readonly offset: number;
  readonly size: number;
  readonly length: number;
  readonly stride: number;
  readonly lsb: number;
  readonly width: number | undefined;
  readonly signed: boolean;
}

function member(
  layout: StructLayout,
  name: string,
): { field: Field; bit: Field['bits'][number] | undefined } {
  for (const field of layout.fields) {
    if (field.name === name) return { field, bit: undefined };
    const bit = field.bits.find((candidate) => candidate.name === name);
    if (bit !== undefined) return { field, bit };
  }
  throw new Error(`${layout.name} has no field ${name}`);
}

function elementSize(type: FieldType): number {
  switch (type.kind) {
    case 'integer':
      return type.bytes;
    case 'array':
      return (type.count ?? 0) * elementSize(type.element);
    default:
      return layoutOfType(type)?.size ?? 0;
  }
}

/**
 * The place of `path` (`vp_index`, `proximity_domain_info.domain_id`, `elements.name`, `control.level_triggered`)
 * in the struct; through an array it is the place in element 0. A name that does not exist is a mistake of the
 * programmer and throws.
 */
export function fieldOf(struct: string, path: string): FieldHandle {
  let layout = structOf(struct);
  let offset = 0;
  let stride = 0;
  const names = path.split('.');
  for (let i = 0; ; i++) {
    const { field, bit } = member(layout, names[i] as string);
    offset += field.offset;
    let type = field.type;
    const isMessage = field.display === 'message';
    if (type.kind === 'array' && !isMessage) {
      type = type.element;
      stride = elementSize(type);
    }
    if (i === names.length - 1) {
      const signed = type.kind === 'integer' && type.signed;
      const place = { offset, size: elementSize(type), length: field.size, stride };
      return bit === undefined
        ? { ...place, lsb: 0, width: undefined, signed }
        : { ...place, lsb: bit.lsb, width: bit.width, signed: false };
    }
    const inner = isMessage ? structOf('hv_message') : layoutOfType(type);
    if (inner === undefined || bit !== undefined)
      throw new Error(`${struct}.${path}: ${names[i]} has no members`);
    layout = inner;
  }
}

function u32At(bytes: Uint8Array, at: number): number {
  if (at + 4 > bytes.length) return u32BeyondEnd(bytes, at);
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  );
}

function u32BeyondEnd(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] ?? 0) |
      ((bytes[at + 1] ?? 0) << 8) |
      ((bytes[at + 2] ?? 0) << 16) |
      ((bytes[at + 3] ?? 0) << 24)) >>>
    0
  );
}

function unsignedAt(bytes: Uint8Array, at: number, size: number): number {
  if (size >= 4) return u32At(bytes, at);
  return size === 1 ? (bytes[at] ?? 0) : (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
}

/**
 * A field of at most 32 bits (of a wider one the low 32), of element `index` in an array. Bytes beyond the end
 * of the buffer read as 0.
 */
export function readU32(bytes: Uint8Array, field: FieldHandle, index = 0): number {
  const at = field.offset + index * field.stride;
  if (field.width === undefined) {
    const value = unsignedAt(bytes, at, field.size);
    return field.signed ? value | 0 : value;
  }
  if (field.lsb + field.width <= 32) {
    const value = unsignedAt(bytes, at, field.size) >>> field.lsb;
    return field.width === 32 ? value : value & ((1 << field.width) - 1);
  }
  return lowHalf(readU64(bytes, field, index));
}

/** A field of at most 64 bits; bytes beyond the end of the buffer read as 0. */
export function readU64(bytes: Uint8Array, field: FieldHandle, index = 0): bigint {
  const at = field.offset + index * field.stride;
  const low = unsignedAt(bytes, at, field.size);
  const high = field.size >= 8 ? u32At(bytes, at + 4) : 0;
  const value = wholeOf(low, high);
  if (field.width !== undefined) return BigInt.asUintN(field.width, value >> BigInt(field.lsb));
  return field.signed ? BigInt.asIntN(field.size * 8, value) : value;
}

/** The 32 bits above those of {@link readU32}, of a whole field: 0 where it has no more. */
export function readHigh32(bytes: Uint8Array, field: FieldHandle, index = 0): number {
  return field.size >= 8 ? u32At(bytes, field.offset + index * field.stride + 4) : 0;
}

/** The low 32 bits of a value. */
function lowWord(value: number | bigint): number {
  return typeof value === 'bigint' ? lowHalf(value) : value | 0;
}

/** The 32 bits above them. */
function highWord(value: number | bigint): number {
  return typeof value === 'bigint' ? highHalf(value) : Math.floor(value / 0x1_0000_0000) | 0;
}

/** The first `size` bytes of a word, at most 4. */
function writeWord(bytes: Uint8Array, at: number, word: number, size: number): void {
  bytes[at] = word;
  if (size > 1) bytes[at + 1] = word >>> 8;
  if (size < 4) {
    if (size === 3) bytes[at + 2] = word >>> 16;
    return;
  }
  bytes[at + 2] = word >>> 16;
  bytes[at + 3] = word >>> 24;
}

/**
 * Writes a field; what does not fit in it is cut off. The bytes must be there: a place beyond the end of the
 * buffer is a mistake of the programmer and throws.
 */
export function writeField(bytes: Uint8Array, field: FieldHandle, value: number | bigint, index = 0): void {
  const at = field.offset + index * field.stride;
  const { size, width, lsb } = field;
  if (at + size > bytes.length) throw new Error(`field at ${at} in a buffer of ${bytes.length} bytes`);
  if (width === undefined && size <= 8) {
    writeWord(bytes, at, lowWord(value), size);
    if (size > 4) writeWord(bytes, at + 4, highWord(value), size - 4);
  } else if (width !== undefined && lsb + width <= 32) {
    const mask = (width === 32 ? -1 : (1 << width) - 1) << lsb;
    const word = (unsignedAt(bytes, at, size) & ~mask) | ((lowWord(value) << lsb) & mask);
    writeWord(bytes, at, word, size);
  } else {
    writeWide(bytes, field, at, BigInt(value));
  }
}

/** A bit field that reaches beyond 32 bits, or more than 8 bytes. */
function writeWide(bytes: Uint8Array, { size, width, lsb }: FieldHandle, at: number, value: bigint): void {
  let word = value;
  if (width !== undefined) {
    const mask = ((1n << BigInt(width)) - 1n) << BigInt(lsb);
    let old = 0n;
    for (let i = size - 1; i >= 0; i--) old = (old << 8n) | BigInt(bytes[at + i] as number);
    word = (old & ~mask) | ((value << BigInt(lsb)) & mask);
  }
  for (let i = 0; i < size; i += 8, word >>= 64n) {
    writeWord(bytes, at + i, lowHalf(word), Math.min(4, size - i));
    if (size - i > 4) writeWord(bytes, at + i + 4, highHalf(word), Math.min(4, size - i - 4));
  }
}
