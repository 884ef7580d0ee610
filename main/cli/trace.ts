import { ALL_KINDS } from '../../engine/analysis/kinds.ts';
import type { Remark } from '../../engine/app/session-parts.ts';
import type { EventSource } from '../../engine/replay/source.ts';
import type { Start } from '../../engine/replay/start.ts';
import { EVENT_KINDS } from '../../engine/trace/event.ts';
import { openAny } from '../../tracer/share/open.ts';
import type { AnyTrace } from '../../tracer/share/trace.ts';
import { isProblem, kindPath, TraceFileError } from '../../tracer/store/index.ts';
import { Problem } from './problem.ts';

/** A trace that is open for reading, packed or not. */
export interface OpenTrace {
  readonly file: AnyTrace;
  readonly source: EventSource;
  /** Engine version and journal hash that the file holds, where it holds one. */
  readonly engine: string | undefined;
  readonly hash: string | undefined;
  close(): void;
}

/** Opens a `.hvtrace` or `.hvtrace.zst`; anything else is a Problem of one line. */
export function openTraceFile(path: string): OpenTrace {
  const opened = openAny(path);
  if (isProblem(opened)) throw new Problem(opened.text);
  const { counts } = opened;
  const start = startOf(opened);
  return {
    file: opened,
    source: {
      header: opened.header,
      count: opened.events,
      cut: !opened.complete,
      ...(start === undefined ? {} : { start }),
      childKinds: new Set(EVENT_KINDS.filter((kind) => (counts.kinds[kind]?.children ?? 0) > 0)),
      range: (from, to) => opened.range(from, to),
    },
    engine: opened.engine,
    hash: opened.hash,
    close: () => opened.close(),
  };
}

/** The state with which a flight recorder's trace starts. */
function startOf(opened: AnyTrace): Start | undefined {
  try {
    return opened.origin?.((path) => KINDS.get(path));
  } catch (error) {
    opened.close();
    if (error instanceof TraceFileError) throw new Problem(error.message);
    throw error;
  }
}

const KINDS = new Map(ALL_KINDS.map((kind) => [kindPath(kind), kind]));

/** Notes and gaps that a trace keeps beside its events, for the app. */
export function remarksOf(file: AnyTrace): Remark[] {
  const notes = file.notes().map(({ at, text }): Remark => ({ what: 'note', at, text }));
  const gaps = file.gaps().map(({ after, lost, reason }): Remark => {
    const text = lost === undefined ? reason : `${reason}, ${lost} events were lost`;
    return { what: 'gap', at: { seq: after, sub: 0 }, text };
  });
  return [...notes, ...gaps];
}

/** Runs a command over an open trace; what turns out to be damaged while it is read is a Problem. */
export async function withTrace<T>(path: string, work: (trace: OpenTrace) => Promise<T>): Promise<T> {
  const trace = openTraceFile(path);
  try {
    return await work(trace);
  } catch (error) {
    if (error instanceof TraceFileError) throw new Problem(error.message);
    throw error;
  } finally {
    trace.close();
  }
}
