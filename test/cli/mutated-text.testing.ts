import assert from 'node:assert/strict';
import type { TraceEvent } from '../../engine/trace/event.ts';
import { seqOf, timeNs } from '../../engine/trace/position.ts';
import type { TraceHeader } from '../../engine/trace/profile.ts';
import { formatEvent, parseEventLine, parseHeader, textContext } from '../../engine/trace/text/index.ts';
import type { Mutation } from './mutations.testing.ts';

/** An exported trace, line by line. */
export class Text {
  readonly header: TraceHeader;
  readonly events: readonly TraceEvent[];

  constructor(text: string) {
    const [first = '', ...lines] = text.trimEnd().split('\n');
    const read = parseHeader(first);
    assert.ok('header' in read);
    this.header = read.header;
    const events: TraceEvent[] = [];
    for (const line of lines) events.push(this.#read(line, events.length + 1, events.at(-1)?.t ?? 0));
    this.events = events;
  }

  /** The text of an event. */
  line(event: TraceEvent): string {
    return formatEvent(event, textContext(this.header.profile));
  }

  /** The trace with one event's line replaced, as its reader takes it. */
  with({ event }: Mutation): TraceEvent[] {
    const index = event.seq - 1;
    const line = this.line(event);
    assert.notEqual(line, this.line(this.events[index] as TraceEvent));
    return this.events.with(index, this.#read(line, event.seq, this.events[index - 1]?.t ?? 0));
  }

  #read(line: string, seq: number, after: number): TraceEvent {
    const context = { ...textContext(this.header.profile), seq: seqOf(seq), after: timeNs(after) };
    const read = parseEventLine(line, seq + 1, context);
    assert.ok('event' in read, `${line}: ${'problem' in read ? read.problem.message : ''}`);
    return read.event;
  }
}

/** What a divergence of a field says of its place: a call's answers belong to its return. */
export function placeOf({ event, of }: Mutation): string {
  return of === 'answer' && (event.kind === 'ioctl' || event.kind === 'fd')
    ? `${event.seq}r`
    : `${event.seq}`;
}
