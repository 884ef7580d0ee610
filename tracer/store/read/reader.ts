import type { TraceIndex } from '../../../engine/app/early/trace-index.ts';
import type { Columns } from '../../../engine/filter/sql.ts';
import { isSound, type Start } from '../../../engine/replay/start.ts';
import type { StoreTables } from '../../../engine/state/checkpoint.ts';
import type { JournalChunk } from '../../../engine/state/journal.ts';
import type { KindRegistry } from '../../../engine/state/kind-path.ts';
import type { ObjectRow } from '../../../engine/state/store.ts';
import type { TraceEvent } from '../../../engine/trace/event.ts';
import { isCount, timeNs } from '../../../engine/trace/position.ts';
import type { TraceHeader } from '../../../engine/trace/profile.ts';
import { META, readCounts, readHeader, type TraceCounts } from '../format/meta.ts';
import { type Gap, gapOf, type Note, noteOf } from '../format/notes.ts';
import { addGrowth } from '../journal/checkpoint-codec.ts';
import { decodeJournal } from '../journal/journal-codec.ts';
import { CHECKPOINT_COLUMNS, checkpointIn, openCallsIn, type PlacedCheckpoint } from '../journal/origin.ts';
import { isProblem, TraceFileError, type TraceProblem } from '../problem.ts';
import { readWord } from '../row/actor-ids.ts';
import { tileEvents } from '../tile/tile.ts';
import { asOf } from './as-of.ts';
import { eventColumns } from './columns.ts';
import { type OpenedDatabase, openForReading } from './open.ts';
import { Queries, type Query, type QueryRow } from './queries.ts';
import { RowReader } from './rows.ts';
import { type Tile, TileReader } from './tiles.ts';
import { indexOf } from './trace-index.ts';

/** A condition over the rows of `event`, as engine/filter compiles it with {@link TraceReader.columns}. */
export interface Where {
  readonly where: string;
  readonly params: readonly (bigint | string)[];
}

/** Seqs that one step of a filtered range fetches. */
const PAGE = 512;

/**
 * A trace that is open for reading. Every value is checked as it is read: what a writer cannot have written
 * is a {@link TraceFileError}. A trace that is still being recorded can be read along; see {@link refresh}.
 */
export class TraceReader {
  readonly path: string;
  readonly header: TraceHeader;
  /** Versions, start and capture as the writer gave them. */
  readonly tool: string | undefined;
  readonly engine: string | undefined;
  readonly start: string | undefined;
  /** JSON text. */
  readonly capture: string | undefined;
  /** What the user should know about this file, a line each. */
  readonly notices: readonly string[];
  /** How the fields of the filter language stand in the file. */
  readonly columns: Columns;
  readonly #opened: OpenedDatabase;
  readonly #queries: Queries;
  readonly #rows: RowReader;
  #counts: TraceCounts;
  #complete: boolean;
  #tiles: TileReader | undefined;
  #time: Query | undefined;

