/** What a lane holds in one bucket. */
export interface Bucket {
  readonly bucket: number;
  readonly count: number;
  readonly failed: number;
  readonly derived: number;
  /** The first event: its number, and what the caller noted of it. */
  readonly seq: number;
  readonly place: number;
}

/** Sums of every lane and bucket, in flat arrays: a million events are counted within some milliseconds. */
export class Buckets {
  readonly #buckets: number;
  readonly #count: Uint32Array;
  readonly #failed: Uint32Array;
  readonly #derived: Uint32Array;
  readonly #seq: Uint32Array;
  readonly #place: Int32Array;

  constructor(lanes: number, buckets: number) {
    this.#buckets = buckets;
    this.#count = new Uint32Array(lanes * buckets);
    this.#failed = new Uint32Array(lanes * buckets);
    this.#derived = new Uint32Array(lanes * buckets);
    this.#seq = new Uint32Array(lanes * buckets);
    this.#place = new Int32Array(lanes * buckets);
  }

  /** Adds `count` events of which `seq` is the first. */
  add(
    lane: number,
    bucket: number,
    count: number,
    failed: number,
    derived: number,
    seq: number,
    place: number,
  ): void {
    const i = lane * this.#buckets + bucket;
    if (this.#count[i] === 0 || seq < (this.#seq[i] as number)) {
      this.#seq[i] = seq;
      this.#place[i] = place;
    }
    (this.#count[i] as number) += count;
    (this.#failed[i] as number) += failed;
    (this.#derived[i] as number) += derived;
  }

  /** Non-empty buckets of a lane. */
  lane(lane: number): Bucket[] {
    const found: Bucket[] = [];
    for (let bucket = 0; bucket < this.#buckets; bucket++) {
      const i = lane * this.#buckets + bucket;
      const count = this.#count[i] as number;
      if (count === 0) continue;
      found.push({
        ...{ bucket, count, failed: this.#failed[i] as number, derived: this.#derived[i] as number },
        ...{ seq: this.#seq[i] as number, place: this.#place[i] as number },
      });
    }
    return found;
  }
}
