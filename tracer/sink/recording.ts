import type { CaptureFilter } from '../../engine/filter/capture.ts';
import type { PlaySink } from '../../engine/replay/play.ts';
import { recordingSink, stepSink, type TraceWriter } from '../store/index.ts';
import { FilteredSink } from './filtered.ts';
import { Ring } from './ring.ts';
import type { RingLimit } from './ring-limit.ts';

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
  /** Writes what a flight recorder holds into a file of its own, and goes on; others have nothing to do. */
  snapshot(): void;
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
    snapshot: () => {},
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
    snapshot: () => {},
  };
}

/** Makes a file for what a ring holds; `started`: it has let go of nothing. */
export type RingFile = (started: boolean, number: number | undefined) => TraceWriter;

/** Only the last events are kept, in memory; they are written at the end and when asked for. */
export function ringRecording(limit: RingLimit, fileFor: RingFile): Recording {
  const ring = new Ring(limit);
  let [written, snapshots] = [0, 0];
  const write = (number: number | undefined): void => {
    const writer = fileFor(ring.gone === 0, number);
    try {
      ring.writeTo(writer);
    } finally {
      written = writer.events;
      writer.close(ring.isUnderWay);
    }
  };
  return {
    sink: {
      step: stepSink(ring),
      journal: () => {},
      checkpoint: (checkpoint, machine) => ring.rest(checkpoint, machine.store.tables),
    },
    tick: () => {},
    dueMs: undefined,
    get events() {
      return written;
    },
    get dropped() {
      return ring.gone;
    },
    finish: () => write(undefined),
    close: () => {},
    snapshot() {
      snapshots++;
      write(snapshots);
    },
  };
}

/** Events alone, whose recording may end while calls are under way. */
export function plainRecording(writer: TraceWriter): Recording {
  return {
    sink: { step: stepSink(writer), journal: () => {}, checkpoint: () => {} },
    tick: () => writer.tick(),
    get dueMs() {
      return writer.dueMs;
    },
    get events() {
      return writer.events;
    },
    dropped: 0,
    finish: () => {},
    close: () => writer.close(true),
    snapshot: () => {},
  };
}

/** Ends with the first event that the filter matches: what comes behind it is not recorded. */
export function untilRecording(recording: Recording, until: CaptureFilter): Recording {
  let over = false;
  const { sink } = recording;
  return {
    sink: {
      step(step, machine) {
        if (over) return;
        sink.step(step, machine);
        over = until.holds(step.event);
      },
      journal: (chunk) => sink.journal(chunk),
      checkpoint(checkpoint, machine) {
        if (!over) sink.checkpoint(checkpoint, machine);
      },
    },
    tick: () => recording.tick(),
    get dueMs() {
      return recording.dueMs;
    },
    get events() {
      return recording.events;
    },
    get dropped() {
      return recording.dropped;
    },
    finish: (hash) => recording.finish(hash),
    close: () => recording.close(),
    snapshot: () => recording.snapshot(),
  };
}
