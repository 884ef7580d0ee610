import { EventRowReader, type RowParts } from '../pages/event-row.ts';
import { PageFile } from '../pages/page-file.ts';
import { recordAt } from '../pages/record.ts';
import { findLeaf } from '../pages/table.ts';
import { RowRefusal } from '../row/decode.ts';
import type { Queries, Query } from './queries.ts';
import { Fetched, type RowSource } from './row-source.ts';

/**
 * Rows of a finished file, out of the pages of its table: several times as fast as through SQLite, where each
 * value of each row is a call (docs/decisions). SQLite holds the read lock meanwhile, and says when the file
 * changed.
 */
export class PageRows implements RowSource {
  readonly #queries: Queries;
  readonly #rows: EventRowReader;
  readonly #pages: PageFile;
  #root = 0;
  readonly #rootQuery: Query;
  readonly #version: Query;
  #seen: unknown;

  constructor(file: string, queries: Queries, parts: RowParts) {
    this.#queries = queries;
    this.#rows = new EventRowReader(parts);
    const [pageSize] = queries.prepare('PRAGMA page_size').get() ?? [];
    this.#pages = new PageFile(file, pageSize as number);
    this.#rootQuery = queries.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'event'");
    this.#version = queries.prepare('PRAGMA data_version');
  }

  close(): void {
    this.#pages.close();
  }

  fetch(first: number, last: number): Fetched {
    return this.#queries.atOnce(() => {
      // Asking takes the lock; somebody may have put a note into the file since.
      const [version] = this.#version.get() ?? [];
      if (version !== this.#seen) {
        this.#pages.forget();
        this.#root = Number(this.#rootQuery.get()?.[0]);
      }
      this.#seen = version;
      const fetched = new Fetched(first, last);
      while (!fetched.full) this.#leaf(fetched);
      return fetched;
    });
  }

  /** Takes the rows of the leaf page in which the next one is. */
  #leaf(fetched: Fetched): void {
    const leaf = findLeaf(this.#pages, this.#root, fetched.next);
    if (leaf === undefined || leaf.cell >= leaf.cells) {
      fetched.damage = 'it is missing';
      return;
    }
    const read = (seq: number, cell: number) => {
      const record = recordAt(this.#pages, leaf, cell);
      if (record === undefined) throw new RowRefusal('its row is cut');
      if (record.rowid !== seq) throw new RowRefusal(`event ${record.rowid} stands in its place`);
      return this.#rows.read(seq, record);
    };
    for (let cell = leaf.cell; cell < leaf.cells && !fetched.full; cell += 1) fetched.add(read, cell);
  }
}
