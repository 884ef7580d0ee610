/** Numbers that a seed repeats (xorshift32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    // Spreads small seeds; 0 would stay 0.
    this.#state = (Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995) | 0 || 1;
  }

  u32(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return x >>> 0;
  }

  below(limit: number): number {
    return this.u32() % limit;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  /** Numbers at whose edges instructions go wrong, and any others. */
  value(): number {
    switch (this.below(4)) {
      case 0:
        return this.pick([
          0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffe,
        ]);
      case 1:
        return this.below(256);
      default:
        return this.u32();
    }
  }

  /** The same of 64 bits. */
  value64(): bigint {
    const low = BigInt(this.value());
    switch (this.below(4)) {
      case 0:
        return low;
      case 1:
        return BigInt.asUintN(64, BigInt.asIntN(32, low));
      default:
        return (BigInt(this.value()) << 32n) | low;
    }
  }
}
