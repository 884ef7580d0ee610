import type { TraceHeader } from '../../engine/trace/profile.ts';
import { ENGINE_VERSION } from '../../engine/version.ts';
import { abiNames, isProblem, TraceFileError, TraceWriter } from '../../tracer/store/index.ts';
import { EXIT, Problem } from './problem.ts';
import { VERSION } from './version.ts';

/**
 * Makes a new trace file and lets `write` fill it. A user's mistake in what is read leaves nothing behind; when
 * the disk gives up, what was written stays.
 */
export async function record<T>(
  command: string,
  path: string,
  header: TraceHeader,
  options: { readonly force: boolean; readonly how: string },
  write: (writer: TraceWriter) => T | Promise<T>,
): Promise<T> {
  const writer = TraceWriter.create(path, header, {
    force: options.force,
    names: abiNames(header.profile),
    tool: VERSION,
    engine: ENGINE_VERSION,
    start: new Date().toISOString(),
    capture: { how: options.how },
  });
  if (isProblem(writer)) throw new Problem(`${command}: ${writer.text}`);
  try {
    const result = await write(writer);
    writer.close();
    return result;
  } catch (error) {
    if (error instanceof TraceFileError) {
      writer.close();
      throw new Problem(
        `${command}: ${error.message}; what was written until then is kept`,
        EXIT.environment,
      );
    }
    writer.abort();
    throw error;
  }
}
