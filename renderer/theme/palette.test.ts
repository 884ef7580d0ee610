import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EVENT_KINDS } from '../../engine/trace/event.ts';
import { contrast } from './contrast.ts';
import { PALETTES, type Palette } from './palette.ts';

test('contrast is that of the specification', () => {
  assert.equal(contrast('#000000', '#ffffff'), 21);
  assert.equal(contrast('#ffffff', '#ffffff'), 1);
  assert.ok(Math.abs(contrast('#777777', '#ffffff') - 4.48) < 0.01);
});

/** Every colour that text or a letter is written in, with its name. */
function inks(p: Palette): [string, string][] {
  return [
    ...(['text', 'dim', 'accent', 'error', 'warning', 'info', 'ok', 'changed'] as const).map(
      (name): [string, string] => [name, p[name]],
    ),
    ...Object.entries(p.kinds),
    ...Object.entries(p.owners),
  ];
}

for (const [name, palette] of Object.entries(PALETTES)) {
  describe(name, () => {
    const wanted = name.includes('more') ? 7 : 4.5;
    for (const ground of ['panel', 'raised', 'selection', 'proof'] as const) {
      test(`text on ${ground} has a contrast of ${wanted}`, () => {
        const low = inks(palette)
          .map(([ink, colour]) => `${ink} ${contrast(colour, palette[ground]).toFixed(2)}`)
          .filter((line) => Number(line.split(' ').at(-1)) < wanted);
        assert.deepEqual(low, []);
      });
    }
    test('edges of controls and the cursor have a contrast of 3', () => {
      for (const ground of ['bg', 'panel', 'raised'] as const) {
        assert.ok(contrast(palette.edge, palette[ground]) >= 3, `edge on ${ground}`);
        assert.ok(contrast(palette.accent, palette[ground]) >= 3, `accent on ${ground}`);
      }
    });
    test('every kind has a colour', () => {
      assert.deepEqual(Object.keys(palette.kinds).sort(), [...EVENT_KINDS].sort());
    });
  });
}
