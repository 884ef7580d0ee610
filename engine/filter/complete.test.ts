import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { complete } from './complete.ts';
import { TABLE } from './filter.testing.ts';
import { readFilter } from './filter.ts';
import type { FieldTable } from './table.ts';

const FIELDS: FieldTable = {
  ...TABLE,
  payload: {
    members: (root) => (root === 'arg' ? ['flags', 'guest_pfn'] : ['name']),
    values: (root, path) => (root === 'arg' && path.at(-1) === 'flags' ? ['WRITABLE', 'HAS SPACE'] : []),
  },
};

/** Completion at the `|` in the text: the text after the first choice, and all choices. */
function at(marked: string): { readonly text: string; readonly words: readonly string[] } {
  const cursor = marked.indexOf('|');
  const text = marked.slice(0, cursor) + marked.slice(cursor + 1);
  const { from, to, words } = complete(text, cursor, FIELDS);
  return { text: text.slice(0, from) + (words[0] ?? '') + text.slice(to), words };
}

test('offers what can stand at the cursor', () => {
  assert.equal(at('ki|').text, 'kind');
  assert.ok(at('|').words.includes('op') && at('|').words.includes('changes') && at('|').words.includes('!'));
  assert.ok(!at('|').words.includes('sub'));
  assert.deepEqual(at('kind == m|').words, ['msr', 'message']);
  assert.deepEqual(at('kind == |').words, ['ioctl', 'msr', 'message']);
  assert.equal(at('kind == io|xx && op').text, 'kind == ioctl && op');
  assert.deepEqual(at('op in {RUN, wr|').words, ['write']);
  assert.ok(at('kind |').words.includes('==') && at('kind |').words.includes('&&'));
  assert.ok(at('op in {RUN |').words.includes('}'));
  assert.deepEqual(at('(kind == msr and wh|').words, ['who']);
  assert.deepEqual(at('arg.gu|').words, ['arg.guest_pfn']);
  assert.deepEqual(at('arg.flags == |').words, ['WRITABLE', '"HAS SPACE"']);
  assert.equal(at('changes(cpu[*].synic.sie|').text, 'changes(cpu[*].synic.siefp');
  assert.deepEqual(at('who == "vm|').words, []);
  assert.deepEqual(at('kind = = m|').words, []);
});

test('names that hold what was typed come after those that start with it', () => {
  assert.deepEqual(at('op == R|').words, ['RUN', 'read', 'write']);
});

test('never throws, and what it offers can stand there', () => {
  const piece = fc.constantFrom(
    'op',
    'kind',
    '==',
    'RUN',
    '&&',
    '(',
    ')',
    '!',
    ' ',
    '"',
    'in {',
    ',',
    'arg.',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), fc.nat(40), fc.string(), (pieces, cursor, noise) => {
      const text = pieces.join(' ');
      complete(noise, cursor, FIELDS);
      const { from, to, words } = complete(text, cursor, FIELDS);
      assert.ok(from <= to && to <= text.length);
      const word = words[0];
      // A root (`arg.`) is not a whole word.
      if (word === undefined || word.endsWith('.') || to < text.length) return;
      const read = readFilter(text.slice(0, from) + word, TABLE);
      // Whatever is missing after it or wrong before it (a value), what was put in is not what is wrong.
      if (!read.ok && read.error.message !== 'unknown field')
        assert.notEqual(read.error.column, from + 1, text + word);
    }),
    { numRuns: 1000 },
  );
});
