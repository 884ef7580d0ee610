import type { Field, StructLayout } from '../layout/layout.ts';
import { layoutOfType } from '../layout/structs.ts';
import { tailOf } from '../layout/tail.ts';
import { strideOf } from './decode.ts';
import { isChosen, type Scope, unsignedAt } from './scope.ts';

/** Four bytes of a buffer in which some bits may be reserved. */
interface Word {
  readonly offset: number;
  readonly mask: number;
}

/** Where something may be reserved in the buffers of one layout. */
export interface ReservedBits {
  readonly words: readonly Word[];
  /** The same in each element of the list at the end, `stride` bytes each, which begins at `listFrom`; 0: no list. */
  readonly elementWords: readonly Word[];
  readonly listFrom: number;
  readonly stride: number;
}

/** A reserved member that is not zero. */
export interface SetReserved {
  /** `proximity_domain_info.flags.reserved`, `elements[1].reserved1` */
  readonly path: string;
  readonly offset: number;
  readonly size: number;
  /** All its bits are ones. */
  readonly full: boolean;
}

const known = new Map<StructLayout, ReservedBits>();

/**
 * Where bits may be reserved: of members that share bytes all are taken together, so that a buffer in which none of these bits is set
 * has no reserved one set, while one that has may be legal: {@link setReserved} tells.
 */
export function reservedBits(layout: StructLayout): ReservedBits {
  let bits = known.get(layout);
  if (bits === undefined) {
    const list = tailOf(layout).own;
    const element = list?.type.kind === 'array' ? list.type.element : undefined;
    const inner = element === undefined ? undefined : layoutOfType(element);
    bits = {
      words: wordsOf(layout),
      elementWords: inner === undefined ? [] : wordsOf(inner),
      listFrom: list?.offset ?? 0,
      stride: element === undefined ? 0 : strideOf(element),
    };
    known.set(layout, bits);
  }
  return bits;
}

/** Whether a bit is set that may be reserved. `variableHeaderBytes` stand before the list. */
export function mayHaveReservedSet(bits: ReservedBits, bytes: Uint8Array, variableHeaderBytes = 0): boolean {
  if (anySet(bits.words, bytes, 0)) return true;
  if (bits.elementWords.length === 0) return false;
  for (let at = bits.listFrom + variableHeaderBytes; at < bytes.length; at += bits.stride) {
    if (anySet(bits.elementWords, bytes, at)) return true;
  }
  return false;
}

function anySet(words: readonly Word[], bytes: Uint8Array, base: number): boolean {
  for (const { offset, mask } of words) {
    const at = base + offset;
    const word =
      (bytes[at] ?? 0) |
      ((bytes[at + 1] ?? 0) << 8) |
      ((bytes[at + 2] ?? 0) << 16) |
      ((bytes[at + 3] ?? 0) << 24);
    if ((word & mask) !== 0) return true;
  }
  return false;
}

function wordsOf(layout: StructLayout): readonly Word[] {
  const masks = new Uint8Array(Math.ceil(layout.size / 4) * 4);
  markStruct(layout, 0, masks);
  const words: Word[] = [];
  for (let offset = 0; offset < masks.length; offset += 4) {
    const mask =
      (masks[offset] as number) |
      ((masks[offset + 1] as number) << 8) |
      ((masks[offset + 2] as number) << 16) |
      ((masks[offset + 3] as number) << 24);
    if (mask !== 0) words.push({ offset, mask });
  }
  return words;
}

function markStruct(layout: StructLayout, base: number, masks: Uint8Array): void {
  if (layout.form === 'integer') return;
  for (const field of layout.fields) markField(field, base + field.offset, masks);
}

function markField(field: Field, at: number, masks: Uint8Array): void {
  if (field.reserved && !field.alternative) masks.fill(0xff, at, at + field.size);
  for (const { reserved, alternative, lsb, width } of field.bits) {
    if (!reserved || alternative) continue;
    for (let bit = lsb; bit < lsb + width; bit++) {
      const byte = at + (bit >> 3);
      if (byte < masks.length) masks[byte] = (masks[byte] as number) | (1 << (bit & 7));
    }
  }
  if (field.alternative || field.reserved) return;
  const { type } = field;
  const element = type.kind === 'array' ? type.element : type;
  const inner = layoutOfType(element);
  if (inner === undefined) return;
  const count = type.kind === 'array' ? (type.count ?? 0) : 1;
  for (let i = 0; i < count; i++) markStruct(inner, at + i * inner.size, masks);
}

/**
 * The reserved members that are not zero, of those that stand for their bytes. What no member names is padding of the
 * declaration, on which sources are silent.
 */
export function setReserved(
  layout: StructLayout,
  bytes: Uint8Array,
  variableHeaderBytes = 0,
): readonly SetReserved[] {
  const found: SetReserved[] = [];
  walk({ layout, bytes, base: 0, outer: undefined }, '', variableHeaderBytes, found);
  return found;
}

function walk(scope: Scope, within: string, variable: number, found: SetReserved[]): void {
  const { layout, bytes, base } = scope;
  if (layout.form === 'integer') return;
  const tail = tailOf(layout);
  for (const field of layout.fields) {
    const follows = field === tail.own && tail.nested !== undefined;
    const offset = base + field.offset + (follows ? variable : 0);
    if (offset >= bytes.length) continue;
    const chosen = isChosen(scope, field);
    if (field.name !== '' || chosen) bitsOf(field, bytes, offset, within, found);
    if (!chosen || field.name === '') continue;
    const path = within === '' ? field.name : `${within}.${field.name}`;
    if (field.reserved) whole(bytes, { path, offset, size: field.size }, found);
    else if (field.display !== 'message') inside(field, scope, path, offset, found);
  }
}

function inside({ type }: Field, scope: Scope, path: string, offset: number, found: SetReserved[]): void {
  const element = type.kind === 'array' ? type.element : type;
  const layout = layoutOfType(element);
  if (layout === undefined) return;
  const { bytes } = scope;
  if (type.kind !== 'array') {
    walk({ layout, bytes, base: offset, outer: scope }, path, 0, found);
    return;
  }
  const count = type.count ?? Math.floor((bytes.length - offset) / layout.size);
  for (let i = 0; i < count; i++) {
    walk({ layout, bytes, base: offset + i * layout.size, outer: scope }, `${path}[${i}]`, 0, found);
  }
}

function bitsOf(field: Field, bytes: Uint8Array, offset: number, within: string, found: SetReserved[]): void {
  for (const { name, lsb, width, reserved, alternative } of field.bits) {
    if (!reserved || alternative) continue;
    const value = BigInt.asUintN(width, unsignedAt(bytes, offset, field.size) >> BigInt(lsb));
    const path = within === '' ? name : `${within}.${name}`;
    if (value !== 0n) found.push({ path, offset, size: field.size, full: isOnes(value, width) });
  }
}

function whole(bytes: Uint8Array, at: Omit<SetReserved, 'full'>, found: SetReserved[]): void {
  const own = bytes.subarray(at.offset, at.offset + at.size);
  if (own.some((byte) => byte !== 0)) found.push({ ...at, full: own.every((byte) => byte === 0xff) });
}

function isOnes(value: bigint, width: number): boolean {
  return value === (1n << BigInt(width)) - 1n;
}
