import { batch, computed, effect, type ReadonlySignal, signal } from '@preact/signals';
import type { EventRow } from '../../engine/app/api.ts';
import { Pages } from '../data/pages.ts';
import type { Asked } from '../data/slot.ts';
import { eventAt } from './place.ts';
import type { View } from './view.ts';

/** Rows of the list that are drawn. */
export interface Sight {
  readonly from: number;
  readonly to: number;
}

/** A row whose index in a list is known without asking. */
interface Placed {
  readonly at: string;
  readonly pages: Pages<EventRow>;
  readonly index: number;
}

/** Tries to find a moment in which nobody scrolls or moves the cursor. */
const MAX_TRIES = 8;

/**
 * The list that the grid shows. When the replay has brought derived events, the list is made anew behind the one that is
 * shown, and takes its place when its rows are there: what is in sight stays where it is.
 */
export class EventList {
  readonly pages: ReadonlySignal<Pages<EventRow>>;
  /** How far rows have moved when the list was replaced; who scrolls follows once for each value. */
  readonly shift: ReadonlySignal<{ readonly by: number } | undefined>;
  /** Rises when the list is replaced: an index belongs to one list. */
  readonly epoch: ReadonlySignal<number>;
  /** Kept by the grid. */
  sight: Sight = { from: 0, to: 0 };
  readonly #asked: Asked;
  readonly #view: View;
  readonly #renewed = signal<{ readonly key: string; readonly pages: Pages<EventRow> } | undefined>(
    undefined,
  );
  readonly #shift = signal<{ readonly by: number } | undefined>(undefined);
  readonly #epoch = signal(0);
  readonly #placed = signal<Placed | undefined>(undefined);

  constructor(asked: Asked, view: View) {
    this.#asked = asked;
    this.#view = view;
    this.shift = this.#shift;
    this.epoch = this.#epoch;
    this.pages = computed(() => {
      const { filter, derived } = view;
      const key = keyOf(filter.value, derived.value);
      const renewed = this.#renewed.value;
      return renewed?.key === key ? renewed.pages : this.#made(filter.value, derived.value);
    });
    const first = asked.epoch.peek();
    effect(() => {
      if (asked.epoch.value !== first) void this.#renew();
    });
  }

  /** Index of the row at a position, where it is known without asking. */
  placeOf(at: string): number | undefined {
    const placed = this.#placed.value;
    return placed?.at === at && placed.pages === this.pages.value ? placed.index : undefined;
  }

  /** Notes where a row of the list stands. */
  place({ at, index }: EventRow): void {
    this.#placed.value = { at, index, pages: this.pages.peek() };
  }

  #made(filter: string, derived: boolean): Pages<EventRow> {
    return new Pages((from, count) => this.#asked.app.invoke('events', { filter, derived, from, count }));
  }

  async #renew(): Promise<void> {
    for (let tries = 1; ; tries++) {
      const [filter, derived, at] = [this.#view.filter.peek(), this.#view.derived.peek(), this.#cursor()];
      const { from, to } = this.sight;
      const pages = this.#made(filter, derived);
      const here = await this.#locate(filter, derived, at);
      const anchor = this.#anchor(at);
      const moved = anchor === undefined ? undefined : await this.#locate(filter, derived, anchor.at);
      const by = anchor === undefined || moved === undefined ? 0 : moved - anchor.index;
      await pages.ready(Math.max(0, from + by), Math.max(0, to + by));
      const isSame =
        keyOf(filter, derived) === keyOf(this.#view.filter.peek(), this.#view.derived.peek()) &&
        at === this.#cursor() &&
        from === this.sight.from;
      if (!isSame && tries < MAX_TRIES) continue;
      batch(() => {
        this.#renewed.value = { key: keyOf(filter, derived), pages };
        this.#shift.value = { by };
        this.#epoch.value++;
        if (here !== undefined) this.#placed.value = { at, pages, index: here };
      });
      return;
    }
  }

  #cursor(): string {
    return eventAt(this.#view.at.peek());
  }

  /** The row that is to stay where it is: the cursor's where it is in sight, else the first. */
  #anchor(at: string): { readonly at: string; readonly index: number } | undefined {
    const { from, to } = this.sight;
    const pages = this.pages.peek();
    if (pages.total.peek() === undefined || to <= from) return undefined;
    let first: EventRow | undefined;
    for (let index = from; index < to; index++) {
      const row = pages.row(index);
      if (row?.at === at) return row;
      first ??= row;
    }
    return first;
  }

  async #locate(filter: string, derived: boolean, at: string): Promise<number | undefined> {
    if (at === '') return undefined;
    try {
      return (await this.#asked.app.invoke('locate', { filter, derived, at })).index;
    } catch {
      // A position of a link that the trace lacks; the view of the event says so.
      return undefined;
    }
  }
}

function keyOf(filter: string, derived: boolean): string {
  return JSON.stringify([filter, derived]);
}
