import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { EVENT_KINDS } from '../event.ts';
import { PROFILE_ROWS } from '../profile-keys.ts';
import { check } from '../schema/check.testing.ts';
import { EVENT_TEXT_SCHEMA } from '../schema/index.ts';
import { EventLineReader, formatEvent, parseHeader, textContext } from './index.ts';
import { KINDS } from './kinds.ts';

const page = readFileSync(join(import.meta.dirname, '../../../docs/event-text.md'), 'utf8');
const blocks = [...page.matchAll(/^```json\n(.*?)^```/gms)].map(([, block = '']) =>
  block.trimEnd().split('\n'),
);
const [trace = [], ...examples] = blocks;

test('the examples of docs/event-text.md read, and their canonical form reads the same', () => {
  const read = parseHeader(trace[0] ?? '');
  assert.ok('header' in read);
  const { profile } = read.header;
  const eventOf = (reader: EventLineReader, line: string) => {
    const next = reader.next(line);
    assert.ok('event' in next, 'problem' in next ? `${next.problem.message} in ${line}` : '');
    assert.equal(check(EVENT_TEXT_SCHEMA, JSON.parse(line)), undefined, line);
    return next.event;
  };
  const whole = new EventLineReader(profile);
  for (const line of trace.slice(1)) eventOf(whole, line);
  for (const line of examples.flat()) {
    const event = eventOf(new EventLineReader(profile), line);
    assert.deepEqual(eventOf(new EventLineReader(profile), formatEvent(event, textContext(profile))), event);
  }
});

test('docs/event-text.md names every kind and key', () => {
  const kinds = examples.flat().map((line) => JSON.parse(line).kind);
  for (const kind of EVENT_KINDS) {
    assert.ok(kinds.includes(kind), `no example of ${kind}`);
    const { lead, rows, extra, tail } = KINDS[kind];
    const section = page.slice(page.indexOf(`**${kind}**`)).split('\n\n')[0] ?? '';
    for (const key of [
      ...[...lead, ...rows, ...tail].map((row) => row.key),
      ...Object.keys(extra?.keys ?? {}),
    ])
      assert.ok(section.includes(`\`${key}\``), `${kind} does not name ${key}`);
  }
  for (const { key } of PROFILE_ROWS) assert.ok(page.includes(`\`${key}\``), key);
});
