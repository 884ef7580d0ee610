import type { TraceEvent } from '../../engine/trace/event.ts';
import type { TraceHeader } from '../../engine/trace/profile.ts';
import {
  EventLineReader,
  type HeaderLine,
  MAX_LINE_CHARACTERS,
  parseHeader,
  type TextProblem,
} from '../../engine/trace/text/index.ts';
import { type Import, ImportError, type Importer, type ImportOptions } from './importer.ts';
import { type Lines, readLines } from './lines.ts';

function errorOf(path: string, { line, column, message }: TextProblem): ImportError {
  return new ImportError(path, message, line, column);
}

function readHeader(path: string, text: string): HeaderLine {
  const read = parseHeader(text);
  if ('problem' in read) throw errorOf(path, read.problem);
  return read;
}

function readEvents(path: string, reader: EventLineReader, texts: readonly string[]): TraceEvent[] {
  return texts.map((text) => {
    const read = reader.next(text);
    if ('problem' in read) throw errorOf(path, read.problem);
    return read.event;
  });
}

async function* batches(
  path: string,
  header: TraceHeader,
  head: Lines,
  rest: AsyncGenerator<Lines>,
  options: ImportOptions,
): AsyncGenerator<readonly TraceEvent[]> {
  const reader = new EventLineReader(header.profile);
  let events = 0;
  const take = (texts: readonly string[], { bytesRead, bytesTotal }: Lines): TraceEvent[] => {
    const batch = readEvents(path, reader, texts);
    events += batch.length;
    options.onProgress?.({ bytesRead, bytesTotal, events });
    return batch;
  };
  try {
    yield take(head.texts.slice(1), head);
    for await (const lines of rest) yield take(lines.texts, lines);
  } finally {
    await close(rest);
  }
}

async function close(lines: AsyncGenerator<Lines>): Promise<void> {
  await lines.return(undefined);
}

/** Imports the event text (`.hvtrace.ndjson`), line by line in constant memory. */
export const eventTextImporter: Importer = {
  name: 'event text',
  async open(path: string, options: ImportOptions = {}): Promise<Import> {
    // A character takes at most three bytes of UTF-8 for each of its UTF-16 units.
    const lines = readLines(path, { maxBytes: 3 * MAX_LINE_CHARACTERS, lenient: false }, options);
    const head = await lines.next();
    if (head.done === true) throw new ImportError(path, 'is empty: expected {"profile":{…}} on line 1', 1, 1);
    const [first = ''] = head.value.texts;
    try {
      const { header, start } = readHeader(path, first);
      const events = batches(path, header, head.value, lines, options);
      return { header, ...(start === undefined ? {} : { start }), events, close: () => close(lines) };
    } catch (error) {
      await close(lines);
      throw error;
    }
  },
};
