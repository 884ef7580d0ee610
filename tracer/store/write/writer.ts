import type { Start } from '../../../engine/replay/start.ts';
import type { StoreCheckpoint, StoreTables } from '../../../engine/state/checkpoint.ts';
import type { JournalChunk } from '../../../engine/state/journal.ts';
import {
  EVENT_KINDS,
  type HypercallResult,
  type IoctlOut,
  type TraceEvent,
} from '../../../engine/trace/event.ts';
import { failed } from '../../../engine/trace/failed.ts';
import type { Handle } from '../../../engine/trace/handle.ts';
import { type Address, at, formatAddress, type Seq, type TimeNs } from '../../../engine/trace/position.ts';
import type { TraceHeader } from '../../../engine/trace/profile.ts';
import { formatHeader } from '../../../engine/trace/text/header.ts';
import { META, writeProfile } from '../format/meta.ts';
import type { Gap, Note } from '../format/notes.ts';
import { EVENT_COLUMNS } from '../format/schema.ts';
import { encodeCheckpoint, encodeGrowth } from '../journal/checkpoint-codec.ts';
import { encodeJournal } from '../journal/journal-codec.ts';
import { FIXED_NAMES, NameRows, type NameSource } from '../names.ts';
import { isProblem, TraceFileError, type TraceProblem, writeProblem } from '../problem.ts';
import { ActorIds, writeWord } from '../row/actor-ids.ts';
import { encodeEvent, type RowIds } from '../row/encode.ts';
import { PayloadIds } from '../row/payload-ids.ts';
import { ACTOR, KIND, type Row, SEQ } from '../row/row.ts';
import { type Database, type Statement, Statements, sqliteCode } from '../sqlite.ts';
import { TileCounter } from '../tile/tile-counter.ts';
import { Counter } from './counts.ts';
import { type CreatedDatabase, createDatabase, removeTrace } from './create.ts';
import { insertRows, writeLate } from './rows.ts';
import type { Stage } from './stage.ts';

const PUT_META = 'INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)';
/** A kill loses what was not committed: at most 250 ms, timers that come late included. */
const COMMIT_EVERY_MS = 100;
/** A lost -wal loses what stood only there: at most 2 s. */
const CHECKPOINT_EVERY_MS = 1000;
/** Rows kept in memory, so that most calls return before their row is written; then they are committed. */
const MOST_PENDING_ROWS = 4096;
/** Bytes of payloads kept in memory. */
const MAX_PENDING_BYTES = 4 * 1024 * 1024;

export interface WriterOptions {
  /** Replaces an existing file. */
  readonly force?: boolean;
  /** Names for the views; without it they show numbers. */
  readonly names?: NameSource;
  /** Version of the program. */
  readonly tool?: string;
  /** Version of the engine, where it took part. */
  readonly engine?: string;
  /** Wall clock at the start, ISO 8601. */
  readonly start?: string;
  /** How it was captured: plain values, or JSON text taken over from another trace. */
  readonly capture?: Readonly<Record<string, unknown>> | string;
  /** So many rows are kept in memory at most: fewer for a process that runs for long, where they outlive what is new in its heap. */
  readonly pendingRows?: number;
}

/** What is known of a call once it returned; fields of other kinds of event are left out. */
export interface CallAnswer {
  readonly ret?: number;
  readonly out?: IoctlOut;
  readonly tEnd?: TimeNs;
  readonly handle?: Handle;
  readonly value?: bigint;
  readonly result?: HypercallResult;
  readonly output?: Uint8Array;
  readonly fault?: boolean;
}

/**
 * Writes a trace. Events come in order of entry, their seq from 1 without holes. Whatever happens to the
 * process, the file holds all but the last 250 ms (docs/format.md, "While recording"). A failure to write is a
 * {@link TraceFileError}; after it the writer takes no more events, and `close` keeps what was committed.
 */
