import { addressOf } from './libc.ts';

/**
 * Memory whose address system calls are given. It stands outside the JavaScript heap, so it does not move; it has to be
 * kept in a variable that is read later, or it is collected while the kernel still writes to it.
 */
export class Arena {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly address: number;

  constructor(length: number) {
    const buffer = new ArrayBuffer(length);
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
    this.address = addressOf(this.bytes);
  }

  setU64(offset: number, value: number): void {
    this.view.setUint32(offset, value >>> 0, true);
    this.view.setUint32(offset + 4, Math.floor(value / 2 ** 32), true);
  }

  /** A 64-bit word as a number: exact below 2^53, and above that still above it. */
  u64(offset: number): number {
    return this.view.getUint32(offset, true) + this.view.getUint32(offset + 4, true) * 2 ** 32;
  }

  /** Puts a NUL-terminated text at `offset` and returns its address. */
  text(offset: number, text: string): number {
    const bytes = new TextEncoder().encode(text);
    this.bytes.set(bytes, offset);
    this.bytes[offset + bytes.length] = 0;
    return this.address + offset;
  }
}
