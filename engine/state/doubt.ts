import { CellPages } from './cells.ts';

/**
 * Cells of a machine that was up before its recording began: counts the reads of those that are not known. What is worked
 * out of such a read may be wrong.
 */
export class DoubtedPages extends CellPages {
  doubts = 0;

  override get(cell: number): bigint {
    this.seen(cell);
    return super.get(cell);
  }

  override low(cell: number): number {
    this.seen(cell);
    return super.low(cell);
  }

  override high(cell: number): number {
    this.seen(cell);
    return super.high(cell);
  }

  /** Somebody looks at a cell. */
  protected seen(cell: number): void {
    if (!this.known(cell)) this.doubts++;
  }
}
