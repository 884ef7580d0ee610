import type { TraceEvent } from './event.ts';

const PAGE_SHIFT = 12n;

/** How much of its guests' memory a trace holds: the contents of their pages, as `emulate --capture-memory` records them. */
export class HeldMemory {
  readonly #pages = new Set<string>();

  note(event: TraceEvent): void {
    if (event.kind !== 'page' || event.page !== 'ram' || event.gpa === undefined) return;
    if (event.bytes === undefined || event.bytes.length === 0) return;
    this.#pages.add(`${event.vp?.partition ?? ''} ${event.gpa >> PAGE_SHIFT}`);
  }

  /** Different pages of guests of which the trace has bytes. */
  get pages(): number {
    return this.#pages.size;
  }
}

/** What to say of a trace before it is sent; undefined where there is nothing to say. */
export function heldText(pages: number): string | undefined {
  return pages === 0 ? undefined : `it holds ${pages} ${pages === 1 ? 'page' : 'pages'} of guest memory`;
}