export class TraceWriter {
  readonly path: string;
  readonly #db: Database;
  readonly #statements: Statements;
  readonly #stage: Stage;
  readonly #update: Statement;
  readonly #ids: RowIds;
  readonly #actors = new ActorIds();
  readonly #payloads = new PayloadIds();
  readonly #names: NameRows | undefined;
  readonly #counter = new Counter();
  readonly #mostRows: number;
  readonly #tiles = new TileCounter();
  readonly #open = new Map<number, TraceEvent>();
  readonly #timer: NodeJS.Timeout;
  /** Not there: that of a call in {@link #open}. */
  #rows: (Row | undefined)[] = [];
  #firstPending = 1;
  #last: TraceEvent | undefined;
  #dirty = false;
  #commitAt: number;
  #checkpointAt: number;
  #tables = { objects: 0, blobs: 0, components: 0 };
  #failed: TraceProblem | undefined;
  #closed = false;

  private constructor(path: string, { db, stage }: CreatedDatabase, options: WriterOptions) {
    const { names, pendingRows = MOST_PENDING_ROWS } = options;
    this.path = path;
    this.#mostRows = pendingRows;
    this.#db = db;
    this.#statements = new Statements(db);
    this.#stage = stage;
    const columns = EVENT_COLUMNS.slice(1).map((name) => `${name} = ?`);
    this.#update = db.prepare(`UPDATE event SET ${columns.join(', ')} WHERE seq = ?`);
    this.#names = names === undefined ? undefined : new NameRows(names);
    if (this.#names !== undefined) this.#names.pending.push(...FIXED_NAMES);
    this.#ids = {
      actor: (event) => this.#actors.actor(event),
      handle: (handle) => this.#actors.handle(handle),
      payload: (bytes) => this.#payloads.store(bytes),
    };
    const now = performance.now();
    this.#commitAt = now + COMMIT_EVERY_MS;
    this.#checkpointAt = now + CHECKPOINT_EVERY_MS;
    this.#timer = setInterval(() => this.tick(), COMMIT_EVERY_MS);
    this.#timer.unref();
  }

  /** Creates the file. An existing one is refused (or replaced, with `force`), and so is one being recorded. */
  static create(path: string, header: TraceHeader, options: WriterOptions = {}): TraceWriter | TraceProblem {
    const meta = new Map<string, string>([
      [META.header, formatHeader(header)],
      [META.profile, writeProfile(header)],
      [META.state, 'recording'],
    ]);
    if (options.tool !== undefined) meta.set(META.tool, options.tool);
    if (options.engine !== undefined) meta.set(META.engine, options.engine);
    if (options.start !== undefined) meta.set(META.start, options.start);
    const { capture } = options;
    if (capture !== undefined)
      meta.set(META.capture, typeof capture === 'string' ? capture : JSON.stringify(capture));
    const created = createDatabase(path, options.force ?? false, meta);
    return isProblem(created) ? created : new TraceWriter(path, created, options);
  }

  /** Number of events so far. */
  get events(): number {
    return this.#counter.events;
  }

  /** Writes an event. */
  append(event: TraceEvent): void {
    this.#take(event, true);
  }

  /** `isWhole`: its answer has not still to come; else its row is made with that, or when the rows are written. */
  #take(event: TraceEvent, isWhole: boolean): void {
    this.#usable();
    const expected = this.#counter.events + 1;
    if (event.seq !== expected) throw new RangeError(`event ${event.seq} where ${expected} was due`);
    if (this.#last !== undefined && event.t < this.#last.t)
      throw new RangeError(`event ${event.seq} is before the one before it`);
    this.#rows.push(isWhole ? this.#row(event) : undefined);
    this.#counter.add(event);
    this.#tiles.add(this.#actors.actor(event), EVENT_KINDS.indexOf(event.kind), failed(event));
    this.#last = event;
    this.#dirty = true;
    if (
      this.#rows.length >= this.#mostRows ||
      this.#payloads.pendingBytes >= MAX_PENDING_BYTES ||
      performance.now() >= this.#commitAt
    )
      this.#attempt(() => this.#commit());
  }

