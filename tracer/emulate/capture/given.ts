/** Guest pages and the program's memory that it gave for them. */
export interface Piece {
  readonly page: number;
  readonly pages: number;
  /** Address in the program. */
  readonly address: number;
}

export const PAGE_BYTES = 4096;

/** What a program has given to a guest, by the calls that give and take. */
export class Given<P extends Piece> {
  #pieces: P[] = [];

  /** Gives back what had its place. */
  give(piece: P): P[] {
    const taken = this.take(piece.page, piece.pages);
    this.#pieces.push(piece);
    return taken;
  }

  /** Gives back what was taken. */
  take(page: number, pages: number): P[] {
    const isTaken = (other: Piece) => other.page >= page && other.page < page + pages;
    const taken = this.#pieces.filter(isTaken);
    this.#pieces = this.#pieces.filter((other) => !isTaken(other));
    return taken;
  }

  get pieces(): readonly P[] {
    return this.#pieces;
  }

  /** The piece that a guest page is in. */
  at(page: number): P | undefined {
    return this.#pieces.find((one) => page >= one.page && page < one.page + one.pages);
  }
}
