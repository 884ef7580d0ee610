import { sameBytes } from '../../abi/index.ts';
import { type ByteReader, type ByteWriter, Malformed } from './bytes.ts';

/** The texts of a chunk, each once, by the order of their first use. */
export class TextTable {
  private readonly numbers = new Map<string, number>();

  numberOf(text: string): number {
    const known = this.numbers.get(text);
    if (known !== undefined) return known;
    const number = this.numbers.size;
    this.numbers.set(text, number);
    return number;
  }

  write(writer: ByteWriter): void {
    writer.uint(this.numbers.size);
    for (const text of this.numbers.keys()) writer.text(text);
  }
}

export function readTexts(reader: ByteReader): string[] {
  const texts: string[] = [];
  for (let left = reader.count(); left > 0; left -= 1) texts.push(reader.text());
  return texts;
}

/** FNV-1a over the bytes: only sorts candidates into buckets, equality is compared. */
function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c_9dc5;
  for (let i = 0; i < bytes.length; i += 1) hash = Math.imul(hash ^ (bytes[i] as number), 0x0100_0193);
  return hash >>> 0;
}

/** The payloads of a chunk, each once. */
export class PayloadTable {
  private readonly buckets = new Map<number, number[]>();
  private readonly payloads: Uint8Array[] = [];

  numberOf(bytes: Uint8Array): number {
    const hash = hashOf(bytes);
    const bucket = this.buckets.get(hash);
    const known = bucket?.find((number) => sameBytes(this.payloads[number] as Uint8Array, bytes));
    if (known !== undefined) return known;
    const number = this.payloads.push(bytes) - 1;
    if (bucket === undefined) this.buckets.set(hash, [number]);
    else bucket.push(number);
    return number;
  }

  /** Lengths first, then the bytes: like stands beside like, which compresses better. */
  write(writer: ByteWriter): void {
    writer.uint(this.payloads.length);
    for (const payload of this.payloads) writer.uint(payload.length);
    for (const payload of this.payloads) writer.raw(payload);
  }
}

/** The payloads as views of the reader's bytes. */
export function readPayloads(reader: ByteReader): Uint8Array[] {
  const lengths: number[] = [];
  for (let left = reader.count(); left > 0; left -= 1) lengths.push(reader.uint());
  return lengths.map((length) => reader.raw(length));
}

/** The entry of a table that a column names. */
export function entry<T>(table: readonly T[], number: number): T {
  const value = table[number];
  if (value === undefined) throw new Malformed('a column names what its table does not have');
  return value;
}
