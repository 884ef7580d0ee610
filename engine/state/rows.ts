/** A table that is read by its rows; an array is one. */
export interface Rows<T> extends Iterable<T> {
  readonly length: number;
  at(index: number): T | undefined;
  slice(from?: number, to?: number): readonly T[];
}

/** A table whose rows are made when they are asked for. */
export abstract class MadeRows<T> implements Rows<T> {
  abstract get length(): number;

  /** The row at an index that is in the table. */
  protected abstract made(index: number): T;

  at(index: number): T | undefined {
    const place = index < 0 ? index + this.length : index;
    return place < 0 || place >= this.length ? undefined : this.made(place);
  }

  slice(from = 0, to = this.length): T[] {
    const [first, end] = [Math.max(0, from), Math.min(to, this.length)];
    return Array.from({ length: Math.max(0, end - first) }, (_, i) => this.made(first + i));
  }

  *[Symbol.iterator](): Iterator<T> {
    for (let index = 0; index < this.length; index++) yield this.made(index);
  }
}
