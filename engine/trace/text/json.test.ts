import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { columnOf, type JsonPath, parseJson } from './json.ts';

function problem(text: string): { column: number; message: string } {
  const read = parseJson(text);
  assert.ok('problem' in read, text);
  return read.problem;
}

/** Values without fractions: the event text has none. */
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.string({ unit: 'binary' }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(
      fc.string().filter((key) => key !== '__proto__'),
      tie('value'),
      { maxKeys: 4, noNullPrototype: true },
    ),
  ),
})).value;

test('reads what JSON.parse reads', () => {
  fc.assert(
    fc.property(json, fc.boolean(), (value, spaced) => {
      const text = spaced ? JSON.stringify(value, null, ' ').replaceAll('\n', ' \t') : JSON.stringify(value);
      assert.deepEqual(parseJson(text), { value: JSON.parse(text) });
    }),
  );
});

test('refuses what JSON.parse refuses, and never throws', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[[\]{}",:0-9a-f\\ntrue. -]{0,24}$/), (text) => {
      let valid = true;
      try {
        JSON.parse(text);
      } catch {
        valid = false;
      }
      if (!valid) assert.ok('problem' in parseJson(text));
    }),
    { numRuns: 2000 },
  );
});

test('a problem has the column of the offending sign', () => {
  const cases: [string, number, RegExp][] = [
    ['', 1, /expected a JSON value, found the end of the line/],
    ['{"a":1,}', 8, /expected a key in quotes, found "}"/],
    ['{"a" 1}', 6, /expected ":", found "1"/],
    ['{"a":1 "b":2}', 8, /expected "," or "}"/],
    ['[1 2]', 4, /expected "," or "]"/],
    ['{"a":1,"a":2}', 8, /stands here twice/],
    ['{"__proto__":{}}', 2, /unknown key/],
    ['{"a":1.5}', 6, /whole number/],
    ['{"a":1e3}', 6, /whole number/],
    ['{"a":01}', 6, /leading 0/],
    ['{"a":9007199254740992}', 6, /written as a string/],
    ['{"a":"x', 6, /no end/],
    ['{"a":"x\\q"}', 8, /expected one of/],
    ['{"a":"x\\u12g4"}', 8, /expected one of/],
    ['{"a":"\t"}', 7, /control character/],
    ['{} {}', 4, /expected nothing after/],
    ['{"a":nul}', 6, /expected a JSON value/],
    ['['.repeat(40), 33, /nested deeper than 32/],
  ];
  for (const [text, column, message] of cases) {
    const { column: at, message: said } = problem(text);
    assert.match(said, message, text);
    assert.equal(at, column, `${text}: ${said}`);
  }
});

test('columnOf finds keys and values', () => {
  const line = ' { "a" : [ 10, {"b\\u0041" : "x"} ], "c":{"d":true} }';
  const places: [JsonPath, boolean, string][] = [
    [[], false, '{'],
    [['a'], true, '"a"'],
    [['a'], false, '['],
    [['a', 0], false, '10'],
    [['a', 1, 'bA'], true, '"b\\u0041"'],
    [['a', 1, 'bA'], false, '"x"'],
    [['c', 'd'], false, 'true'],
    [['c', 'missing'], false, '{"d"'],
    [['c', 'd', 'deeper'], false, 'true'],
    [['a', 7], false, '['],
  ];
  for (const [path, key, there] of places)
    assert.equal(line.indexOf(there) + 1, columnOf(line, path, key), `${path.join('.')} ${there}`);
});
