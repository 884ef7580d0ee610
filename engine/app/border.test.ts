import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCall } from './border.ts';
import { readShellCall } from './shell.ts';

test('a request with its members is let in as it is', () => {
  const input = { axis: 'time', from: 0.5, to: 2, buckets: 100, derived: true };
  assert.deepEqual(readCall('timeline', input), { method: 'timeline', input });
  assert.deepEqual(readShellCall('openRecent', { index: 2 }), { method: 'openRecent', input: { index: 2 } });
});

const refused: readonly (readonly [unknown, unknown, RegExp])[] = [
  ['drop', {}, /^no request is called "drop"$/],
  ['constructor', {}, /^no request is called/],
  ['__proto__', {}, /^no request is called/],
  [7, {}, /^no request is called 7$/],
  [undefined, {}, /^no request is called undefined$/],
  ['info', undefined, /^info: the input is not an object$/],
  ['info', [], /^info: the input is not an object$/],
  ['info', { at: '1' }, /^info: unknown member "at"$/],
  ['event', {}, /^event: at is missing or not a text$/],
  ['event', { at: 1 }, /^event: at is missing or not a text$/],
  ['event', { at: 'x'.repeat(4097) }, /^event: at is missing or not a text$/],
  ['matrix', { at: '1', nested: 'yes' }, /^matrix: nested is missing or not a flag$/],
  ['rows', { at: ['1', 2] }, /^rows: at is missing or not a list of texts$/],
  ['events', { filter: '', derived: true, from: -1, count: 1 }, /^events: from is missing or not a count$/],
  ['events', { filter: '', derived: true, from: 1.5, count: 1 }, /^events: from is missing or not a count$/],
  [
    'timeline',
    { axis: 'place', from: 0, to: 1, buckets: 1 },
    /^timeline: axis is missing or not a time or events$/,
  ],
  ['timeline', { axis: 'time', from: Number.NaN, to: 1, buckets: 1 }, /^timeline: from is missing/],
];

for (const [method, input, why] of refused) {
  test(`${String(method)} with ${JSON.stringify(input)?.slice(0, 40)} is refused`, () => {
    const read = readCall(method, input);
    assert.ok('problem' in read);
    assert.match(read.problem, why);
  });
}

test('the window takes its own requests only', () => {
  assert.ok('problem' in readShellCall('info', {}));
  assert.ok('problem' in readShellCall('openPath', { path: '/etc/passwd' }));
  assert.ok('problem' in readShellCall('openRecent', { index: '0' }));
});
