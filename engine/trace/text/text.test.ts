import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { TraceEvent } from '../event.ts';
import { anyEvents } from '../events.testing.ts';
import { parseProfile } from '../profile-read.ts';
import { EventLineReader, formatEvent, textContext } from './index.ts';

const read = parseProfile({});
assert.ok('profile' in read);
const { profile } = read;
const context = textContext(profile);

function parseAll(lines: readonly string[]): TraceEvent[] {
  const reader = new EventLineReader(profile);
  return lines.map((line) => {
    const next = reader.next(line);
    assert.ok('event' in next, 'problem' in next ? `${JSON.stringify(next.problem)} in ${line}` : '');
    return next.event;
  });
}

test('every event comes back from its line, and its line from the event', () => {
  fc.assert(
    fc.property(anyEvents, (events) => {
      const lines = events.map((event) => formatEvent(event, context));
      const again = parseAll(lines);
      assert.deepEqual(again, events);
      assert.deepEqual(
        again.map((event) => formatEvent(event, context)),
        lines,
      );
    }),
    { numRuns: 600 },
  );
});
