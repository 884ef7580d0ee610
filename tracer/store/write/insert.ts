import { EVENT_COLUMNS } from '../format/schema.ts';
import { type Row, SEQ } from '../row/row.ts';
import type { Database, Statement } from '../sqlite.ts';

/** Rows of one statement; beyond this, a longer statement is no faster. */
const ROWS_PER_STATEMENT = 64;

const COLUMNS = EVENT_COLUMNS.length;

/**
 * Inserts rows of `event`. Handing a value over to SQLite costs about as much as storing it, so a statement
 * names only those columns in which a row of its batch has something (the others take their default, 0), and
 * leaves the seq to SQLite, which gives an INTEGER PRIMARY KEY without a value the next number.
 */
export class EventInserter {
  readonly #db: Database;
  readonly #statements = new Map<number, Statement>();
  readonly #update: Statement;
  readonly #values: unknown[] = [];

  constructor(db: Database) {
    this.#db = db;
    const columns = EVENT_COLUMNS.slice(1).map((name) => `${name} = ?`);
    this.#update = db.prepare(`UPDATE event SET ${columns.join(', ')} WHERE seq = ?`);
  }

  /** Inserts rows whose seqs follow those inserted before. */
  insert(rows: readonly Row[]): void {
    let from = 0;
    for (; from + ROWS_PER_STATEMENT <= rows.length; from += ROWS_PER_STATEMENT)
      this.#insertSome(rows, from, ROWS_PER_STATEMENT);
    for (; from < rows.length; from += 1) this.#insertSome(rows, from, 1);
  }

  /** Replaces a row that was inserted before. */
  update(row: Row): void {
    this.#update.run(...row.slice(1), row[SEQ]);
  }

  #insertSome(rows: readonly Row[], from: number, count: number): void {
    // An event has an actor: no statement is without columns.
    let used = 0;
    for (let i = from; i < from + count; i += 1) {
      const row = rows[i] as Row;
      for (let column = 1; column < COLUMNS; column += 1) if (row[column] !== 0) used |= 1 << column;
    }
    const values = this.#values;
    values.length = 0;
    for (let i = from; i < from + count; i += 1) {
      const row = rows[i] as Row;
      for (let column = 1; column < COLUMNS; column += 1)
        if ((used & (1 << column)) !== 0) values.push(row[column]);
    }
    this.#statement(used, count).run(...values);
  }

  #statement(used: number, count: number): Statement {
    const key = used * ROWS_PER_STATEMENT + count - 1;
    let statement = this.#statements.get(key);
    if (statement === undefined) {
      const columns = EVENT_COLUMNS.filter((_, column) => (used & (1 << column)) !== 0);
      const rows = new Array(count).fill(`(${columns.map(() => '?').join(',')})`);
      statement = this.#db.prepare(`INSERT INTO event (${columns.join(',')}) VALUES ${rows.join(',')}`);
      this.#statements.set(key, statement);
    }
    return statement;
  }
}
