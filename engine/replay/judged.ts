/** So many events back an event below another one is looked for; what lies further back is not judged. */
const REMEMBERED = 1024;

/**
 * The stimuli of late that are dealt with and of which the engine knew all that they cause: a recorded event below one
 * of them is one too many.
 */
export class Judged {
  readonly #seqs = new Float64Array(REMEMBERED);

  add(seq: number): void {
    this.#seqs[seq % REMEMBERED] = seq;
  }

  has(seq: number): boolean {
    return this.#seqs[seq % REMEMBERED] === seq;
  }
}
