import { closeSync, lstatSync, openSync, rmSync } from 'node:fs';
import { META } from '../format/meta.ts';
import { APPLICATION_ID, FORMAT_VERSION, SCHEMA } from '../format/schema.ts';
import { problem, type TraceProblem, writeProblem } from '../problem.ts';
import { type Database, openDatabase, sqliteCode } from '../sqlite.ts';
import { Stage } from './stage.ts';

/** What SQLite may lay beside a database. */
export const COMPANIONS = ['-wal', '-shm', '-journal'] as const;

export interface CreatedDatabase {
  readonly db: Database;
  readonly stage: Stage;
}

/**
 * Makes the file with its schema and `meta` rows, all of it committed to the file itself before anything else
 * is written, and leaves it in WAL mode with the write lock held.
 */
export function createDatabase(
  path: string,
  force: boolean,
  meta: ReadonlyMap<string, string>,
): CreatedDatabase | TraceProblem {
  const refused = claim(path, force);
  if (refused !== undefined) return refused;
  let db: Database | undefined;
  try {
    db = openDatabase(path, { timeout: 0 });
    // Nothing can be lost yet: the flush to disk comes with the first WAL checkpoint.
    db.pragma('synchronous = OFF');
    // What is written is mostly new: a larger cache makes it no faster.
    db.pragma('cache_size = -4000');
    db.exec('BEGIN');
    db.pragma(`application_id = ${APPLICATION_ID}`);
    db.pragma(`user_version = ${FORMAT_VERSION}`);
    for (const { sql } of SCHEMA) db.exec(sql);
    const insert = db.prepare('INSERT INTO meta (key, value) VALUES (?, ?)');
    for (const [key, value] of meta) insert.run(key, value);
    db.exec('COMMIT');
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = NORMAL');
    db.pragma('wal_autocheckpoint = 0');
    // A first commit to the -wal, so that nobody takes it for one that a reader left behind.
    db.prepare('UPDATE meta SET value = value WHERE key = ?').run(META.state);
    const stage = new Stage(db, path);
    stage.begin();
    return { db, stage };
  } catch (error) {
    db?.close();
    removeTrace(path);
    return writeProblem(path, error);
  }
}

/** Removes a trace and what SQLite laid beside it. */
export function removeTrace(path: string): void {
  for (const suffix of ['', ...COMPANIONS]) rmSync(path + suffix, { force: true });
}

/** Creates the empty file, so that of two writers only one gets it. */
function claim(path: string, force: boolean): TraceProblem | undefined {
  try {
    closeSync(openSync(path, 'wx'));
    return undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return writeProblem(path, error);
  }
  if (lstatSync(path).isDirectory()) return problem('exists', `${path}: is a folder; name a file with -o`);
  if (!force)
    return problem('exists', `${path}: exists already; name another file or replace it with --force`);
  if (isBeingWritten(path))
    return problem('busy', `${path}: is being recorded by another process; choose another name with -o`);
  try {
    removeTrace(path);
    closeSync(openSync(path, 'wx'));
    return undefined;
  } catch (error) {
    return writeProblem(path, error);
  }
}

/** A recorder holds the write lock all the time but between a commit and the next statement. */
const LOCK_ATTEMPTS = 5;
const LOCK_PAUSE_MS = 5;

function isBeingWritten(path: string): boolean {
  let db: Database | undefined;
  try {
    db = openDatabase(path, { timeout: 0, fileMustExist: true });
    for (let attempt = 0; attempt < LOCK_ATTEMPTS; attempt += 1) {
      if (attempt > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_PAUSE_MS);
      if (isLocked(db)) return true;
    }
    return false;
  } catch (error) {
    // What SQLite cannot open, no recorder has open.
    if (sqliteCode(error) === undefined) throw error;
    return sqliteCode(error)?.startsWith('SQLITE_BUSY') ?? false;
  } finally {
    db?.close();
  }
}

function isLocked(db: Database): boolean {
  try {
    db.exec('BEGIN IMMEDIATE');
    db.exec('ROLLBACK');
    return false;
  } catch (error) {
    const code = sqliteCode(error);
    if (code === undefined) throw error;
    return code.startsWith('SQLITE_BUSY');
  }
}
