import { DoubtedPages } from './doubt.ts';

/** Cells that tell of each look at one of them; those of a machine that began mid-life are counted as well. */
export class HeardPages extends DoubtedPages {
  readonly #read: (cell: number) => void;

  constructor(read: (cell: number) => void) {
    super();
    this.#read = read;
  }

  protected override seen(cell: number): void {
    this.#read(cell);
    super.seen(cell);
  }
}
