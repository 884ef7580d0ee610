/** Guest pages and the program's memory that it gave for them. */
export interface Piece {
  readonly page: number;
  readonly pages: number;
  /** Address in the program. */
  readonly address: number;
}

export const PAGE_BYTES = 4096;

/** What a program has given to a guest, by the calls that give and take; as ../supervisor/partition-memory.ts understands them. */
export class Given<P extends Piece> {
  #pieces: P[] = [];

  give(piece: P): void {
    this.take(piece.page, piece.pages);
    this.#pieces.push(piece);
  }

  take(page: number, pages: number): void {
    this.#pieces = this.#pieces.filter((other) => other.page < page || other.page >= page + pages);
  }

  get pieces(): readonly P[] {
    return this.#pieces;
  }

  /** The piece that a guest page is in. */
  at(page: number): P | undefined {
    return this.#pieces.find((one) => page >= one.page && page < one.page + one.pages);
  }
}
