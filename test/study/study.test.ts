/** Some of the mutants of the study (docs/mutation-study.md), by a seed that is printed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generator, sampled } from '../mutation/random.ts';
import { legalSamples } from './legal.ts';
import { mutantsOf } from './operators.ts';
import { percent, Tally } from './tally.ts';
import { isSilent, verdictOf } from './verdict.ts';

const SAMPLED = 300;
/** The whole study has some 95 % (docs/mutation-study.md); a sample of it may have less. */
const LEAST_PERCENT = 75;
/** Of samples that are silent a few speak up where the kernel is not known. */
const MOST_LOUD = 4;

test('rules speak of broken traces, and what they miss has a reason', (t) => {
  const seed = Number(process.env.HVREWIND_SEED ?? Date.now() % 0x7fff_ffff) | 1;
  const samples = legalSamples();
  const silent = samples.filter(isSilent);
  assert.ok(samples.length - silent.length <= MOST_LOUD, 'rules speak of what is legal');
  const mutants = silent.flatMap(mutantsOf);
  const tally = new Tally();
  for (const mutant of sampled(mutants, ({ operator }) => operator, SAMPLED, generator(seed)))
    tally.add(mutant, verdictOf(mutant));
  t.diagnostic(
    `seed ${seed}: ${tally.detected} of ${tally.bad} detected (${percent(tally.detected, tally.bad)})`,
  );
  assert.ok(tally.bad >= SAMPLED / 20, `seed ${seed}: nothing was broken`);
  assert.ok(100 * tally.detected >= LEAST_PERCENT * tally.bad, `seed ${seed}: too little is detected`);
  assert.deepEqual(tally.unexplained, [], `seed ${seed}`);
});
