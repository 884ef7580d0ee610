import type { Remark } from '../../engine/app/session-parts.ts';
import type { EventSource } from '../../engine/replay/source.ts';
import { EVENT_KINDS } from '../../engine/trace/event.ts';
import { openAny } from '../../tracer/share/open.ts';
import type { AnyTrace } from '../../tracer/share/trace.ts';
import { isProblem } from '../../tracer/store/index.ts';
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

/**
 * Opens a `.hvtrace` or `.hvtrace.zst` to look at its events; anything else is a Problem of one line. The state with
 * which a flight recorder's trace starts is left out: to read it takes half of the engine, which a window does not
 * wait for (trace.ts has it).
 */
export function openEvents(path: string): OpenTrace {
  const opened = openAny(path);
  if (isProblem(opened)) throw new Problem(opened.text);
  const { counts } = opened;
  return {
    file: opened,
    source: {
      header: opened.header,
      count: opened.events,
      cut: !opened.complete,
      childKinds: new Set(EVENT_KINDS.filter((kind) => (counts.kinds[kind]?.children ?? 0) > 0)),
      range: (from, to) => opened.range(from, to),
    },
    engine: opened.engine,
    hash: opened.hash,
    close: () => opened.close(),
  };
}

/** Notes and gaps that a trace keeps beside its events, for the app. */
export function remarksOf(file: AnyTrace): Remark[] {
  const notes = file.notes().map(({ at, text }): Remark => ({ what: 'note', at, text }));
  const gaps = file.gaps().map(({ after, lost, reason }): Remark => {
    const text = lost === undefined ? reason : `${reason}, ${lost} events were lost`;
    return { what: 'gap', at: { seq: after, sub: 0 }, text };
  });
  return [...notes, ...gaps];
}
