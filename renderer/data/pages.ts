import { type ReadonlySignal, signal } from '@preact/signals';
import type { FilterProblem } from '../../engine/app/api.ts';
import { NotYet } from '../transport/refused.ts';
import { Recent } from './recent.ts';

/** Rows of one request; a screen of 1440 lines of 20 px needs one or two. */
export const PAGE_ROWS = 128;
/** 128 x 64 rows of some 400 bytes are about 3 MB. */
const KEPT_PAGES = 64;

/** Rows of a list from one on; `total` is the length of the list. */
export type Load<R> = (
  from: number,
  count: number,
) => Promise<{ readonly rows: readonly R[]; readonly total: number } | { readonly problem: FilterProblem }>;

/** What is wrong with a filter, as the answer of its list says; nothing where only the replay can tell. */
export async function problemOf(answer: ReturnType<Load<unknown>>): Promise<FilterProblem | undefined> {
  try {
    const page = await answer;
    return 'problem' in page ? page.problem : undefined;
  } catch (error) {
    if (error instanceof NotYet) return undefined;
    throw error;
  }
}

/** The rows of a list of any length, fetched by page as they are looked at. */
export class Pages<R extends { readonly at: string }> {
  /** Changes whenever rows arrive: who reads rows in a component or an effect reads this too. */
  readonly version: ReadonlySignal<number>;
  /** Rows in the list; undefined before the first answer. */
  readonly total: ReadonlySignal<number | undefined>;
  readonly problem: ReadonlySignal<FilterProblem | string | undefined>;
  /** The list will be told by the replay. */
  readonly waiting: ReadonlySignal<boolean>;
  readonly #ask: Load<R>;
  readonly #pages = new Recent<readonly R[]>(KEPT_PAGES);
  readonly #asked = new Map<number, Promise<readonly R[]>>();
  readonly #version = signal(0);
  readonly #total = signal<number | undefined>(undefined);
  readonly #waiting = signal(false);
  readonly #problem = signal<FilterProblem | string | undefined>(undefined);

  constructor(ask: Load<R>) {
    this.#ask = ask;
    this.version = this.#version;
    this.total = this.#total;
    this.problem = this.#problem;
    this.waiting = this.#waiting;
  }

  /** The row at `index` when it is there; asks for its page when it is not. */
  row(index: number): R | undefined {
    const page = Math.floor(index / PAGE_ROWS);
    const rows = this.#pages.get(String(page));
    if (rows === undefined) {
      void this.#page(page);
      return undefined;
    }
    return rows[index - page * PAGE_ROWS];
  }

  /** The row at `index`, however long it takes; undefined when the list has none there. */
  async fetch(index: number): Promise<R | undefined> {
    const page = Math.floor(index / PAGE_ROWS);
    const rows = this.#pages.get(String(page)) ?? (await this.#page(page));
    return rows[index - page * PAGE_ROWS];
  }

  /** A row that is there by its position, without asking. */
  known(at: string): R | undefined {
    for (const page of this.#pages.values()) {
      const row = page.find((candidate) => candidate.at === at);
      if (row !== undefined) return row;
    }
    return undefined;
  }

  /** Fetches what is needed to draw the rows from `from` to `to`. */
  async ready(from: number, to: number): Promise<void> {
    await Promise.all([this.fetch(from), this.fetch(to)]);
  }

  #page(page: number): Promise<readonly R[]> {
    const asked = this.#asked.get(page);
    if (asked !== undefined) return asked;
    const asking = this.#load(page).finally(() => this.#asked.delete(page));
    this.#asked.set(page, asking);
    return asking;
  }

  async #load(page: number): Promise<readonly R[]> {
    try {
      const answer = await this.#ask(page * PAGE_ROWS, PAGE_ROWS);
      if ('problem' in answer) {
        this.#problem.value = answer.problem;
        return [];
      }
      this.#pages.set(String(page), answer.rows);
      this.#total.value = answer.total;
      this.#version.value++;
      return answer.rows;
    } catch (error) {
      if (error instanceof NotYet) this.#waiting.value = true;
      else this.#problem.value = error instanceof Error ? error.message : String(error);
      return [];
    }
  }
}
