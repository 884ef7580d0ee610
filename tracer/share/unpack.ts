import type { Start } from '../../engine/replay/start.ts';
import { isProblem, type NameSource, Started, type TraceProblem, TraceWriter } from '../store/index.ts';
import type { AnyTrace } from './trace.ts';

/**
 * Makes a `.hvtrace` of any trace; `origin` is the state with which it starts. A problem with the new file is returned and leaves no file; one with the
 * trace is thrown as it reads, and leaves none either. Returns the number of events.
 */
export function unpack(
  trace: AnyTrace,
  path: string,
  options: { readonly force: boolean; readonly names?: NameSource; readonly origin?: Start },
): number | TraceProblem {
  const { tool, engine, start, capture } = trace;
  const { origin } = options;
  const writer = TraceWriter.create(path, trace.header, {
    force: options.force,
    ...(options.names === undefined ? {} : { names: options.names }),
    ...(tool === undefined ? {} : { tool }),
    ...(engine === undefined ? {} : { engine }),
    ...(start === undefined ? {} : { start }),
    ...(capture === undefined ? {} : { capture }),
  });
  if (isProblem(writer)) return writer;
  try {
    const whole = new Started(writer, origin);
    for (const event of trace.range()) whole.append(event);
    for (const note of trace.notes()) writer.note(note);
    for (const gap of trace.gaps()) writer.gap(gap);
    if (trace.hash !== undefined) writer.hash(trace.hash);
    writer.close();
  } catch (error) {
    writer.abort();
    throw error;
  }
  return writer.events;
}
