import { Watch } from '../../engine/analysis/follow.ts';
import type { CaptureFilter } from '../../engine/filter/capture.ts';
import type { PlaySink } from '../../engine/replay/play.ts';
import type { Profile } from '../../engine/trace/profile.ts';
import { recordingSink, stepSink, type TraceWriter } from '../store/index.ts';
import { FilteredSink } from './filtered.ts';
import { Ring } from './ring.ts';
import { type RingFile, RingFiles } from './ring-files.ts';
import type { RingLimit } from './ring-limit.ts';

/** Where the steps of an engine go that runs now. Every call may throw a TraceFileError; after it come no more steps. */
export interface Recording {
  readonly sink: PlaySink;
  /** Sees each step as the machine stands then; the sink may be given it later. */
  watch?(...step: Parameters<PlaySink['step']>): void;
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

/**
 * Only the last events are kept, in memory; they are written at the end, when asked for, and when a rule is broken: `found` is told
 * of that.
 */
export function ringRecording(
  limit: RingLimit,
  profile: Profile,
  fileFor: RingFile,
  found: (finding: string, number: number) => void,
): Recording {
  const ring = new Ring(limit);
  const rules = new Watch(profile);
  const files = new RingFiles(ring, fileFor, found);
  return {
    sink: {
      step: stepSink(ring),
      journal: () => {},
      checkpoint: (checkpoint, machine) => ring.rest(checkpoint, machine.store.tables),
    },
    watch: (step, { store }) => rules.step(step, store),
    tick: () => files.news(rules.news()),
    dueMs: undefined,
    get events() {
      return files.written;
    },
    get dropped() {
      return ring.gone;
    },
    finish: () => files.write(),
    close: () => {},
    snapshot: () => files.copy(),
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
  let [over, seen] = [false, false];
  const { sink } = recording;
  return {
    watch(step, machine) {
      if (seen) return;
      recording.watch?.(step, machine);
      seen = until.holds(step.event);
    },
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