  private constructor(
    opened: OpenedDatabase,
    queries: Queries,
    header: TraceHeader,
    meta: ReadonlyMap<string, string>,
  ) {
    const { path } = queries;
    this.path = path;
    this.#opened = opened;
    this.#queries = queries;
    this.header = header;
    this.tool = meta.get(META.tool);
    this.engine = meta.get(META.engine);
    this.start = meta.get(META.start);
    this.capture = meta.get(META.capture);
    this.#complete = meta.get(META.state) === 'complete';
    this.#counts = countsIn(queries, meta);
    this.#rows = new RowReader(queries, this.#complete && !opened.wal ? opened.file : undefined);
    this.columns = eventColumns(this.#rows.actors, header.profile);
    this.notices =
      opened.walMissing && !this.#complete
        ? [
            `${path}: its recording was cut and no ${path}-wal lies beside it; if there was one, put it back: it holds the last events`,
          ]
        : [];
  }

  /** Opens a trace; a problem is one line. */
  static open(path: string): TraceReader | TraceProblem {
    const opened = openForReading(path);
    if (isProblem(opened)) return opened;
    try {
      const queries = new Queries(opened.path, opened.db);
      const meta = readMeta(queries);
      const header = readHeader(meta.get(META.header) ?? '', meta.get(META.profile) ?? '');
      if (header === undefined) throw queries.corrupt('its header is damaged');
      return new TraceReader(opened, queries, header, meta);
    } catch (error) {
      opened.close();
      if (error instanceof TraceFileError) return error.problem;
      throw error;
    }
  }

  close(): void {
    this.#opened.close();
    this.#rows.close();
  }

  get counts(): TraceCounts {
    return this.#counts;
  }

  /** Number of events; also the seq of the last one. */
  get events(): number {
    return this.#counts.events;
  }

  /** The recording was ended, not cut, and does not go on. */
  get complete(): boolean {
    return this.#complete;
  }

  /** Hash of the whole journal, if the writer kept one. */
  get hash(): string | undefined {
    return readMeta(this.#queries).get(META.hash);
  }

  /** Takes in what was recorded since. */
  refresh(): void {
    const meta = readMeta(this.#queries);
    this.#counts = countsIn(this.#queries, meta);
    this.#complete = meta.get(META.state) === 'complete';
    this.#tiles = undefined;
  }

  /** Events from seq `from` to seq `to`, both included, in order; what is beyond the ends is left out. All are as of {@link counts}. */
  range(from = 1, to = this.events): Generator<TraceEvent, void, undefined> {
    const events = this.#rows.events(Math.max(1, from), Math.min(to, this.events));
    return this.#complete ? events : asOf(events, this.#counts.end);
  }

  /** One event; undefined where there is none with this seq. */
  event(seq: number): TraceEvent | undefined {
    if (!Number.isSafeInteger(seq) || seq < 1 || seq > this.events) return undefined;
    const [event] = this.range(seq, seq);
    return event;
  }

  /** Seqs of the events from `from` to `to` that match, in order; at most `limit`, the last ones with `down`. */
  matching(where: Where, from: number, to: number, limit: number, down = false): number[] {
    const sql = `SELECT seq FROM event WHERE seq BETWEEN ? AND ? AND (${where.where}) ORDER BY seq ${down ? 'DESC' : 'ASC'} LIMIT ?`;
    const rows = this.#queries.prepare(sql).all(from, Math.min(to, this.events), ...where.params, limit);
    const seqs = rows.map(([seq]) => seq as number);
    return down ? seqs.reverse() : seqs;
  }

  /** The events from `from` to `to` that match, in order. */
  *select(where: Where, from = 1, to = this.events): Generator<TraceEvent, void, undefined> {
    for (let next = from; next <= to; ) {
      const seqs = this.matching(where, next, to, PAGE);
      for (let i = 0; i < seqs.length; ) {
        let end = i + 1;
        while (end < seqs.length && seqs[end] === (seqs[end - 1] as number) + 1) end += 1;
        yield* this.range(seqs[i], seqs[end - 1]);
        i = end;
      }
      if (seqs.length < PAGE) return;
      next = (seqs.at(-1) as number) + 1;
    }
  }

  /** How many events from `from` to `to` match. */
  count(where: Where, from = 1, to = this.events): number {
    const sql = `SELECT count(*) FROM event WHERE seq BETWEEN ? AND ? AND (${where.where})`;
    const row = this.#queries.prepare(sql).get(from, Math.min(to, this.events), ...where.params);
    return row?.[0] as number;
  }

  /**
   * The events that `seq` caused directly. They began before it returned, which bounds the search; where it
   * never returned, to the end.
   */
  children(seq: number): Generator<TraceEvent, void, undefined> {
    const parent = this.event(seq);
    const tEnd = parent !== undefined && 'tEnd' in parent ? parent.tEnd : undefined;
    const to = tEnd === undefined ? this.events : this.lastAt(tEnd);
    return this.select({ where: 'parent = ?', params: [BigInt(seq)] }, seq + 1, to);
  }

  /** Time of an event in ns. */
  timeOf(seq: number): number {
    this.#time ??= this.#queries.prepare('SELECT t FROM event WHERE seq = ?');
    const [t] = this.#time.get(seq) ?? [];
    if (typeof t !== 'number') throw this.#queries.corrupt(`event ${seq} is missing`);
    return t;
  }

  /** Seq of the last event that is not later than `t`; 0 for none. */
  lastAt(t: number): number {
    let low = 0;
    let high = this.events;
    // Times never decrease with seq (docs/format.md), so no index on them is needed.
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.timeOf(middle) <= t) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** The file has tiles of its own, or is too short for any; else {@link tiles} reads every event once. */
  get hasTiles(): boolean {
    return !this.#tileReader().absent;
  }

  /**
   * What each actor did in the full buckets `from` to `to` of a level, counted (`tileEvents` events each, the first
   * bucket is 0); what is beyond the ends is left out. The events behind the last full bucket are for {@link range}.
   */
  tiles(level: number, from: number, to: number): Tile[] {
    const full = Math.floor(this.events / tileEvents(level));
    return this.#tileReader().tiles(level, Math.max(0, from), Math.min(to, full - 1));
  }

  #tileReader(): TileReader {
    this.#tiles ??= new TileReader(
      this.#queries,
      (id) => this.#rows.actors.actor(id),
      () => this.range(),
      this.events >= tileEvents(0),
    );
    return this.#tiles;
  }

  /** What the app can be told before the trace is replayed. */
  get index(): TraceIndex {
    return indexOf(this, () => this.#rows.actors.components());
  }

  /** Notes in the order in which they were made. */
  notes(): Note[] {
    return this.#all('SELECT at, text, author FROM note ORDER BY id').map(([where, text, author]) => {
      const words = (value: unknown): unknown => (typeof value === 'string' ? readWord(value) : value);
      const note = noteOf(where, words(text), words(author));
      if (note === undefined) throw this.#queries.corrupt('a note is not readable');
      return note;
    });
  }

