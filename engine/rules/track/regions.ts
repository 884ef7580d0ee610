import type { Moment } from '../open-finding.ts';

/** Guest frames that a program has mapped at once. */
export interface Region {
  readonly first: bigint;
  readonly pages: bigint;
  /** In the program. */
  readonly address: bigint;
  /** When it was mapped. */
  readonly moment: Moment;
}

/** Regions that are followed for a partition; of those beyond nothing is known. */
const MAX_REGIONS = 4096;

/** The regions of guest memory of one partition. */
export class Regions {
  /** The step in which the partition was created, if that is in the trace. */
  readonly since: number | undefined;
  #regions: Region[] = [];
  #full = false;

  constructor(since: number | undefined) {
    this.since = since;
  }

  /** There were more than are followed. */
  get isFull(): boolean {
    return this.#full;
  }

  add(region: Region): void {
    if (this.#regions.length < MAX_REGIONS) this.#regions.push(region);
    else this.#full = true;
  }

  /** What lies in a range is mapped no more. */
  remove(region: Region): void {
    this.#regions = this.#regions.filter((other) => !overlap(region, other));
  }

  /** Those that share a frame with a range, in the order in which they were mapped. */
  overlapping(region: Region): readonly Region[] {
    return this.#regions.filter((other) => overlap(region, other));
  }

  /** Whether just this was mapped. */
  has({ first, pages, address }: Region): boolean {
    return this.#regions.some(
      (other) => other.first === first && other.pages === pages && other.address === address,
    );
  }
}

/** So many partitions are followed before it is looked which of them are gone. */
const FEW = 512;

/** The regions of each partition, for as long as it is known. */
export class RegionTable {
  readonly #createdIn: (partition: bigint) => number | undefined;
  readonly #regions = new Map<bigint, Regions>();
  #most = FEW;

  /** `createdIn` gives the step in which a partition that is known now was created. */
  constructor(createdIn: (partition: bigint) => number | undefined) {
    this.#createdIn = createdIn;
  }

  get size(): number {
    return this.#regions.size;
  }

  /** A number that is given again is another partition. */
  of(partition: bigint): Regions {
    const created = this.#createdIn(partition);
    const known = this.#regions.get(partition);
    if (known !== undefined && known.since === created) return known;
    if (this.#regions.size >= this.#most) this.#forgetGone();
    const made = new Regions(created);
    this.#regions.set(partition, made);
    return made;
  }

  clear(): void {
    this.#regions.clear();
  }

  #forgetGone(): void {
    for (const [id, { since }] of this.#regions) if (this.#createdIn(id) !== since) this.#regions.delete(id);
    this.#most = Math.max(FEW, this.#regions.size * 2);
  }
}

function overlap(a: Region, b: Region): boolean {
  return a.first < b.first + b.pages && b.first < a.first + a.pages;
}
