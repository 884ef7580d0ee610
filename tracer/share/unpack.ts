import { isProblem, type NameSource, type TraceProblem, TraceWriter } from '../store/index.ts';
import type { AnyTrace } from './trace.ts';

/**
 * Makes a `.hvtrace` of any trace. A problem with the new file is returned and leaves no file; one with the
 * trace is thrown as it reads, and leaves none either. Returns the number of events.
 */
export function unpack(
  trace: AnyTrace,
  path: string,
  options: { readonly force: boolean; readonly names?: NameSource },
): number | TraceProblem {
  const { tool, engine, start, capture } = trace;
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
    for (const event of trace.range()) writer.append(event);
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
