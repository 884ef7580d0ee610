import { type CaptureFilter, captureFilterOf } from '../../engine/filter/capture.ts';
import type { Sides } from '../../engine/machine/machine.ts';
import type { Profile, TraceHeader } from '../../engine/trace/profile.ts';
import type { EventSink } from '../sink/event-sink.ts';
import { FilteredSink, midLife } from '../sink/filtered.ts';
import { FollowedRing } from '../sink/followed.ts';
import type { Kept } from '../sink/kept.ts';
import { copyPath } from '../sink/ring.ts';
import { type RingFile, RingFiles, toldOf } from '../sink/ring-files.ts';
import type { RingLimit } from '../sink/ring-limit.ts';
import { isProblem, TraceFileError, type TraceProblem, type TraceWriter } from '../store/index.ts';

/** Where a live recording goes. Every call may throw a TraceFileError; after it nothing more goes there. */
export interface Target {
  readonly sink: EventSink;
  /** Events in the file so far. */
  readonly events: number;
  /** Events that were not to be written. */
  readonly dropped: number;
  /** Does what is due; called every few milliseconds. */
  tick(): void;
  /** It has become known which kernel it is. */
  header(header: TraceHeader): void;
  /** Ends it; `cut`: calls are under way that may return. */
  close(cut: boolean): void;
  /** Nothing was recorded: removes what it made. */
  abort(): void;
  /** Writes what a flight recorder holds into a file of its own and goes on; others have nothing to do. */
  snapshot(): void;
}

/** A file, of which a filter may keep things out. */
function fileTarget(writer: TraceWriter, header: TraceHeader, filter: string | undefined): Target {
  const filtered =
    filter === undefined
      ? undefined
      : new FilteredSink(writer, filterOf(filter, header), () => performance.now());
  return {
    sink: filtered ?? writer,
    get events() {
      return writer.events;
    },
    get dropped() {
      return filtered?.dropped ?? 0;
    },
    tick: () => filtered?.tick(),
    header(learnt) {
      writer.header(learnt);
      if (filter !== undefined) filtered?.readAs(filterOf(filter, learnt));
    },
    close(cut) {
      filtered?.end();
      writer.close(cut);
    },
    abort: () => writer.abort(),
    snapshot: () => {},
  };
}

/** Makes a trace file; `profile` is asked again while it is written: the kernel may be learnt late. */
export type CreateFile = (
  path: string,
  header: TraceHeader,
  profile: () => Profile,
) => TraceWriter | TraceProblem;

/** What a recording goes to. */
export interface TargetOptions {
  readonly path: string;
  /** Of a recording that a filter keeps things out of: one that began mid-life. */
  readonly header: TraceHeader;
  /** The header as it is by now. */
  readonly present: () => TraceHeader;
  readonly kept: Kept;
  /** What a flight recorder has the machine's state from. */
  readonly sides: Sides;
  readonly create: CreateFile;
  /** Tells the user something: one line. */
  readonly tell: (line: string) => void;
}

/** Where events go: a file that is there from now on, or a flight recorder, which makes it at the end. */
export function openTarget(options: TargetOptions): Target | TraceProblem {
  const { path, header, present, kept, sides, create, tell } = options;
  const writer = create(path, header, () => present().profile);
  if (isProblem(writer)) return writer;
  if (kept.ring === undefined) return fileTarget(writer, header, kept.filter);
  // It is there for nothing but to find out that it can be.
  writer.abort();
  const fileFor: LearntFile = (learnt, started, number) => {
    const own = started ? learnt : midLife(learnt);
    const made = create(number === undefined ? path : copyPath(path, number), own, () => own.profile);
    if (isProblem(made)) throw new TraceFileError(made);
    return made;
  };
  return ringTarget(kept.ring, header, sides, fileFor, (finding, number) =>
    tell(toldOf(finding, copyPath(path, number))),
  );
}

/** Makes a file with the header as it is by then; else as {@link RingFile}. */
type LearntFile = (header: TraceHeader, ...rest: Parameters<RingFile>) => ReturnType<RingFile>;

/** A flight recorder; `found` is told of each copy that is made because of a finding. */
export function ringTarget(
  limit: RingLimit,
  header: TraceHeader,
  sides: Sides,
  fileFor: LearntFile,
  found: (finding: string, number: number) => void,
): Target {
  const ring = new FollowedRing(limit, header.profile, sides);
  let present = header;
  const files = new RingFiles(ring, (started, number) => fileFor(present, started, number), found);
  return {
    sink: ring,
    get events() {
      return files.written;
    },
    get dropped() {
      return ring.gone;
    },
    tick: () => files.news(ring.news()),
    header(learnt) {
      present = learnt;
      ring.readAs(learnt.profile);
    },
    close: (cut) => files.write(cut),
    abort: () => {},
    snapshot: () => files.copy(),
  };
}

function filterOf(text: string, { profile }: TraceHeader): CaptureFilter {
  return captureFilterOf(text, profile);
}
