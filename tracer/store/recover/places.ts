/**
 * Where the rows of a table stand, by rowid. Rowids are dense in a trace, so a number each is the least that can
 * be; one beyond what the file has room for is damage.
 */
export class Places {
  readonly #limit: number;
  /** Place plus one; 0 for none. */
  #places = new Float64Array(1024);
  #size = 0;

  /** `limit`: the highest rowid that a file of this size can have. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#size;
  }

  get(rowid: number): number | undefined {
    const place = this.#places[rowid] ?? 0;
    return place === 0 ? undefined : place - 1;
  }

  set(rowid: number, place: number): void {
    if (rowid < 1 || rowid > this.#limit) return;
    if (rowid >= this.#places.length) {
      const wider = new Float64Array(Math.min(this.#limit + 1, Math.max(rowid + 1, this.#places.length * 2)));
      wider.set(this.#places);
      this.#places = wider;
    }
    if (this.#places[rowid] === 0) this.#size += 1;
    this.#places[rowid] = place + 1;
  }

  /** All rowids, ascending. */
  *ids(): Generator<number, void, undefined> {
    for (let rowid = 1; rowid < this.#places.length; rowid += 1) if (this.#places[rowid] !== 0) yield rowid;
  }
}
