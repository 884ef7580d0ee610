import { type ReadonlySignal, signal } from '@preact/signals';
import type { App, EventRow, FilterProblem } from '../../engine/app/api.ts';
import { Recent } from './recent.ts';

/** Rows of one request; a screen of 1440 lines of 20 px needs one or two. */
export const PAGE_ROWS = 128;
/** 128 x 64 rows of some 400 bytes are about 3 MB. */
const KEPT_PAGES = 64;

/** Which list: the filter (empty: all events), and whether derived events are in it. */
export interface ListKey {
  readonly filter: string;
  readonly derived: boolean;
}

type Page = readonly EventRow[];

/** The rows of the list of events, fetched by page as they are looked at. */
export class EventPages {
  readonly key: ListKey;
  /** Changes whenever rows arrive: who reads rows in a component or an effect reads this too. */
  readonly version: ReadonlySignal<number>;
  /** Rows in the list; undefined before the first answer. */
  readonly total: ReadonlySignal<number | undefined>;
  readonly problem: ReadonlySignal<FilterProblem | string | undefined>;
  readonly #app: App;
  readonly #pages = new Recent<Page>(KEPT_PAGES);
  readonly #asked = new Map<number, Promise<Page>>();
  readonly #version = signal(0);
  readonly #total = signal<number | undefined>(undefined);
  readonly #problem = signal<FilterProblem | string | undefined>(undefined);

  constructor(app: App, key: ListKey) {
    this.#app = app;
    this.key = key;
    this.version = this.#version;
    this.total = this.#total;
    this.problem = this.#problem;
  }

  /** The row at `index` when it is there; asks for its page when it is not. */
  row(index: number): EventRow | undefined {
    const page = Math.floor(index / PAGE_ROWS);
    const rows = this.#pages.get(String(page));
    if (rows === undefined) {
      void this.#page(page);
      return undefined;
    }
    return rows[index - page * PAGE_ROWS];
  }

  /** The row at `index`, however long it takes; undefined when the list has none there. */
  async fetch(index: number): Promise<EventRow | undefined> {
    const page = Math.floor(index / PAGE_ROWS);
    const rows = this.#pages.get(String(page)) ?? (await this.#page(page));
    return rows[index - page * PAGE_ROWS];
  }

  /** A row that is there by its position, without asking. */
  known(at: string): EventRow | undefined {
    for (const page of this.#pages.values()) {
      const row = page.find((candidate) => candidate.at === at);
      if (row !== undefined) return row;
    }
    return undefined;
  }

  #page(page: number): Promise<Page> {
    const asked = this.#asked.get(page);
    if (asked !== undefined) return asked;
    const asking = this.#load(page).finally(() => this.#asked.delete(page));
    this.#asked.set(page, asking);
    return asking;
  }

  async #load(page: number): Promise<Page> {
    try {
      const answer = await this.#app.invoke('events', {
        ...this.key,
        from: page * PAGE_ROWS,
        count: PAGE_ROWS,
      });
      if ('problem' in answer) {
        this.#problem.value = answer.problem;
        return [];
      }
      this.#pages.set(String(page), answer.rows);
      this.#total.value = answer.total;
      this.#version.value++;
      return answer.rows;
    } catch (error) {
      this.#problem.value = error instanceof Error ? error.message : String(error);
      return [];
    }
  }
}
