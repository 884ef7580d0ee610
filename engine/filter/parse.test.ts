import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TABLE, tree, withoutColumns } from './filter.testing.ts';
import { readFilter } from './filter.ts';
import { parse } from './parse.ts';
import { print } from './print.ts';

function canonical(text: string): string {
  const parsed = parse(text);
  assert.ok(parsed.ok, text);
  return print(parsed.tree);
}

test('reads the forms of the language and writes them in one way', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['kind==msr and not fault', 'kind == msr && !fault'],
    ['a or b and c', 'a || b && c'],
    ['(a || b) && c', '(a || b) && c'],
    ['((a)) && (b && c)', 'a && b && c'],
    ['not (a or b)', '!(a || b)'],
    ['!(!a)', '!(!a)'],
    ['op in {A,B , "c d"}', 'op in {A, B, "c d"}'],
    ['dur>=1500us', 'dur >= 1.5ms'],
    ['t < 0ms', 't < 0ns'],
    ['msr == 0X40', 'msr == 0X40'],
    ['msr == 0x0040', 'msr == 0x40'],
    ['ret < -22', 'ret < -22'],
    ['ret == -0x10', 'ret == -0x10'],
    ['vp == 2.0', 'vp == 2.0'],
    ['handle != vp:2.0', 'handle != vp:2.0'],
    ['input.elements[0].name ~ RIP', 'input.elements[0].name ~ RIP'],
    ['changes( cpu[*].synic.sint[0x2] )', 'changes(cpu[*].synic.sint[0x2])'],
    ['under(812.3) || under(4r)', 'under(812.3) || under(4r)'],
    [String.raw`who ~ "a\.b\\\"c"`, String.raw`who ~ "a\\.b\\\"c"`],
  ];
  for (const [text, expected] of cases) {
    assert.equal(canonical(text), expected);
    assert.equal(canonical(expected), expected);
  }
});

test('reading what was printed gives the same tree', () => {
  fc.assert(
    fc.property(tree, (given) => {
      const parsed = parse(print(given));
      assert.ok(parsed.ok, print(given));
      assert.deepEqual(withoutColumns(parsed.tree), withoutColumns(given));
    }),
    { numRuns: 500 },
  );
});

test('an error names the column, what stands there and what could', () => {
  const cases: readonly (readonly [string, number, string, string])[] = [
    ['', 1, '', 'kind'],
    ['kind ==', 8, '', 'msr'],
    ['kind = msr', 6, '=', ''],
    ['kind == msr who', 13, 'who', '&&'],
    ['(kind == msr', 13, '', ')'],
    ['op in {RUN MAP}', 12, 'MAP', ','],
    ['op in RUN', 7, 'RUN', '{'],
    ['!!op', 2, '!', '('],
    ['changes(CPU)', 9, 'CPU', 'a cell path such as cpu[0].synic.scontrol'],
    ['under(x)', 7, 'x', 'a position such as 812, 812.3 or 812r'],
    ['who == "abc', 8, '"abc', '"'],
    ['who == and', 8, 'and', 'vmbus'],
    ['t > 1.5ns', 5, '1.5ns', ''],
    [`ret > 0x1${'0'.repeat(32)}`, 7, `0x1${'0'.repeat(32)}`, ''],
    [`ret > ${'9'.repeat(2000)}`, 7, '9'.repeat(2000), ''],
    ['a & b', 3, '&', ''],
  ];
  for (const [text, column, found, expected] of cases) {
    const read = readFilter(text, TABLE);
    assert.ok(!read.ok, text);
    assert.equal(read.error.column, column, text);
    assert.equal(read.error.found, found, text);
    if (expected !== '') assert.ok(read.error.expected.includes(expected), `${text}: ${read.error.expected}`);
  }
});

test('size is limited, and no depth of nesting breaks it', () => {
  for (const text of ['('.repeat(4000), '!('.repeat(2000), `${'a||'.repeat(1300)}a`, 'a'.repeat(5000)]) {
    assert.equal(parse(text).ok, false);
  }
  assert.ok(parse(`${'('.repeat(64)}a${')'.repeat(64)}`).ok);
  assert.ok(parse(Array(256).fill('a').join('||')).ok);
});

const piece = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    ...'( ) { } , ! == != <= ~ && || and or not in changes under op kind 5ms 0x40 812.3 -1 "a" "\\'.split(
      ' ',
    ),
  ),
);

test('never throws, whatever it is given', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), fc.constantFrom('', ' '), (pieces, between) => {
      const text = pieces.join(between);
      const read = readFilter(text, TABLE);
      if (read.ok) assert.ok(readFilter(read.value.text, TABLE).ok);
      else assert.ok(read.error.column >= 1 && read.error.column <= text.length + 1);
    }),
    { numRuns: 3000 },
  );
});
