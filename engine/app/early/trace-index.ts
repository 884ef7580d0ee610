import type { Plan } from '../../filter/plan.ts';
import type { EventKind } from '../../trace/event.ts';
import type { LaneSigns } from '../lanes.ts';

/** What one actor did in one bucket of events. */
export interface ActorTile {
  readonly bucket: number;
  readonly actor: Omit<LaneSigns, 'kind'>;
  readonly counts: readonly {
    readonly kind: EventKind;
    readonly count: number;
    readonly failed: number;
    /** The first one. */
    readonly first: number;
  }[];
}

/** Counts that were made while recording. */
export interface TraceTiles {
  /** Events in a bucket by level, each a multiple of the one before. */
  readonly events: readonly number[];
  /** The buckets `from` to `to` of a level, all of them full, in order. */
  readonly read: (level: number, from: number, to: number) => readonly ActorTile[];
}

/** What a trace file can tell without reading its events one by one; throws where the file is damaged. */
export interface TraceIndex {
  /** Components in the order in which they come up. */
  readonly components: () => readonly string[];
  /** Time of an event in ns. */
  readonly timeOf: (seq: number) => number;
  /** Number of the last event that is not later than `t`; 0 for none. */
  readonly lastAt: (t: number) => number;
  /** Numbers of the events that may match, ascending, and what is left to be tested; null when all of them match. */
  readonly matching: (plan: Plan) => { readonly seqs: Uint32Array; readonly residual: Plan | null };
  /** Absent where the file holds no counts by bucket. */
  readonly tiles?: TraceTiles;
}
