import { problem, TraceFileError } from '../problem.ts';
import { type Database, type Statement, sqliteCode } from '../sqlite.ts';

export type QueryRow = readonly unknown[];

/** A prepared query; rows come as lists of column values. */
export interface Query {
  all(...params: readonly (number | bigint | string)[]): QueryRow[];
  get(...params: readonly (number | bigint | string)[]): QueryRow | undefined;
}

/** Queries on an open trace. What SQLite finds wrong with the file is a {@link TraceFileError}. */
export class Queries {
  readonly path: string;
  readonly #db: Database;

  constructor(path: string, db: Database) {
    this.path = path;
    this.#db = db;
  }

  prepare(sql: string): Query {
    const statement: Statement = this.#guard(() => this.#db.prepare(sql).raw());
    return {
      all: (...params) => this.#guard(() => statement.all(...params) as QueryRow[]),
      get: (...params) => this.#guard(() => statement.get(...params) as QueryRow | undefined),
    };
  }

  /** Runs several queries on one state of a file that somebody may be writing. */
  atOnce<T>(queries: () => T): T {
    return this.#guard(this.#db.transaction(queries));
  }

  /** A file that is not what a writer makes. */
  corrupt(what: string): TraceFileError {
    const { path } = this;
    return new TraceFileError(
      problem('corrupt', `${path}: ${what}; hvrewind recover ${path} -o FILE saves what is intact`),
    );
  }

  #guard<T>(query: () => T): T {
    try {
      return query();
    } catch (error) {
      const code = sqliteCode(error);
      throw code === undefined ? error : this.corrupt(`is damaged (${code})`);
    }
  }
}
