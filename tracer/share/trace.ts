import type { TraceIndex } from '../../engine/app/early/trace-index.ts';
import type { Start } from '../../engine/replay/start.ts';
import type { KindRegistry } from '../../engine/state/kind-path.ts';
import type { TraceEvent } from '../../engine/trace/event.ts';
import type { TraceHeader } from '../../engine/trace/profile.ts';
import type { Gap, Note, TraceCounts } from '../store/index.ts';

/** A trace that is open for reading, packed or not: what both forms hold. */
export interface AnyTrace {
  readonly path: string;
  readonly header: TraceHeader;
  /** Versions, start and capture as the writer gave them. */
  readonly tool: string | undefined;
  readonly engine: string | undefined;
  readonly start: string | undefined;
  /** JSON text. */
  readonly capture: string | undefined;
  /** Hash of the whole journal, if the writer kept one. */
  readonly hash: string | undefined;
  /** What the user should know about this file, a line each. */
  readonly notices: readonly string[];
  readonly counts: TraceCounts;
  /** Number of events; also the seq of the last one. */
  readonly events: number;
  /** The recording was ended, not cut. */
  readonly complete: boolean;
  /** Events from seq `from` to seq `to`, both included, in order; what is beyond the ends is left out. */
  range(from?: number, to?: number): Generator<TraceEvent, void, undefined>;
  /** One event; undefined where there is none with this seq. */
  event(seq: number): TraceEvent | undefined;
  /** What the app can be told before the trace is replayed; a packed trace has none. */
  readonly index?: TraceIndex;
  /** The state with which it starts, where that is not the machine's first. */
  origin(registry: KindRegistry): Start | undefined;
  notes(): readonly Note[];
  gaps(): readonly Gap[];
  close(): void;
}
