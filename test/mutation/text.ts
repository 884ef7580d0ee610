import assert from 'node:assert/strict';
import type { TraceEvent } from '../../engine/trace/event.ts';
import { seqOf, timeNs } from '../../engine/trace/position.ts';
import type { TraceHeader } from '../../engine/trace/profile.ts';
import { formatEvent, parseEventLine, textContext } from '../../engine/trace/text/index.ts';

/** An event as an exported trace shows it. */
export function lineOf({ profile }: TraceHeader, event: TraceEvent): string {
  return formatEvent(event, textContext(profile));
}

/** The event that a reader of the exported trace gets. */
export function readBack(header: TraceHeader, event: TraceEvent): TraceEvent {
  const context = { ...textContext(header.profile), seq: seqOf(event.seq), after: timeNs(0) };
  const line = lineOf(header, event);
  const read = parseEventLine(line, event.seq + 1, context);
  assert.ok('event' in read, `${line}: ${'problem' in read ? read.problem.message : ''}`);
  return read.event;
}
