import { copyFileSync, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { APPLICATION_ID, FORMAT_VERSION, SCHEMA } from '../format/schema.ts';
import { isProblem, problem, type TraceProblem } from '../problem.ts';
import { type Database, openDatabase, sqliteCode } from '../sqlite.ts';
import { COMPANIONS } from '../write/create.ts';
import { cutAtStart, explainFile, newer, statTrace } from './header-page.ts';

/** An open file whose header and schema are those of a trace. */
export interface OpenedDatabase {
  readonly db: Database;
  /** The file, as it was named. */
  readonly path: string;
  /** The file that is open: a copy of it where it lies in a folder that cannot be written. */
  readonly file: string;
  /** It is in WAL mode: somebody writes it, or was cut while he did. */
  readonly wal: boolean;
  /** It is in WAL mode, but its `-wal` is not there. */
  readonly walMissing: boolean;
  /** Closes it and removes what opening made. */
  close(): void;
}

/** Opens a trace for reading and checks all that can be checked without reading its rows. */
export function openForReading(path: string): OpenedDatabase | TraceProblem {
  const stat = statTrace(path);
  if (isProblem(stat)) return stat;
  const wal = `${path}-wal`;
  // One that is there belongs to a recorder, even while it is empty.
  const [hasWal, walBytes] = [existsSync(wal), sizeOf(wal)];
  const opened = openInPlace(path, stat.size, hasWal) ?? openCopy(path, stat.size);
  if (isProblem(opened)) return opened;
  const wrong = checkSchema(path, opened.db);
  if (wrong === undefined) {
    const inWalMode = opened.db.pragma('journal_mode', { simple: true }) === 'wal';
    return { ...opened, path, wal: inWalMode, walMissing: inWalMode && walBytes === 0 };
  }
  opened.close();
  return wrong;
}

type Opened = Pick<OpenedDatabase, 'db' | 'file' | 'close'>;

/**
 * Undefined where SQLite would have to write beside the file and may not: a `-wal` needs its `-shm`, a hot
 * rollback journal has to be played back.
 */
function openInPlace(path: string, bytes: number, hasWal: boolean): Opened | TraceProblem | undefined {
  let db: Database | undefined;
  try {
    db = openDatabase(path, { readonly: true, fileMustExist: true, timeout: 1000 });
    const opened = secure(db);
    // In WAL mode SQLite makes an empty -wal and its -shm to read a file that has none.
    return { db: opened, file: path, close: () => closeAndTidy(opened, path, hasWal) };
  } catch (error) {
    db?.close();
    const code = sqliteCode(error);
    if (code === undefined) throw error;
    if (code.startsWith('SQLITE_CANTOPEN') || code.startsWith('SQLITE_READONLY')) return undefined;
    return refused(path, bytes, code);
  }
}

/** Copies the file and what lies beside it to a folder of our own, where SQLite may do what it needs to. */
function openCopy(path: string, bytes: number): Opened | TraceProblem {
  const folder = mkdtempSync(join(tmpdir(), 'hvrewind-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  const copy = join(folder, basename(path));
  let db: Database | undefined;
  try {
    copyFileSync(path, copy);
    for (const suffix of ['-wal', '-journal'])
      if (existsSync(path + suffix)) copyFileSync(path + suffix, copy + suffix);
    db = openDatabase(copy, { fileMustExist: true });
    db.pragma('query_only = ON');
    const opened = secure(db);
    process.once('exit', remove);
    const close = (): void => {
      opened.close();
      process.off('exit', remove);
      remove();
    };
    return { db: opened, file: copy, close };
  } catch (error) {
    db?.close();
    remove();
    const code = sqliteCode(error);
    if (code !== undefined) return refused(path, bytes, code);
    const { code: errno } = error as NodeJS.ErrnoException;
    if (errno === undefined) throw error;
    return problem(
      'unreadable',
      `${path}: cannot be copied to ${tmpdir()} to be opened (${errno}); copy it and its -wal to a folder of yours`,
    );
  }
}

/** A hostile schema runs nothing; the first read shows whether SQLite can use the file at all. */
function secure(db: Database): Database {
  db.pragma('trusted_schema = OFF');
  db.pragma('cell_size_check = ON');
  db.pragma('cache_size = -16000');
  db.pragma('application_id');
  return db;
}

function closeAndTidy(db: Database, path: string, hadWal: boolean): void {
  db.close();
  if (hadWal || sizeOf(`${path}-wal`) > 0) return;
  for (const suffix of COMPANIONS) rmSync(path + suffix, { force: true });
}

function refused(path: string, bytes: number, code: string): TraceProblem {
  if (code.startsWith('SQLITE_BUSY'))
    return problem('busy', `${path}: is locked by another process; try again when that has ended`);
  return explainFile(path, bytes, code);
}

interface SchemaRow {
  readonly type: string;
  readonly name: string;
  readonly sql: string | null;
}

/** The schema has to be ours, text for text: more of it could be made to run, less of it is no trace. */
function checkSchema(path: string, db: Database): TraceProblem | undefined {
  try {
    if (db.pragma('page_count', { simple: true }) === 0) return cutAtStart(path);
    if (db.pragma('application_id', { simple: true }) !== APPLICATION_ID)
      return problem('not-a-trace', `${path}: is an SQLite database of another program, not a trace`);
    const version = db.pragma('user_version', { simple: true });
    if (version !== FORMAT_VERSION) return newer(path, Number(version));
    const found = db.prepare('SELECT type, name, sql FROM sqlite_schema').all() as SchemaRow[];
    const expected = new Map(SCHEMA.map((object) => [object.name, object]));
    for (const { type, name, sql } of found) {
      const own = expected.get(name);
      if (own === undefined)
        return foreign(path, `it has a ${type} ${JSON.stringify(name)} that does not belong there`);
      if (own.type !== type || own.sql !== sql) return foreign(path, `its ${type} ${name} is not ours`);
      expected.delete(name);
    }
    const [missing] = expected.values();
    return missing === undefined
      ? undefined
      : foreign(path, `its ${missing.type} ${missing.name} is missing`);
  } catch (error) {
    const code = sqliteCode(error);
    if (code === undefined) throw error;
    return refused(path, sizeOf(path), code);
  }
}

function foreign(path: string, what: string): TraceProblem {
  return problem(
    'foreign-schema',
    `${path}: ${what}; hvrewind recover ${path} -o FILE makes a clean trace of its events`,
  );
}

/** Size of a file; 0 where there is none. */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
