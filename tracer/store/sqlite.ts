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

/** SQLite's own name for what went wrong (`SQLITE_FULL`), or undefined for other errors. */
export function sqliteCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' && code.startsWith('SQLITE_') ? code : undefined;
}
