/** What a number takes at most. */
const MOST_BYTES = 5;

/** Numbers of up to 32 bits (signed: differences of two of them) as bytes, seven bits each, low ones first. */
export class ByteWriter {
  #bytes: Uint8Array;
  #length = 0;

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(Math.max(64, capacity));
  }

  byte(value: number): void {
    if (this.#length === this.#bytes.length) this.#grow();
    this.#bytes[this.#length] = value;
    this.#length += 1;
  }

  unsigned(value: number): void {
    let rest = value >>> 0;
    while (rest > 0x7f) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  /** Twice the value, or one less than twice its absolute where it is negative. */
  signed(value: number): void {
    let rest = value < 0 ? -2 * value - 1 : 2 * value;
    while (rest > 0x7f) {
      this.byte((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.byte(rest);
  }

  /** Many numbers, each as {@link unsigned} writes it: in one loop, which is compiled after a few of them. */
  column(values: Uint32Array): void {
    const bytes = this.#room(values.length * MOST_BYTES);
    let at = this.#length;
    for (let i = 0; i < values.length; i += 1) {
      let rest = values[i] as number;
      for (; rest > 0x7f; rest >>>= 7) bytes[at++] = (rest & 0x7f) | 0x80;
      bytes[at++] = rest;
    }
    this.#length = at;
  }

  /** What each number is more than the one before it, as {@link signed} writes it. */
  differences(values: Uint32Array): void {
    const bytes = this.#room(values.length * MOST_BYTES);
    let at = this.#length;
    for (let i = 0, last = 0; i < values.length; i += 1) {
      const value = values[i] as number;
      let rest = value < last ? 2 * (last - value) - 1 : 2 * (value - last);
      for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes[at++] = (rest % 0x80) | 0x80;
      bytes[at++] = rest;
      last = value;
    }
    this.#length = at;
  }

  append(bytes: Uint8Array): void {
    this.#room(bytes.length).set(bytes, this.#length);
    this.#length += bytes.length;
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #room(more: number): Uint8Array {
    while (this.#length + more > this.#bytes.length) this.#grow();
    return this.#bytes;
  }

  #grow(): void {
    const wider = new Uint8Array(this.#bytes.length * 2);
    wider.set(this.#bytes);
    this.#bytes = wider;
  }
}

/** Reads them back. Any bytes give numbers; behind the end there are zeros, and {@link ended} is false. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Exactly all bytes were read. */
  get ended(): boolean {
    return this.#at === this.#bytes.length;
  }

  byte(): number {
    const byte = this.#bytes[this.#at] ?? 0;
    this.#at += 1;
    return byte;
  }

  unsigned(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    return value >>> 0;
  }

  signed(): number {
    let value = 0;
    let weight = 1;
    for (let i = 0; i < 5; i += 1) {
      const byte = this.byte();
      value += (byte & 0x7f) * weight;
      weight *= 0x80;
      if (byte < 0x80) break;
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}
