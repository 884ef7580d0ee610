import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { replay } from '../replay/replay.ts';
import { memorySource } from '../replay/source.ts';
import { sequence } from './any-stimuli.testing.ts';
import { SIDES } from './scenario.testing.ts';
import { TwoSides } from './two-sides.testing.ts';

it('any sequence of stimuli plays: both sides keep their books, and its recording replays without a divergence', () => {
  fc.assert(
    fc.property(sequence, ({ given, stimuli }) => {
      const machine = new TwoSides(given);
      for (const each of stimuli) machine.take(each);
      machine.end();
      const { header, recorded, hash } = machine;
      const report = replay(memorySource(header, recorded), SIDES);
      assert.deepEqual(report.divergences, []);
      assert.equal(report.hash, hash);
    }),
    { numRuns: Number(process.env.HVREWIND_RUNS ?? 90) },
  );
});
