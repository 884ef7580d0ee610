import type { PageEvent } from '../../engine/trace/event.ts';
import { firstDifference, putParts } from '../emulate/capture/delta.ts';
import { pageOf } from '../emulate/vp/processor-memory.ts';
import type { Found } from './differences.ts';
import type { RecordedMemory, Touched } from './memory.ts';

/**
 * What a guest has written up to a point, against the events that tell of it: one a page, by their addresses. Pages that it may have written and
 * that no event tells of must be as they were.
 */
export class Written {
  readonly #memory: RecordedMemory;
  readonly #touched: Touched[];

  constructor(memory: RecordedMemory) {
    this.#memory = memory;
    this.#touched = memory.takeTouched();
  }

  /** The first byte up to the page of an event, that one included, which is not what was recorded. */
  differentUpTo(event: PageEvent): Found | undefined {
    const page = pageOf(event.gpa ?? 0n);
    const before = this.#different((one) => one.page < page);
    if (before !== undefined) return before;
    const [next] = this.#touched;
    const isNext = next?.page === page;
    if (isNext) this.#touched.shift();
    const found = isNext ? next.now : (this.#memory.behind(page) ?? new Uint8Array(0));
    const expected = (isNext ? next.before : found).slice();
    putParts(expected, event.bytes ?? []);
    return differentByte(page, expected, found);
  }

  /** The first byte behind the last event that is not as it was. */
  different(): Found | undefined {
    return this.#different(() => true);
  }

  #different(isMeant: (touched: Touched) => boolean): Found | undefined {
    for (let [next] = this.#touched; next !== undefined && isMeant(next); [next] = this.#touched) {
      this.#touched.shift();
      const found = differentByte(next.page, next.before, next.now);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

function differentByte(page: number, expected: Uint8Array, found: Uint8Array): Found | undefined {
  const offset = firstDifference(expected, found);
  if (offset === undefined) return undefined;
  const gpa = (BigInt(page) << 12n) + BigInt(offset);
  return { what: 'memory', gpa, expected: expected[offset] as number, found: found[offset] as number };
}
