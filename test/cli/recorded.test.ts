/** Recordings among the samples: they replay without a divergence, and nothing is found in them. */
import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, test } from 'node:test';
import { json } from './hvrewind.testing.ts';

const RECORDINGS = globSync(join(import.meta.dirname, '../../samples/*/*.hvtrace.zst')).sort();

interface Replayed {
  readonly divergences: readonly unknown[];
  readonly checked: number;
  readonly bound: Readonly<Record<string, number>>;
}

describe('recordings', () => {
  test('there are some', () => assert.ok(RECORDINGS.length > 0));

  for (const path of RECORDINGS)
    test(basename(path), async () => {
      const { divergences, checked, bound: bounds } = await json<Replayed>(0, ['replay', path]);
      assert.deepEqual(divergences, []);
      const bound = Object.values(bounds).reduce((sum, count) => sum + count, 0);
      assert.ok(checked > 1000 && checked >= 3 * bound, `${checked} checked, ${bound} bound`);
      const { findings } = await json<{ findings: readonly unknown[] }>(0, ['check', path]);
      assert.deepEqual(findings, []);
    });
});
