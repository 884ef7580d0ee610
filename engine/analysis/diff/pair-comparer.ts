import type { TraceEvent } from '../../trace/event.ts';
import type { Comparer, FieldDifference } from './compare.ts';
import type { Events } from './events.ts';
import { isAlike } from './identical.ts';

const NONE: readonly FieldDifference[] = [];

/**
 * Compares events of two traces by index. As long as all that it is asked about is alike bit for bit, every name of the one trace is the same
 * in the other: what such pairs teach the comparer is learnt only once two others are met.
 */
export class PairComparer {
  readonly #events: readonly [Events, Events];
  readonly #comparer: Comparer;
  /** Both indexes and `onCpu` of each pair that nothing was learnt from; undefined once two were not alike. */
  #alike: number[] | undefined = [];

  constructor(events: readonly [Events, Events], comparer: Comparer) {
    this.#events = events;
    this.#comparer = comparer;
  }

  /** As {@link Comparer.compare}. */
  compare(a: number, b: number, onCpu: boolean): readonly FieldDifference[] {
    const [one, other] = [this.#events[0].at(a) as TraceEvent, this.#events[1].at(b) as TraceEvent];
    const before = this.#alike;
    if (before !== undefined && isAlike(one, other)) {
      before.push(a, b, Number(onCpu));
      return NONE;
    }
    this.#alike = undefined;
    for (let n = 0; n < (before?.length ?? 0); n += 3) {
      const [i, j, cpu] = [before?.[n], before?.[n + 1], before?.[n + 2]] as [number, number, number];
      this.compare(i, j, cpu === 1);
    }
    return this.#comparer.compare(one, other, onCpu);
  }
}
