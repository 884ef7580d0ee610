/** Thrown by the readers of packed bytes, caught where a header or chunk is read: never leaves this folder. */
export class Malformed extends Error {}

/** A buffer that grows; numbers go in as variable-length integers, seven bits a byte, low bits first. */
export class ByteWriter {
  private bytes = new Uint8Array(256);
  length = 0;

  private reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + count));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.length] = value;
    this.length += 1;
  }

  /** A whole number from 0 to 2^53 - 1. */
  uint(value: number): void {
    this.reserve(8);
    let rest = value;
    while (rest >= 0x8000_0000) {
      this.bytes[this.length] = (rest % 128) | 0x80;
      this.length += 1;
      rest = Math.floor(rest / 128);
    }
    while (rest >= 0x80) {
      this.bytes[this.length] = (rest & 0x7f) | 0x80;
      this.length += 1;
      rest >>>= 7;
    }
    this.bytes[this.length] = rest;
    this.length += 1;
  }

  /** An unsigned 64-bit integer, as its low and high half. */
  wide(low: number, high: number): void {
    this.reserve(10);
    let [lo, hi] = [low, high];
    while (hi > 0 || lo >= 0x80) {
      this.bytes[this.length] = (lo & 0x7f) | 0x80;
      this.length += 1;
      lo = ((lo >>> 7) | (hi << 25)) >>> 0;
      hi >>>= 7;
    }
    this.bytes[this.length] = lo;
    this.length += 1;
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Text as its UTF-16 units, so that any string comes back as it was (lone surrogates included). */
  text(value: string): void {
    this.uint(value.length);
    for (let i = 0; i < value.length; i += 1) this.uint(value.charCodeAt(i));
  }

  finish(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }
}

/** Reads what {@link ByteWriter} wrote; throws {@link Malformed} at the end of the bytes and on what cannot be. */
export class ByteReader {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;
  /** High half of the last {@link wide}. */
  high = 0;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  get left(): number {
    return this.end - this.at;
  }

  byte(): number {
    if (this.at >= this.end) throw new Malformed('the data ends too early');
    const value = this.bytes[this.at] as number;
    this.at += 1;
    return value;
  }

  uint(): number {
    let value = this.byte();
    if (value < 0x80) return value;
    value &= 0x7f;
    for (let factor = 0x80; ; factor *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      // Eight bytes hold 56 bits; more would be rounded.
      if (value > Number.MAX_SAFE_INTEGER) throw new Malformed('a number is larger than 2^53');
      if (byte < 0x80) return value;
      if (factor > 0x1_0000_0000_0000) throw new Malformed('a number has too many digits');
    }
  }

  /** Returns the low half of a 64-bit integer and leaves the high half in {@link high}. */
  wide(): number {
    let low = 0;
    let high = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else {
        if (shift === 63 && byte > 1) throw new Malformed('a number is larger than 2^64');
        high |= bits << (shift - 32);
      }
      if (byte < 0x80) {
        this.high = high >>> 0;
        return low >>> 0;
      }
    }
  }

  /** A count of things that take at least one byte each, so that nothing is allocated that the data cannot hold. */
  count(): number {
    const count = this.uint();
    if (count > this.left) throw new Malformed('a count is larger than the data');
    return count;
  }

  /** A view of the next `length` bytes, not a copy. */
  raw(length: number): Uint8Array {
    if (length > this.left) throw new Malformed('the data ends too early');
    const view = this.bytes.subarray(this.at, this.at + length);
    this.at += length;
    return view;
  }

  text(): string {
    const length = this.count();
    let text = '';
    for (let i = 0; i < length; i += 1) {
      const unit = this.uint();
      if (unit > 0xffff) throw new Malformed('not a UTF-16 unit');
      text += String.fromCharCode(unit);
    }
    return text;
  }
}
