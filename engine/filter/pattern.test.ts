import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compilePattern, MAX_PATTERN_CHARS } from './pattern.ts';

function matches(source: string, text: string): boolean {
  const compiled = compilePattern(source);
  assert.ok(compiled.ok, source);
  return compiled.pattern.test(text);
}

test('finds what a regular expression finds', () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['RUN', 'MSHV_RUN_VP', true],
    ['run', 'MSHV_RUN_VP', true],
    ['^RUN', 'MSHV_RUN_VP', false],
    ['SINT1[0-5]$', 'HV_X64_MSR_SINT15', true],
    ['SINT1[0-5]$', 'HV_X64_MSR_SINT1', false],
    ['^vp:2\\.', 'vp:2.0', true],
    ['^vp:2\\.', 'vp:210', false],
    ['SIMP|SIEFP', 'HV_X64_MSR_SIEFP', true],
    ['(SET|GET)_VP_(REG|STATE)', 'HVCALL_GET_VP_STATE', true],
    ['[^a-z]', 'ABC', false],
    ['', '', true],
    ['a.c', 'a\nc', true],
    ['[a-]', '-', true],
  ];
  for (const [source, text, expected] of cases) {
    assert.equal(matches(source, text), expected, `${source} in ${text}`);
  }
});

test('says where a pattern is wrong', () => {
  const cases: readonly (readonly [string, number])[] = [
    ['a(b', 3],
    ['a)b', 1],
    ['*a', 0],
    ['a**', 2],
    ['a{2}', 1],
    ['[z-a]', 4],
    ['\\d', 1],
    ['a\\', 2],
    ['[a', 2],
    ['[]', 1],
    ['x'.repeat(MAX_PATTERN_CHARS + 1), MAX_PATTERN_CHARS],
    ['('.repeat(100), 32],
  ];
  for (const [source, offset] of cases) {
    const compiled = compilePattern(source);
    assert.ok(!compiled.ok, source);
    assert.equal(compiled.offset, offset, `${source}: ${compiled.message}`);
  }
});

/** Patterns of the language, by its grammar, over an alphabet small enough to match often. */
const source = fc.letrec<{ alternatives: string; sequence: string; repeated: string; single: string }>(
  (tie) => ({
    alternatives: fc.array(tie('sequence'), { minLength: 1, maxLength: 3 }).map((all) => all.join('|')),
    sequence: fc.array(tie('repeated'), { maxLength: 4 }).map((all) => all.join('')),
    repeated: fc.tuple(tie('single'), fc.constantFrom('', '', '*', '+', '?')).map(([a, b]) => a + b),
    single: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom('a', 'B', 'c', '.', '\\.', '[ab]', '[^a]', '[a-c.]', '_'),
      tie('alternatives').map((inner) => `(${inner})`),
    ),
  }),
).alternatives;
const tied = fc.tuple(fc.boolean(), source, fc.boolean()).map(([start, inner, end]) => {
  return `${start ? '^' : ''}(${inner})${end ? '$' : ''}`;
});

test('agrees with the regular expressions of JavaScript', () => {
  fc.assert(
    fc.property(tied, fc.string({ unit: fc.constantFrom(...'aAbBc._'), maxLength: 8 }), (pattern, text) => {
      // V8 tries one way after the other: a long pattern of nested repetitions would keep it for hours.
      fc.pre(pattern.length <= 32);
      assert.equal(matches(pattern, text), new RegExp(pattern, 'is').test(text));
    }),
    { numRuns: 500 },
  );
});

test('takes steps in proportion to the text, where backtracking would not end', () => {
  const text = 'a'.repeat(20_000);
  for (const pattern of ['(a*)*b', '(a|a)*b', `${'a?'.repeat(60)}${'a'.repeat(60)}b`, '(a+)+$b']) {
    assert.equal(matches(pattern, text), false);
  }
});

test('never throws on any pattern', () => {
  const unit = fc.constantFrom(...'ab()[]^$.*+?|\\-{}');
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit, maxLength: 30 }), fc.string()), fc.string(), (pattern, text) => {
      const compiled = compilePattern(pattern);
      if (compiled.ok) assert.equal(typeof compiled.pattern.test(text), 'boolean');
      else assert.ok(compiled.offset <= pattern.length);
    }),
    { numRuns: 3000 },
  );
});
