import { isProblem, openTrace, type TraceProblem } from '../store/index.ts';
import { PackedTrace } from './packed-trace.ts';
import type { AnyTrace } from './trace.ts';

/** Opens a `.hvtrace` or a `.hvtrace.zst`, told apart by what they hold; a problem is one line. */
export function openAny(path: string): AnyTrace | TraceProblem {
  const trace = openTrace(path);
  return isProblem(trace) && trace.code === 'packed' ? PackedTrace.open(path) : trace;
}
