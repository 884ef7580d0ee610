import { type Address, at, seqOf } from '../position.ts';

/**
 * Numbers the lines of a text that also holds derived events: there every event has a number of its own, so
 * that parents must be named anew. Give it each position in the order of the lines.
 */
export class LineNumbers {
  private readonly recorded: number[] = [];
  private readonly derived = new Map<number, Map<number, number>>();
  private lines = 0;

  /** The number of the next event, which stood at `address`. */
  add({ seq, sub }: Address): Address {
    this.lines += 1;
    if (sub === 0) this.recorded[seq] = this.lines;
    else {
      const below = this.derived.get(seq) ?? new Map<number, number>();
      this.derived.set(seq, below.set(sub, this.lines));
    }
    return at(this.lines);
  }

  /** The number that the event at `address` got; undefined when it has had no line yet. */
  of({ seq, sub }: Address): Address | undefined {
    const line = sub === 0 ? this.recorded[seq] : this.derived.get(seq)?.get(sub);
    return line === undefined ? undefined : { seq: seqOf(line), sub: 0 };
  }
}
