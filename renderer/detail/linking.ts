import type { FieldView } from '../../engine/app/api.ts';

/** Bytes of a buffer from its hex text. */
export function bytesOf(hex: string): number[] {
  return (hex.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16));
}

/** The most closely fitting field that has the byte: the smallest, and of equal ones the innermost. */
export function fieldOfByte(fields: readonly FieldView[], byte: number): number | undefined {
  let best: number | undefined;
  for (const [i, field] of fields.entries()) {
    if (!hasByte(field, byte)) continue;
    const now = best === undefined ? undefined : fields[best];
    if (now === undefined || bitsOf(field) <= bitsOf(now)) best = i;
  }
  return best;
}

/** The field that has a bit (counted from bit 0 of the word at `offset`). */
export function fieldOfBit(fields: readonly FieldView[], word: Word, bit: number): number | undefined {
  const found = fields.findLastIndex(
    ({ offset, size, lsb, width }) =>
      offset === word.offset &&
      size === word.size &&
      lsb !== undefined &&
      width !== undefined &&
      bit >= lsb &&
      bit < lsb + width,
  );
  return found === -1 ? undefined : found;
}

/** Whether a byte of the buffer holds a part of the field; bit fields lie in some bytes of their word only. */
export function hasByte(field: FieldView, byte: number): boolean {
  const { offset, size, lsb, width } = field;
  if (lsb === undefined || width === undefined) return byte >= offset && byte < offset + size;
  return byte >= offset + Math.floor(lsb / 8) && byte <= offset + Math.floor((lsb + width - 1) / 8);
}

function bitsOf({ size, width }: FieldView): number {
  return width ?? size * 8;
}

/** A little-endian word that holds bit fields. */
export interface Word {
  readonly offset: number;
  readonly size: number;
}

/** The words of a buffer that hold bit fields, in order. */
export function bitWords(fields: readonly FieldView[]): Word[] {
  const words = new Map<string, Word>();
  for (const { offset, size, lsb } of fields) {
    if (lsb !== undefined && size <= 8) words.set(`${offset}/${size}`, { offset, size });
  }
  return [...words.values()].sort((a, b) => a.offset - b.offset || a.size - b.size);
}

/** Bits of a little-endian word, highest first. */
export function bitsOfWord(
  bytes: readonly number[],
  { offset, size }: Word,
): { bit: number; set: boolean }[] {
  return Array.from({ length: size * 8 }, (_, i) => {
    const bit = size * 8 - 1 - i;
    return { bit, set: (((bytes[offset + (bit >> 3)] ?? 0) >> (bit & 7)) & 1) === 1 };
  });
}

/** Last part of a field's path: what the row shows below its parent. */
export function lastName(path: string): string {
  return /(?:\[[^\]]*\]|[^.[\]]+)$/.exec(path)?.[0] ?? path;
}
