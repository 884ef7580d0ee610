import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { SCHEMA } from '../format/schema.ts';
import { DatabaseImage, TableBuilder } from '../pages/build.ts';
import type { BlobRow } from '../row/payload-ids.ts';
import type { Row } from '../row/row.ts';
import { type Database, openDatabase, type Statement } from '../sqlite.ts';

/** The tables that grow with every event. Root pages of a new database follow its header's page in order. */
const STAGED = ['event', 'blob'] as const;
const [EVENT_ROOT, BLOB_ROOT] = [2, 3];

let empty: Uint8Array | undefined;

/**
 * Hands rows of `event` and `blob` over to SQLite as finished pages of a second database, from which it takes them
 * over record by record (`INSERT INTO … SELECT * FROM …` of two tables with one schema): handing over each value
 * of each row costs several times as much.
 */
export class Stage {
  readonly #file: number;
  readonly #image: DatabaseImage;
  readonly #events: TableBuilder;
  readonly #blobs: TableBuilder;
  readonly #takeEvents: Statement;
  readonly #takeBlobs: Statement;
  readonly #begin: Statement;
  readonly #lock: Statement;

  /** Attaches the second database: outside of a transaction. Its file is made and unlinked beside the trace. */
  constructor(db: Database, trace: string) {
    empty ??= emptyDatabase();
    this.#image = new DatabaseImage(empty);
    this.#events = new TableBuilder(this.#image, EVENT_ROOT);
    this.#blobs = new TableBuilder(this.#image, BLOB_ROOT);
    const path = `${trace}-stage`;
    this.#file = openSync(path, 'w');
    try {
      writeSync(this.#file, empty);
      db.prepare('ATTACH ? AS stage').run(path);
      this.#begin = db.prepare('BEGIN');
      this.#lock = db.prepare('DELETE FROM main.meta WHERE false');
      this.#takeEvents = db.prepare('INSERT INTO main.event SELECT * FROM stage.event');
      this.#takeBlobs = db.prepare('INSERT INTO main.blob SELECT * FROM stage.blob');
    } finally {
      // Both have it open: nothing stays behind, whatever becomes of this process.
      unlinkSync(path);
    }
  }

  /**
   * Begins a transaction and takes the write lock, as `BEGIN IMMEDIATE` does, but of the trace alone: what is read
   * of the second database counts as unchanged until the transaction ends.
   */
  begin(): void {
    this.#begin.run();
    this.#lock.run();
  }

  /** Inserts rows, once in a transaction. */
  insert(events: readonly Row[], blobs: readonly BlobRow[]): void {
    this.#image.reset();
    this.#events.begin();
    for (const row of events) this.#events.add(row);
    this.#events.finish();
    this.#blobs.begin();
    for (const row of blobs) this.#blobs.add(row);
    this.#blobs.finish();
    const bytes = this.#image.finish();
    for (let done = 0; done < bytes.length; )
      done += writeSync(this.#file, bytes, done, bytes.length - done, done);
    if (blobs.length > 0) this.#takeBlobs.run();
    if (events.length > 0) this.#takeEvents.run();
  }

  close(): void {
    closeSync(this.#file);
  }
}

function emptyDatabase(): Uint8Array {
  const db = openDatabase(':memory:', {});
  for (const name of STAGED) db.exec((SCHEMA.find((object) => object.name === name) as { sql: string }).sql);
  const bytes = db.serialize();
  db.close();
  return bytes;
}
