import type { PageBytes, RegisterValue } from '../../../engine/trace/event.ts';

/** What a list of parts looks like as one payload; all numbers little-endian. */

/** Register: name (u32), value (128 bits). */
const REGISTER_BYTES = 4 + 16;
/** Part of a page: offset (u32), number of bytes (u32), then these. */
const PART_HEAD_BYTES = 8;

export function writeRegisters(registers: readonly RegisterValue[]): Uint8Array {
  const bytes = new Uint8Array(registers.length * REGISTER_BYTES);
  const view = new DataView(bytes.buffer);
  registers.forEach(({ name, value }, i) => {
    view.setUint32(i * REGISTER_BYTES, name, true);
    view.setBigUint64(i * REGISTER_BYTES + 4, BigInt.asUintN(64, value), true);
    view.setBigUint64(i * REGISTER_BYTES + 12, value >> 64n, true);
  });
  return bytes;
}

export function readRegisters(bytes: Uint8Array): RegisterValue[] | undefined {
  if (bytes.length % REGISTER_BYTES !== 0) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const registers: RegisterValue[] = [];
  for (let at = 0; at < bytes.length; at += REGISTER_BYTES) {
    const value = (view.getBigUint64(at + 12, true) << 64n) | view.getBigUint64(at + 4, true);
    registers.push({ name: view.getUint32(at, true), value });
  }
  return registers;
}

export function writePageParts(parts: readonly PageBytes[]): Uint8Array {
  const size = parts.reduce((sum, part) => sum + PART_HEAD_BYTES + part.bytes.length, 0);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const part of parts) {
    view.setUint32(at, part.offset, true);
    view.setUint32(at + 4, part.bytes.length, true);
    bytes.set(part.bytes, at + PART_HEAD_BYTES);
    at += PART_HEAD_BYTES + part.bytes.length;
  }
  return bytes;
}

export function readPageParts(bytes: Uint8Array): PageBytes[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const parts: PageBytes[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (at + PART_HEAD_BYTES > bytes.length) return undefined;
    const start = at + PART_HEAD_BYTES;
    const end = start + view.getUint32(at + 4, true);
    if (end > bytes.length) return undefined;
    parts.push({ offset: view.getUint32(at, true), bytes: bytes.slice(start, end) });
    at = end;
  }
  return parts;
}
