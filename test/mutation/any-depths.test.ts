/**
 * Replay of every depth, of generated sequences: a recorder of less leaves a recording that replays without a divergence
 * and claims nothing that is not so. `npm run test:models` tries more.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sequence } from '../../engine/drivers/any-stimuli.testing.ts';
import { generatedLess, recordedOf } from './any-depths.testing.ts';
import { type Recording, sourceOf } from './corpus.ts';
import { claimsWrongly, diverges } from './depths.ts';
import { finalOf } from './outcome.ts';
import { generator, sampled } from './random.ts';

const RUNS = Number(process.env.HVREWIND_RUNS ?? 30);
/** Lesser recordings that are tried of each sequence. */
const TRIED = 4;

function holds(whole: Recording, seed: number): void {
  const random = generator(seed);
  const all = generatedLess(whole);
  const tried = sampled(all, () => '', TRIED - 1, random);
  assert.deepEqual(
    tried.filter(diverges).map(({ name }) => name),
    [],
  );
  const later = all.filter((less) => less.isMidLife && less.depth === 'with all below');
  const { known } = finalOf(sourceOf(whole, whole.events));
  const compared = sampled(later, () => '', 0, random);
  assert.deepEqual(
    compared.flatMap((less) => claimsWrongly(known, less)),
    [],
  );
}

test('what less is seen of a generated sequence diverges no more, and claims nothing wrong', () => {
  const seed = Number(process.env.HVREWIND_SEED ?? Date.now() % 0x7fff_ffff);
  console.log(`seed ${seed}`);
  fc.assert(
    fc.property(sequence, fc.nat(), ({ given, stimuli }, choice) =>
      holds(recordedOf(given, stimuli), choice),
    ),
    { numRuns: RUNS, seed },
  );
});
