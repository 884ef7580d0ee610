/** Holds a message and most inputs without growing. */
const INITIAL_BYTES = 256;

/**
 * A buffer that grows and knows which bits were set. Members of a union may all be given as long as they agree:
 * `put` says whether they do.
 */
export class ByteWriter {
  #bytes = new Uint8Array(INITIAL_BYTES);
  #written = new Uint8Array(INITIAL_BYTES);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Makes the buffer at least that long; the new bytes are 0 and nobody's. */
  extend(length: number): void {
    if (length <= this.#length) return;
    if (length > this.#bytes.length) {
      const capacity = Math.max(length, 2 * this.#bytes.length);
      const bytes = new Uint8Array(capacity);
      const written = new Uint8Array(capacity);
      bytes.set(this.#bytes.subarray(0, this.#length));
      written.set(this.#written.subarray(0, this.#length));
      this.#bytes = bytes;
      this.#written = written;
    }
    this.#length = length;
  }

  /** Sets the bits of `mask` in one byte; false when one of them has been set to something else before. */
  #putByte(at: number, mask: number, value: number): boolean {
    const before = this.#bytes[at] as number;
    const known = (this.#written[at] as number) & mask;
    if (((before ^ value) & known) !== 0) return false;
    this.#bytes[at] = (before & ~mask) | (value & mask);
    this.#written[at] = (this.#written[at] as number) | mask;
    return true;
  }

  /** Writes `width` bits from bit `lsb` of the `size`-byte little-endian integer at `offset`. */
  put(offset: number, size: number, lsb: number, width: number, value: bigint): boolean {
    this.extend(offset + size);
    if (size <= 4) {
      // Below 2^32 numbers do; the whole of a 32-bit mask needs the unsigned shift.
      const mask = width === 32 ? 0xffff_ffff : ((1 << width) - 1) << lsb;
      return this.#putSmall(offset, size, mask, Number(value) << lsb);
    }
    if (lsb === 0 && width === 64) {
      const low = this.#putSmall(offset, 4, 0xffff_ffff, Number(value & 0xffff_ffffn) | 0);
      return this.#putSmall(offset + 4, 4, 0xffff_ffff, Number(value >> 32n) | 0) && low;
    }
    let mask = ((1n << BigInt(width)) - 1n) << BigInt(lsb);
    let word = value << BigInt(lsb);
    let agrees = true;
    for (let i = 0; i < size; i++) {
      const byteMask = Number(mask & 0xffn);
      if (byteMask !== 0) agrees = this.#putByte(offset + i, byteMask, Number(word & 0xffn)) && agrees;
      mask >>= 8n;
      word >>= 8n;
    }
    return agrees;
  }

  #putSmall(offset: number, size: number, mask: number, value: number): boolean {
    let agrees = true;
    for (let i = 0; i < size; i++) {
      const byteMask = (mask >>> (8 * i)) & 0xff;
      if (byteMask !== 0) agrees = this.#putByte(offset + i, byteMask, (value >>> (8 * i)) & 0xff) && agrees;
    }
    return agrees;
  }

  putBytes(offset: number, bytes: Uint8Array): boolean {
    this.extend(offset + bytes.length);
    let agrees = true;
    for (let i = 0; i < bytes.length; i++)
      agrees = this.#putByte(offset + i, 0xff, bytes[i] as number) && agrees;
    return agrees;
  }

  /** Takes over what another writer has been given; false when it disagrees with what this one has. */
  include(offset: number, other: ByteWriter): boolean {
    this.extend(offset + other.#length);
    let agrees = true;
    for (let i = 0; i < other.#length; i++) {
      const mask = other.#written[i] as number;
      if (mask !== 0) agrees = this.#putByte(offset + i, mask, other.#bytes[i] as number) && agrees;
    }
    return agrees;
  }

  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }
}
