import { DoubtedPages } from './doubt.ts';

/** Cells that tell of each look at one of them; those of a machine that began mid-life are counted as well. */
export class HeardPages extends DoubtedPages {
  readonly #read: (cell: number) => void;

  constructor(read: (cell: number) => void) {
    super();
    this.#read = read;
  }

  override get(cell: number): bigint {
    this.#read(cell);
    return super.get(cell);
  }

  override low(cell: number): number {
    this.#read(cell);
    return super.low(cell);
  }

  override high(cell: number): number {
    this.#read(cell);
    return super.high(cell);
  }
}