  /** Writes the entry of a call whose answer {@link complete} brings. */
  begin(event: TraceEvent): void {
    this.#open.set(event.seq, event);
    this.#take(event, false);
  }

  /** Adds the answer to a call that {@link begin} wrote. */
  complete(seq: Seq, answer: CallAnswer): void {
    this.#usable();
    const entry = this.#open.get(seq);
    if (entry === undefined) throw new RangeError(`event ${seq} is not an open call`);
    this.#open.delete(seq);
    const event = { ...entry, ...answer } as TraceEvent;
    const row = this.#row(event);
    this.#counter.returned(event);
    const by = Number(failed(event)) - Number(failed(entry));
    if (by !== 0) this.#tiles.answered(seq, row[ACTOR] as number, row[KIND] as number, by);
    this.#dirty = true;
    if (seq >= this.#firstPending) this.#rows[seq - this.#firstPending] = row;
    else this.#attempt(() => this.#update.run(...row.slice(1), row[SEQ]));
  }

  note(note: Note): void {
    this.#run('INSERT INTO note (at, text, author) VALUES (?, ?, ?)', [
      formatAddress(note.at),
      writeWord(note.text),
      note.author === undefined ? null : writeWord(note.author),
    ]);
  }

  gap(gap: Gap): void {
    const values = [gap.after, gap.t, gap.lost ?? null, gap.reason];
    this.#run('INSERT INTO gap (after, t, lost, reason) VALUES (?, ?, ?, ?)', values);
  }

  /** Keeps a chunk of the cell store's journal. Chunks come in order. */
  journal(chunk: JournalChunk): void {
    if (chunk.count === 0) return;
    this.#run('INSERT INTO journal (first, count, from_seq, to_seq, data) VALUES (?, ?, ?, ?, ?)', [
      chunk.first,
      chunk.count,
      chunk.seq[0] as number,
      chunk.seq[chunk.count - 1] as number,
      encodeJournal(chunk),
    ]);
  }

  /**
   * Keeps a checkpoint of the cell store as it is after `at`, with what its tables have grown by since the one
   * before. The last one has to come after the last journal entry, so that every object is known.
   */
  checkpoint(at: Address, checkpoint: StoreCheckpoint, tables: StoreTables): void {
    const growth = encodeGrowth(this.#tables, checkpoint, tables);
    const { objects, blobs, components } = checkpoint;
    this.#tables = { objects, blobs, components };
    this.#run(
      'INSERT INTO checkpoint (seq, sub, entries, cells, objects, blobs, components, hash, state, growth) ' +
        'VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      [
        at.seq,
        at.sub,
        checkpoint.entries,
        checkpoint.cells,
        objects,
        blobs,
        components,
        JSON.stringify(checkpoint.hash),
        encodeCheckpoint(checkpoint),
        growth,
      ],
    );
  }

  /** Puts another header in: a recorder learns from the first calls which kernel it is. */
  header(header: TraceHeader): void {
    this.#putMeta(META.header, formatHeader(header));
    this.#putMeta(META.profile, writeProfile(header));
  }

  /**
   * The trace starts with this state, not with the machine: what has been written so far are the entries of the calls
   * that were under way.
   */
  origin({ store, tables, open }: Start): void {
    this.checkpoint(at(this.events), store, tables);
    this.#putMeta(META.origin, JSON.stringify(open));
  }

  /** Keeps the hash of the whole journal, which `replay --verify` compares. */
  hash(hash: string): void {
    this.#putMeta(META.hash, hash);
  }

  /** How long until {@link tick} has something to commit, in ms; undefined while everything is committed. */
  get dueMs(): number | undefined {
    if (this.#failed !== undefined || !this.#dirty) return undefined;
    return Math.max(0, this.#commitAt - performance.now());
  }

  /** Commits what is due. A timer does it too; a thread that never comes back to its event loop calls it. */
  tick(): void {
    if (this.#failed !== undefined || !this.#dirty || performance.now() < this.#commitAt) return;
    try {
      this.#commit();
    } catch (error) {
      // The next call reports it: a timer has nobody to tell.
      this.#failed = writeProblem(this.path, error);
    }
  }

  /**
   * Ends the recording: one file without companions, marked complete. After a failure to write, which was
   * thrown when it came up, it only closes what was committed. `cut`: calls are under way still.
   */
  close(cut = false): void {
    if (this.#closed) return;
    try {
      if (this.#failed === undefined) this.#attempt(() => this.#finish(cut));
    } finally {
      this.#end();
      this.#db.close();
    }
  }

  /** Gives the recording up and removes what it made. */
  abort(): void {
    if (this.#closed) return;
    this.#end();
    this.#db.close();
    removeTrace(this.path);
  }

  #end(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#stage.close();
    this.#open.clear();
  }

  #finish(cut: boolean): void {
    if (!cut) this.#putMeta(META.state, 'complete');
    this.#save();
    this.#db.exec('COMMIT');
    this.#db.pragma('main.wal_checkpoint(TRUNCATE)');
    try {
      // Refused while somebody reads along: then the file stays as it is, which opens as well.
      this.#db.pragma('main.journal_mode = DELETE');
    } catch (error) {
      if (!sqliteCode(error)?.startsWith('SQLITE_BUSY') && sqliteCode(error) !== 'SQLITE_LOCKED') throw error;
    }
  }

  #usable(): void {
    if (this.#failed !== undefined) throw new TraceFileError(this.#failed);
    if (this.#closed) throw new Error(`${this.path} is closed`);
  }

  #attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#failed = writeProblem(this.path, error);
      throw new TraceFileError(this.#failed);
    }
  }

  #run(sql: string, values: readonly unknown[]): void {
    this.#usable();
    this.#dirty = true;
    this.#attempt(() => this.#statements.of(sql).run(...values));
  }

  #putMeta(key: string, value: string): void {
    this.#run(PUT_META, [key, value]);
  }

  #commit(): void {
    const now = performance.now();
    this.#save();
    this.#db.exec('COMMIT');
    if (now >= this.#checkpointAt) {
      this.#statements.of('PRAGMA main.wal_checkpoint(PASSIVE)').get();
      this.#checkpointAt = now + CHECKPOINT_EVERY_MS;
    }
    this.#stage.begin();
    this.#dirty = false;
    this.#commitAt = now + COMMIT_EVERY_MS;
  }

  #save(): void {
    this.#flush();
    this.#statements.of(PUT_META).run(META.counts, JSON.stringify(this.#counter.counts()));
  }

  #row(event: TraceEvent): Row {
    this.#names?.collect(event);
    return encodeEvent(event, this.#ids);
  }

  /** The rows that wait; of a call without an answer that of its entry. */
  #takeRows(): readonly Row[] {
    const first = this.#firstPending;
    const rows = this.#rows.map(
      (row, place) => row ?? this.#row(this.#open.get(first + place) as TraceEvent),
    );
    this.#firstPending += rows.length;
    this.#rows = [];
    return rows;
  }

  /** Hands everything that waits in memory to SQLite. What events refer to comes first. */
  #flush(): void {
    const rows = this.#takeRows();
    const actors = this.#actors.pendingActors.splice(0);
    insertRows(this.#statements, 'actor', 9, actors);
    const handles = this.#actors.pendingHandles.splice(0);
    insertRows(this.#statements, 'handle', 5, handles);
    const names = this.#names?.pending.splice(0) ?? [];
    insertRows(this.#statements, 'name', 3, names);
    this.#stage.insert(rows, this.#payloads.take());
    insertRows(this.#statements, 'tile', 4, this.#tiles.takeFinished());
    writeLate(this.#statements, this.#tiles.takeLate());
  }
}
