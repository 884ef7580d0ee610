import { ALL_KINDS } from '../../engine/analysis/kinds.ts';
import type { EventSource } from '../../engine/replay/source.ts';
import { type KindRegistry, kindPath } from '../../engine/state/kind-path.ts';
import { TraceFileError } from '../../tracer/store/index.ts';
import { Problem } from './problem.ts';
import { type OpenTrace, openEvents } from './trace-events.ts';

/** Opens a `.hvtrace` or `.hvtrace.zst` to replay it; anything else is a Problem of one line. */
export function openTraceFile(path: string): OpenTrace {
  const trace = openEvents(path);
  try {
    return { ...trace, source: sourceOf(trace) };
  } catch (error) {
    trace.close();
    throw error;
  }
}

/** The events with the state with which a flight recorder's trace starts. */
export function sourceOf({ file, source }: OpenTrace): EventSource {
  try {
    const start = file.origin(kindOf);
    return start === undefined ? source : { ...source, start };
  } catch (error) {
    if (error instanceof TraceFileError) throw new Problem(error.message);
    throw error;
  }
}

const KINDS = new Map(ALL_KINDS.map((kind) => [kindPath(kind), kind]));

/** Kinds of object that this engine knows, by the name that a file has for them. */
export const kindOf: KindRegistry = (path) => KINDS.get(path);

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
