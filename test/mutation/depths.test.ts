/**
 * Replay of every depth: a recording of which less is seen replays without a divergence, from its start and from any of
 * its stimuli on as the recording of a machine that was up already. Here a sample, `npm run test:mutations` tries all.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordings } from './corpus.ts';
import { seenLess, stillDiverges } from './depths.ts';
import { generator, sampled } from './random.ts';

const SAMPLED = 250;

test('what less is seen of diverges no more', () => {
  const seed = (Date.now() % 0x7fff_ffff) | 1;
  const all = recordings().flatMap(seenLess);
  const tried = sampled(all, ({ depth, isMidLife }) => `${depth} ${isMidLife}`, SAMPLED, generator(seed));
  console.log(`seed ${seed}: ${tried.length} of ${all.length}`);
  assert.deepEqual(
    tried.filter(stillDiverges).map(({ name }) => name),
    [],
    `seed ${seed}`,
  );
});
