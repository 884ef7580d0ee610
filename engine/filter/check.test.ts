import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatFilterError } from './error.ts';
import { TABLE } from './filter.testing.ts';
import { readFilter } from './filter.ts';
import type { FieldTable } from './table.ts';

const WITH_MEMBERS: FieldTable = {
  ...TABLE,
  payload: { members: () => ['x', 'flags', 'guest_pfn', 'elements', 'name'], values: () => [] },
};

test('what does not fit is named with its column and the words that would fit', () => {
  const cases: readonly (readonly [string, number, string, string])[] = [
    ['kindd == msr', 1, 'kindd', 'kind'],
    ['seq == 1 && sub == 1', 13, 'sub', 'seq'],
    ['kind == mrs', 9, 'mrs', 'msr'],
    ['kind == 1', 9, '1', 'msr'],
    ['kind < msr', 8, 'msr', '=='],
    ['op == reed', 7, 'reed', 'read'],
    ['op < MAP', 6, 'MAP', 'a number'],
    ['op == 5ms', 7, '5ms', 'read'],
    ['ret == vmbus', 8, 'vmbus', 'a number'],
    ['t > 5', 5, '5', 'a time such as 5ms'],
    ['seq == 0x10', 8, '0x10', 'a position such as 812, 812.3 or 812r'],
    ['who < vmbus', 7, 'vmbus', '=='],
    ['who == 5', 8, '5', 'a word'],
    ['pid ~ 5', 7, '5', '=='],
    ['who ~ "a("', 7, 'a(', ''],
    ['arg.x < ON', 9, 'ON', 'a number'],
    ['arg.x in {1, 5ms}', 14, '5ms', 'a name'],
    ['arg.flag', 1, 'arg.flag', 'flags'],
    ['in.elements[3].names', 1, 'in.elements[3].names', 'name'],
    ['args.flags', 1, 'args.flags', 'seq'],
  ];
  for (const [text, column, found, expected] of cases) {
    const read = readFilter(text, WITH_MEMBERS);
    assert.ok(!read.ok, text);
    assert.deepEqual([read.error.column, read.error.found], [column, found], text);
    if (expected !== '') assert.ok(read.error.expected.includes(expected), `${text}: ${read.error.expected}`);
  }
  assert.ok(readFilter('in.elements[*].name == 5 && arg.flags', WITH_MEMBERS).ok);
});

test('an error is one line, whatever was typed', () => {
  const line = (text: string) => {
    const read = readFilter(text, TABLE);
    assert.ok(!read.ok);
    return formatFilterError(read.error);
  };
  assert.equal(line('kind == mrs'), "filter, column 9: kind has no such value at 'mrs'; expected msr");
  assert.equal(
    line('kind =='),
    'filter, column 8: the filter stops too early at the end; expected ioctl, msr, message',
  );
  assert.equal(
    line('kind == "a\nb\u2028c"'),
    "filter, column 9: kind has no such value at 'a\\u{a}b\\u{2028}c'; expected ioctl, msr, message",
  );
  assert.equal(line('\u0007'), "filter, column 1: this character has no meaning in a filter at '\\u{7}'");
  assert.ok(line(`kind == ${'x'.repeat(3000)}`).length < 200);
});
