import { createRequire } from 'node:module';
import type BetterSqlite3 from 'better-sqlite3';

export type Database = BetterSqlite3.Database;
export type Statement = BetterSqlite3.Statement<unknown[], unknown>;

let loaded: typeof BetterSqlite3 | undefined;

/** Opens a database. The native module is loaded at the first call: most commands start without it. */
export function openDatabase(path: string, options: BetterSqlite3.Options): Database {
  loaded ??= createRequire(import.meta.url)('better-sqlite3') as typeof BetterSqlite3;
  return new loaded(path, options);
}

/**
 * Statements of a database, each text prepared once. One that is dropped goes only when its thread comes back to the event loop,
 * which a thread that emulates does not do before the end: it would keep some 3 KiB for each.
 */
export class Statements {
  readonly #db: Database;
  readonly #known = new Map<string, Statement>();

  constructor(db: Database) {
    this.#db = db;
  }

  of(sql: string): Statement {
    const known = this.#known.get(sql);
    if (known !== undefined) return known;
    const statement = this.#db.prepare<unknown[], unknown>(sql);
    this.#known.set(sql, statement);
    return statement;
  }
}

/** SQLite's own name for what went wrong (`SQLITE_FULL`), or undefined for other errors. */
export function sqliteCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' && code.startsWith('SQLITE_') ? code : undefined;
}
