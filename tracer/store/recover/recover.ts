import type { Start } from '../../../engine/replay/start.ts';
import type { KindRegistry } from '../../../engine/state/kind-path.ts';
import type { TraceEvent } from '../../../engine/trace/event.ts';
import { type Address, type Seq, seqOf, type TimeNs, timeNs } from '../../../engine/trace/position.ts';
import type { Profile, TraceHeader } from '../../../engine/trace/profile.ts';
import { parseProfile } from '../../../engine/trace/profile-read.ts';
import { META, readCounts, readHeader } from '../format/meta.ts';
import { startIn } from '../journal/origin.ts';
import type { NameSource } from '../names.ts';
import { columnsOf } from '../pages/record.ts';
import { isProblem, problem, type TraceProblem } from '../problem.ts';
import { fileProblem, statTrace } from '../read/header-page.ts';
import { TraceWriter } from '../write/writer.ts';
import { Pages } from './pages.ts';
import { RecoveredRows } from './rows.ts';
import { type Found, placedRecord, plain, scan } from './scan.ts';

/** What a recovery saved. */
export interface Recovery {
  /** Events that were saved. */
  readonly saved: number;
  /** Of these, how many lost a payload or who did it; each says so in its note. */
  readonly incomplete: number;
  /** Seqs of the torn file that are lost; `to` undefined: to an end that is not known. */
  readonly missing: readonly { readonly from: number; readonly to?: number }[];
  /** The profile was lost too; the new file says `unknown`. */
  readonly headerLost: boolean;
}

export interface RecoverOptions {
  readonly force: boolean;
  /** Names for the views, by the profile that the torn file turns out to have. */
  readonly names?: (profile: Profile) => NameSource;
  /** Kinds of object, for the state with which a trace starts; without it that is lost. */
  readonly registry?: KindRegistry;
  /** How far it is, from 0 to 1. */
  readonly progress?: (done: number) => void;
}

/**
 * Saves every event in intact pages of a torn file and its `-wal` into a new trace. Events are numbered anew; a
 * `mark` stands for each run that is lost, and is the parent of what was caused by one of them. Journal and
 * checkpoints are left behind: replay makes them again; but for the state with which a flight recorder's trace starts.
 */
export function recoverTrace(path: string, out: string, options: RecoverOptions): Recovery | TraceProblem {
  const stat = statTrace(path);
  if (isProblem(stat)) return stat;
  let pages: Pages;
  try {
    pages = new Pages(path);
  } catch (error) {
    return fileProblem(path, error);
  }
  try {
    const found = scan(pages, (page) => options.progress?.((page / pages.count) * 0.5));
    if (found.events.size === 0 && found.meta.get(META.header) === undefined)
      return problem('not-a-trace', `${path}: no page of it holds an event of a trace; nothing to recover`);
    return save(path, pages, found, out, options);
  } finally {
    pages.close();
  }
}

const UNKNOWN_PROFILE = { kernel: 'unknown', initial: 'unknown' };

function unknownHeader(): TraceHeader {
  const read = parseProfile(UNKNOWN_PROFILE);
  if ('problem' in read) throw new Error(read.problem.message);
  return { profile: read.profile, given: UNKNOWN_PROFILE };
}

function save(
  path: string,
  pages: Pages,
  found: Found,
  out: string,
  options: RecoverOptions,
): Recovery | TraceProblem {
  const { meta } = found;
  const known = readHeader(meta.get(META.header) ?? '', meta.get(META.profile) ?? '');
  const header = known ?? unknownHeader();
  const [tool, engine, start] = [META.tool, META.engine, META.start].map((key) => meta.get(key));
  const writer = TraceWriter.create(out, header, {
    force: options.force,
    ...(options.names === undefined ? {} : { names: options.names(header.profile) }),
    ...(tool === undefined ? {} : { tool }),
    ...(engine === undefined ? {} : { engine }),
    ...(start === undefined ? {} : { start }),
    capture: { how: 'recover', from: path, before: meta.get(META.capture) ?? null },
  });
  if (isProblem(writer)) return writer;
  try {
    const saver = new Saver(writer, new RecoveredRows(pages, found));
    const begins = options.registry === undefined ? undefined : startOf(pages, found, options.registry);
    let done = 0;
    for (const seq of found.events.ids()) {
      // Right behind the entries of the calls that were under way, if all of them are there.
      if (begins !== undefined && done === begins.open.length && saver.isWhole(done)) writer.origin(begins);
      saver.take(seq);
      done += 1;
      if (done % 1024 === 0) options.progress?.(0.5 + (done / found.events.size) * 0.5);
    }
    saver.end(readCounts(meta.get(META.counts) ?? '')?.events, found);
    writer.close();
    return { ...saver.recovery, headerLost: known === undefined };
  } catch (error) {
    writer.abort();
    throw error;
  }
}

