/**
 * What comes from outside matters: a stimulus that is changed, dropped or swapped with the next shows in a divergence, a
 * finding, the end state or the journal, or its field is proven to change nothing (no-ops.ts). `npm run test:mutations`
 * tries all of it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordings } from './corpus.ts';
import { NO_OP_REASONS } from './no-ops.ts';
import { generator, sampled } from './random.ts';
import { StimulusTable, trialsOf } from './stimuli-table.ts';

const SAMPLED = 150;

test('a changed stimulus shows, or cannot', () => {
  const seed = (Date.now() % 0x7fff_ffff) | 1;
  const random = generator(seed);
  const table = new StimulusTable();
  const trials = recordings().flatMap(trialsOf);
  for (const trial of sampled(trials, () => '', SAMPLED, random)) table.try(trial);
  console.log(`seed ${seed}: ${table.totals()}`);
  assert.deepEqual(table.missed, [], `seed ${seed}`);
  assert.equal(new Set(NO_OP_REASONS).size, NO_OP_REASONS.length, 'a reason stands once');
});
