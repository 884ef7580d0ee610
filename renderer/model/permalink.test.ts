import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatLink, parseLink } from './permalink.ts';
import { FIRST_VIEW, type ViewState } from './view.ts';

const word = fc.string({ maxLength: 60, unit: 'grapheme' });
const number = fc.integer({ min: -1000, max: 2 ** 50 });
const views: fc.Arbitrary<ViewState> = fc.record(
  {
    at: fc.constantFrom('', '0', '812', '812.3', '812r'),
    filter: word,
    derived: fc.boolean(),
    exitFilter: word,
    path: word,
    panel: word,
    axis: fc.constantFrom('events', 'time'),
    range: fc.option(
      fc.tuple(number, number).map(([from, length]) => ({ from, to: from + Math.abs(length) + 1 })),
      { nil: undefined },
    ),
    finding: word,
    nested: fc.boolean(),
    why: fc.constantFrom('', '93.fault', 'cpu[0].synic.sint[2]'),
    edits: fc.constantFrom('', 'drop 4.33', 'move 62 after 88\ninsert before 2 \'{"kind":"mark"}\''),
    against: fc.constantFrom('', 'trace', 'edits'),
    row: fc.constantFrom('', '0', '123456'),
    folded: fc.boolean(),
    theme: fc.constantFrom('system', 'dark', 'light'),
  },
  { noNullPrototype: true },
);

test('what a link says is what the view was', () => {
  fc.assert(
    fc.property(views, (view) => {
      assert.deepEqual(parseLink(`#${formatLink(view)}`), view);
    }),
  );
});

test('any text is a link', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      parseLink(text);
    }),
  );
});

test('the first view needs no text, and nonsense is the first view', () => {
  assert.equal(formatLink(FIRST_VIEW), '');
  assert.deepEqual(
    parseLink('#at=x&range=2..1&axis=y&theme=z&derived=maybe&other=1&against=b&row=-1&folded=2'),
    FIRST_VIEW,
  );
  assert.deepEqual(parseLink(`#filter=${'a'.repeat(5000)}`), FIRST_VIEW);
});

test('links can be read', () => {
  const view = { ...FIRST_VIEW, at: '812.3', path: 'cpu[0].synic.sint[2]', finding: 'R01:mshv:off:vmbus' };
  assert.equal(formatLink(view), 'at=812.3&path=cpu[0].synic.sint[2]&finding=R01:mshv:off:vmbus');
});