/** The state with which the trace starts, where it does and all of it is there. */
function startOf(pages: Pages, { meta, checkpoint }: Found, registry: KindRegistry): Start | undefined {
  const open = meta.get(META.origin);
  const record = placedRecord(pages, checkpoint);
  const columns = record === undefined ? undefined : columnsOf(record);
  if (open === undefined || record === undefined || columns === undefined) return undefined;
  // SQLite keeps the row's number outside of its columns.
  return startIn([record.rowid, ...columns.slice(1).map(plain)], open, registry);
}

/** A run of lost events and the mark that stands for it. */
interface Hole {
  readonly from: number;
  /** Undefined where it is not known how far the torn file went. */
  readonly to: number | undefined;
  readonly mark: Seq;
}

/** Writes recovered events one after the other and keeps track of what their numbers become. */
class Saver {
  readonly #writer: TraceWriter;
  readonly #rows: RecoveredRows;
  readonly #holes: Hole[] = [];
  /** Seq in the torn file of the last event that was saved or given up. */
  #last = 0;
  #t = timeNs(0);
  #saved = 0;
  #incomplete = 0;

  constructor(writer: TraceWriter, rows: RecoveredRows) {
    this.#writer = writer;
    this.#rows = rows;
  }

  get recovery(): Omit<Recovery, 'headerLost'> {
    const missing = this.#holes.map(({ from, to }) => (to === undefined ? { from } : { from, to }));
    return { saved: this.#saved, incomplete: this.#incomplete, missing };
  }

  /** All of the first `count` events were saved, and nothing else. */
  isWhole(count: number): boolean {
    return this.#saved === count && this.#last === count;
  }

  /** Saves the event with this seq, if its row is one; seqs come in order. */
  take(seq: number): void {
    const row = this.#rows.read(seq);
    // Times never decrease: a row that says otherwise is damaged.
    if (row === undefined || row.event.t < this.#t) return;
    if (seq > this.#last + 1) this.#hole(seq - 1, row.event.t);
    const { parent, ...event } = row.event;
    const saved = {
      ...event,
      seq: seqOf(this.#writer.events + 1),
      ...(parent === undefined ? {} : { parent: this.#renumbered(parent) }),
      ...(row.lost === undefined
        ? {}
        : { note: event.note === undefined ? row.lost : `${event.note}; ${row.lost}` }),
    } as TraceEvent;
    this.#writer.append(saved);
    if (row.lost !== undefined) this.#incomplete += 1;
    this.#saved += 1;
    this.#last = seq;
    this.#t = event.t;
  }

  /** Marks what is lost at the end (`total`: how many events the torn file counted), then notes and gaps. */
  end(total: number | undefined, { notes, gaps }: Found): void {
    if (total === undefined || total > this.#last) this.#hole(total, this.#t);
    for (const note of notes) this.#writer.note({ ...note, at: this.#moved(note.at) });
    for (const gap of gaps) this.#writer.gap({ ...gap, after: this.#renumbered(gap.after) });
  }

  #hole(to: number | undefined, t: TimeNs): void {
    const from = this.#last + 1;
    const lost = to === undefined ? {} : { lost: to - from + 1 };
    this.#writer.gap({ after: seqOf(this.#writer.events), t, reason: 'recover', ...lost });
    const mark = seqOf(this.#writer.events + 1);
    const text = `lost from the torn file: events from ${from}${to === undefined ? ' on' : ` to ${to}`}`;
    this.#writer.append({ seq: mark, t, kind: 'mark', what: 'gap', provenance: 'authored', text, ...lost });
    this.#holes.push({ from, to, mark });
    this.#last = to ?? from;
  }

  /** New seq of an event of the torn file; of the mark that stands for it where it is lost. */
  #renumbered(seq: number): Seq {
    if (seq === 0) return seqOf(0);
    let [low, high] = [0, this.#holes.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#holes[middle] as Hole).from <= seq) low = middle + 1;
      else high = middle;
    }
    const hole = this.#holes[low - 1];
    if (hole === undefined) return seqOf(seq);
    const { mark, to } = hole;
    return to === undefined || seq <= to ? mark : seqOf(mark + seq - to);
  }

  #moved(at: Address): Address {
    return { ...at, seq: this.#renumbered(at.seq) };
  }
}
