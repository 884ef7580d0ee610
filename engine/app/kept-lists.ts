import type { EventList } from './lists.ts';

/** One of 1M matches takes 16 MB. */
const KEPT_LISTS = 4;

/** The lists that were made last. */
export class KeptLists {
  readonly #lists = new Map<string, EventList>();

  get(key: string): EventList | undefined {
    return this.#lists.get(key);
  }

  keep(key: string, list: EventList): void {
    this.#lists.set(key, list);
    const oldest = this.#lists.keys().next().value;
    if (this.#lists.size > KEPT_LISTS && oldest !== undefined) this.#lists.delete(oldest);
  }
}
