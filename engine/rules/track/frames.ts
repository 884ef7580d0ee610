import { type FieldHandle, readHigh32, readU32 } from '../../abi/index.ts';

/** Frames that follow each other, and what is known of them all. */
interface Run<T> {
  readonly first: bigint;
  /** The frame behind the last. */
  readonly end: bigint;
  readonly value: T;
}

/** Runs that are kept; of what comes beyond nothing is known. */
const MAX_RUNS = 8192;

/** A set of page frames, each with a value; what was put in last counts. */
export class Frames<T> {
  /** In the order of frames; no two share one. */
  #runs: Run<T>[] = [];
  #full = false;

  /** There was more than is kept: a frame that is not found may be one of the set. */
  get isFull(): boolean {
    return this.#full;
  }

  add(first: bigint, count: bigint, value: T): void {
    if (count <= 0n) return;
    const before = this.#runs[this.#indexAt(first) - 1];
    // A list in order is one run.
    if (
      before?.end === first &&
      before.value === value &&
      this.#indexAt(first) === this.#indexAt(first + count)
    ) {
      this.#runs[this.#indexAt(first) - 1] = { ...before, end: first + count };
      return;
    }
    this.remove(first, count);
    if (this.#runs.length >= MAX_RUNS) this.#full = true;
    else this.#runs.splice(this.#indexAt(first), 0, { first, end: first + count, value });
  }

  remove(first: bigint, count: bigint): void {
    const end = first + count;
    const from = this.#firstTouching(first);
    let to = from;
    const left: Run<T>[] = [];
    for (let run = this.#runs[to]; run !== undefined && run.first < end; run = this.#runs[++to]) {
      if (run.first < first) left.push({ ...run, end: first });
      if (run.end > end) left.push({ ...run, first: end });
    }
    if (to > from) this.#runs.splice(from, to - from, ...left);
  }

  clear(): void {
    this.#runs = [];
    this.#full = false;
  }

  get isEmpty(): boolean {
    return this.#runs.length === 0;
  }

  get(frame: bigint): T | undefined {
    const run = this.#runs[this.#firstTouching(frame)];
    return run !== undefined && run.first <= frame ? run.value : undefined;
  }

  /** Index of the first run that ends behind a frame. */
  #firstTouching(frame: bigint): number {
    let [low, high] = [0, this.#runs.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#runs[middle] as Run<T>).end <= frame) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Index of the first run that begins at a frame or behind it. */
  #indexAt(frame: bigint): number {
    let [low, high] = [0, this.#runs.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#runs[middle] as Run<T>).first < frame) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** A frame of a list, as a number: frames have 52 bits. */
function frameAt(bytes: Uint8Array, list: FieldHandle, index: number): number {
  return readHigh32(bytes, list, index) * 0x1_0000_0000 + readU32(bytes, list, index);
}

/** The frames of a list, elements `from` to `to`, as runs: pages mostly follow each other. */
export function eachRun(
  bytes: Uint8Array,
  list: FieldHandle,
  from: number,
  to: number,
  visit: (first: bigint, count: bigint) => void,
): void {
  for (let i = from; i < to; ) {
    const first = frameAt(bytes, list, i);
    let count = 1;
    while (++i < to && frameAt(bytes, list, i) === first + count) count++;
    visit(BigInt(first), BigInt(count));
  }
}
