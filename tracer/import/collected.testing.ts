import type { TraceEvent } from '../../engine/trace/event.ts';
import { EventLineReader, formatEvent, formatHeader, textContext } from '../../engine/trace/text/index.ts';
import type { EventSink } from '../sources/emitter.ts';
import { type ImportSummary, openText, type TextImportOptions } from './text-import.ts';

/** Keeps events as a trace would have them after its last answer. */
export function collector(): { readonly sink: EventSink; readonly events: TraceEvent[] } {
  const events: TraceEvent[] = [];
  return {
    events,
    sink: {
      append: (event) => void events.push(event),
      begin: (event) => void events.push(event),
      complete(seq, answer) {
        events[seq - 1] = { ...events[seq - 1], ...answer } as TraceEvent;
      },
    },
  };
}

export interface Imported {
  readonly form: string;
  /** The trace as event text. */
  readonly lines: readonly string[];
  readonly events: readonly TraceEvent[];
  readonly summary: ImportSummary;
}

/** Imports files and prints the trace; throws where it is not an event text that its reader takes. */
export async function imported(paths: readonly string[], options: TextImportOptions = {}): Promise<Imported> {
  const source = await openText(paths, options);
  const { sink, events } = collector();
  const summary = await source.run(sink, source.header);
  await source.close();
  const { profile } = source.header;
  const context = textContext(profile);
  const lines = events.map((event) => formatEvent(event, context));
  const reader = new EventLineReader(profile);
  for (const line of lines) {
    const read = reader.next(line);
    if ('problem' in read) throw new Error(`${line}: ${read.problem.message}`);
  }
  return { form: source.form, lines: [formatHeader(source.header), ...lines], events, summary };
}