  /** Places where events were lost, in order. */
  gaps(): Gap[] {
    return this.#all('SELECT after, t, lost, reason FROM gap ORDER BY id').map(([after, t, lost, reason]) => {
      const gap = gapOf(after, t, lost, reason);
      if (gap === undefined) throw this.#queries.corrupt('a gap is not readable');
      return gap;
    });
  }

  /** The journal in order; nothing where none was kept. */
  *journal(): Generator<JournalChunk, void, undefined> {
    let next = 0;
    for (;;) {
      const [row] = this.#all('SELECT first, count, data FROM journal WHERE first = ?', next);
      if (row === undefined) break;
      const [first, count, data] = row;
      const good = isCount(first) && isCount(count) && data instanceof Uint8Array;
      const chunk = good ? decodeJournal(first, count, data) : undefined;
      if (chunk === undefined)
        throw this.#queries.corrupt(`its journal is not readable from entry ${next} on`);
      yield chunk;
      next += chunk.count;
    }
    const [rest] = this.#all('SELECT count(*) FROM journal WHERE first >= ?', next);
    if (rest?.[0] !== 0) throw this.#queries.corrupt(`its journal has a hole at entry ${next}`);
  }

  /** Checkpoints in order. */
  *checkpoints(): Generator<PlacedCheckpoint, void, undefined> {
    for (let last = 0; ; ) {
      const [row] = this.#all(
        `SELECT ${CHECKPOINT_COLUMNS} FROM checkpoint WHERE id > ? ORDER BY id LIMIT 1`,
        last,
      );
      if (row === undefined) return;
      const placed = checkpointIn(row);
      if (placed === undefined) throw this.#queries.corrupt('a checkpoint is not readable');
      yield placed;
      last = row[0] as number;
    }
  }

  /**
   * The tables that checkpoints and journal refer to. Undefined where the file holds a kind of object that
   * `registry` does not know: then another engine wrote it, and the state has to be computed anew.
   */
  tables(registry: KindRegistry): StoreTables | undefined {
    const tables = { objects: [] as ObjectRow[], blobs: [] as Uint8Array[], components: [] as string[] };
    for (const [growth] of this.#all('SELECT growth FROM checkpoint ORDER BY id'))
      if (!(growth instanceof Uint8Array) || !addGrowth(growth, registry, tables)) return undefined;
    return tables;
  }

  /** The state with which the trace starts, where it does not start with the machine. */
  origin(registry: KindRegistry): Start | undefined {
    const [[text] = []] = this.#all(`SELECT value FROM meta WHERE key = '${META.origin}'`);
    if (text === undefined) return undefined;
    const open = openCallsIn(String(text));
    const [first] = this.checkpoints();
    const tables = this.tables(registry);
    if (tables === undefined)
      throw this.#queries.corrupt('another version of the engine wrote the state with which it starts');
    if (open === undefined || first === undefined || !isSound(first.checkpoint, tables))
      throw this.#queries.corrupt('the state with which it starts is not readable');
    return { store: first.checkpoint, tables, open };
  }

  #all(sql: string, ...params: readonly number[]): QueryRow[] {
    return this.#queries.prepare(sql).all(...params);
  }
}

/** Opens a trace for reading; a problem is one line: what, where, what to do. */
export function openTrace(path: string): TraceReader | TraceProblem {
  return TraceReader.open(path);
}

function readMeta(queries: Queries): Map<string, string> {
  const meta = new Map<string, string>();
  for (const [key, value] of queries.prepare('SELECT key, value FROM meta').all())
    if (typeof key === 'string' && typeof value === 'string') meta.set(key, value);
  return meta;
}

function countsIn(queries: Queries, meta: ReadonlyMap<string, string>): TraceCounts {
  const text = meta.get(META.counts);
  // A recording that was cut before its first commit has none.
  if (text === undefined) return { events: 0, kinds: {}, end: timeNs(0) };
  const counts = readCounts(text);
  if (counts === undefined) throw queries.corrupt('its counts are damaged');
  return counts;
}
