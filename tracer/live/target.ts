import { type CaptureFilter, captureFilterOf } from '../../engine/filter/capture.ts';
import type { Sides } from '../../engine/machine/machine.ts';
import type { TraceHeader } from '../../engine/trace/profile.ts';
import type { EventSink } from '../sink/event-sink.ts';
import { FilteredSink } from '../sink/filtered.ts';
import { FollowedRing } from '../sink/followed.ts';
import type { RingLimit } from '../sink/ring-limit.ts';
import type { TraceWriter } from '../store/index.ts';

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
  /** Writes what a flight recorder holds into a file of its own and goes on; others have nothing to do. */
  snapshot(): void;
}

/** A file, of which a filter may keep things out. */
export function fileTarget(writer: TraceWriter, header: TraceHeader, filter: string | undefined): Target {
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
    snapshot: () => {},
  };
}

/** Makes a file for what a ring holds; `started`: it has let go of nothing. A number: of a copy beside the recording. */
export type RingFile = (header: TraceHeader, started: boolean, number: number | undefined) => TraceWriter;

/** Copies that findings make at most: where everything is wrong the first ones say so. */
const MOST_FOR_FINDINGS = 8;

/** A flight recorder; `found` is told of each copy that is made because of a finding. */
export function ringTarget(
  limit: RingLimit,
  header: TraceHeader,
  sides: Sides,
  fileFor: RingFile,
  found: (finding: string, number: number) => void,
): Target {
  const ring = new FollowedRing(limit, header.profile, sides);
  let [present, written, copies, forFindings] = [header, 0, 0, 0];
  const write = (number: number | undefined, cut = false): void => {
    const writer = fileFor(present, ring.gone === 0, number);
    try {
      ring.writeTo(writer);
    } finally {
      written = writer.events;
      writer.close(cut || ring.isUnderWay);
    }
  };
  const snapshot = (): void => {
    copies++;
    write(copies);
  };
  return {
    sink: ring,
    get events() {
      return written;
    },
    get dropped() {
      return ring.gone;
    },
    tick() {
      const [finding] = ring.news();
      if (finding === undefined || forFindings === MOST_FOR_FINDINGS) return;
      forFindings++;
      snapshot();
      found(finding, copies);
    },
    header(learnt) {
      present = learnt;
      ring.readAs(learnt.profile);
    },
    close: (cut) => write(undefined, cut),
    snapshot,
  };
}

function filterOf(text: string, { profile }: TraceHeader): CaptureFilter {
  return captureFilterOf(text, profile);
}
