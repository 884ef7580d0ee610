import type { CaptureFilter } from '../../engine/filter/capture.ts';
import type { PlaySink } from '../../engine/replay/play.ts';
import { recordingSink, stepSink, type TraceWriter } from '../store/index.ts';
import { FilteredSink } from './filtered.ts';

/** Where the steps of an engine go that runs now. Every call may throw a TraceFileError; after it come no more steps. */
export interface Recording {
  readonly sink: PlaySink;
  /** Does what is due. */
  tick(): void;
  /** How long {@link tick} may wait, in ms; undefined while nothing is due. */
  readonly dueMs: number | undefined;
  /** Events in the file so far. */
  readonly events: number;
  /** Events that were not to be written. */
  readonly dropped: number;
  /** Ends it; `hash` is that of the engine's journal. */
  finish(hash: string): void;
  /** Closes the file, also after an error. */
  close(): void;
}

/** Everything is written, with the journal and checkpoints. */
export function wholeRecording(writer: TraceWriter): Recording {
  return {
    sink: recordingSink(writer),
    tick: () => writer.tick(),
    get dueMs() {
      return writer.dueMs;
    },
    get events() {
      return writer.events;
    },
    dropped: 0,
    finish: (hash) => writer.hash(hash),
    close: () => writer.close(),
  };
}

/** Only what the filter matches is written: then no journal and no hash would fit the events. */
export function filteredRecording(
  writer: TraceWriter,
  filter: CaptureFilter,
  nowMs: () => number,
): Recording {
  const filtered = new FilteredSink(writer, filter, nowMs);
  return {
    sink: { step: stepSink(filtered), journal: () => {}, checkpoint: () => {} },
    tick() {
      filtered.tick();
      writer.tick();
    },
    get dueMs() {
      const [own, file] = [filtered.dueMs, writer.dueMs];
      return own === undefined || file === undefined ? (own ?? file) : Math.min(own, file);
    },
    get events() {
      return writer.events;
    },
    get dropped() {
      return filtered.dropped;
    },
    finish: () => filtered.end(),
    close: () => writer.close(),
  };
}
