import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EVENT_KINDS, type EventKind } from '../event.ts';
import { anyEvents } from '../events.testing.ts';
import { PROFILE_ROWS } from '../profile-keys.ts';
import { describeProfile, parseProfile } from '../profile-read.ts';
import { EventLineReader, formatEvent, parseHeader, textContext } from '../text/index.ts';
import { check } from './check.testing.ts';
import { EVENT_TEXT_SCHEMA, eventSchema, HEADER_SCHEMA } from './index.ts';

const read = parseProfile({});
assert.ok('profile' in read);
const { profile } = read;

test('the schema is plain JSON', () => {
  assert.deepEqual(JSON.parse(JSON.stringify(EVENT_TEXT_SCHEMA)), EVENT_TEXT_SCHEMA);
  assert.deepEqual(Object.keys(EVENT_TEXT_SCHEMA.$defs ?? {}), ['header', ...EVENT_KINDS]);
});

test('every line that is written fits the schema', () => {
  fc.assert(
    fc.property(anyEvents, (events) => {
      for (const event of events) {
        const line: unknown = JSON.parse(formatEvent(event, textContext(profile)));
        assert.equal(check(eventSchema(event.kind), line), undefined);
        assert.equal(check(EVENT_TEXT_SCHEMA, line), undefined);
      }
    }),
  );
});

test('a header fits the schema, with every key of the profile', () => {
  const whole = Object.entries(describeProfile(profile)).map(([key, value]) => `"${key}":${value}`);
  const line = `{"profile":{${whole.join(',')}},"expect":{"findings":[{"rule":"R01","component":"mshv","at":"8.2"}]}}`;
  assert.equal(whole.length, PROFILE_ROWS.length);
  assert.ok('header' in parseHeader(line));
  assert.equal(check(HEADER_SCHEMA, JSON.parse(line)), undefined);
  assert.equal(check(EVENT_TEXT_SCHEMA, JSON.parse(line)), undefined);
});

test('the schema refuses what the reader refuses: unknown and missing keys, wrong types and words', () => {
  const good: Readonly<Record<EventKind, string>> = {
    ioctl: '"handle":"device","op":"MSHV_CREATE_PARTITION"',
    hypercall: '"code":"HVCALL_CREATE_VP"',
    msr: '"dir":"read","msr":"SIMP"',
    message: '"what":"read","sint":2',
    intercept: '"vp":"2.0","type":1',
    fd: '"what":"close"',
    page: '"what":"alloc","page":"simp"',
    lifecycle: '"what":"kexec"',
    mark: '"what":"note"',
  };
  const accepted = (line: string): boolean => 'event' in new EventLineReader(profile).next(line);
  const fits = (line: string): boolean => check(EVENT_TEXT_SCHEMA, JSON.parse(line)) === undefined;
  for (const kind of EVENT_KINDS) {
    const line = `{"t":"0","kind":"${kind}",${good[kind]}}`;
    assert.ok(accepted(line) && fits(line), line);
    const wrong = [
      line.replace('}', ',"colour":1}'),
      line.replace('"t":"0",', ''),
      line.replace('"0"', '"0h"'),
      line.replace('"0"', '0'),
      line.replace('}', ',"cpu":[0]}'),
      line.replace('}', ',"cpu":"zero"}'),
      line.replace('}', ',"note":7}'),
      line.replace('}', ',"provenance":"guessed"}'),
      line.replace(`"${kind}"`, '"call"'),
    ];
    if (good[kind].includes('"what"')) wrong.push(line.replace(/"what":"\w+"/, '"what":"dance"'));
    if (kind !== 'hypercall') wrong.push(line.replace(`,${good[kind]}`, ''));
    for (const text of wrong) assert.ok(!accepted(text) && !fits(text), text);
  }
});
