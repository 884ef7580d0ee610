import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LACKING, scratch } from '../emulate/build.testing.ts';
import { type Sample, slopeOf, torture } from './run.ts';

const rounds = Number(process.env.HVREWIND_ROUNDS ?? 300);
const seed = process.env.HVREWIND_SEED ?? '1';
/** What the emulating process takes at most, whatever is asked of it: 270 to 350 MiB were seen. */
const MOST_MIB = 450;
/** What the engine and its threads take until they have seen everything once is no growth. */
const WARM_ROUNDS = 20_000;
/** MiB in 1000 rounds after that: names of what was grow by some 0.06, 0.16 to 0.27 was seen: what the threads' garbage takes goes up and down by 10 MiB. */
const MOST_GROWTH = 0.8;
/** The slowest part of a run may take so many times as long as all of it on average: other work of the machine does. */
const MOST_SLOWER = 6;
const PARTS = 10;

/** Rounds in a second, for each tenth of a run. */
function speeds(samples: readonly Sample[]): number[] {
  return Array.from({ length: PARTS }, (_, part) => {
    const own = samples.filter(({ rounds: done }) => Math.floor(((done - 1) / rounds) * PARTS) === part);
    const [first, last] = [own[0], own.at(-1)];
    if (first === undefined || last === undefined || first === last) return 0;
    return ((last.rounds - first.rounds) / (last.ms - first.ms)) * 1000;
  });
}

describe('torture', { skip: LACKING }, () => {
  const folder = scratch();
  for (const profile of ['kernel=upstream-7.2', 'kernel=rfc2020']) {
    test(`${profile}: seed ${seed}, ${rounds} rounds`, { timeout: 1_800_000 }, async (t) => {
      const result = await torture(folder, rounds, ['--seed', seed], profile);
      const { threads, ioctls, verified, mostMib, samples } = result;
      t.diagnostic(`${threads} threads, ${ioctls} ioctls, ${verified.checked} answers checked`);
      t.diagnostic(`memory: ${mostMib.toFixed(0)} MiB at most`);
      assert.deepEqual([result.exit, result.err], [0, '']);
      assert.deepEqual(result.differences, []);
      assert.deepEqual(verified.divergences, []);
      assert.equal(verified.verified, true);
      assert.ok(mostMib > 0 && mostMib <= MOST_MIB, `${mostMib} MiB of memory`);
      if (rounds < 3 * WARM_ROUNDS) return;
      const growth = slopeOf(samples.filter((sample) => sample.rounds >= WARM_ROUNDS)) * 1000;
      t.diagnostic(`growth: ${growth.toFixed(2)} MiB in 1000 rounds, after ${WARM_ROUNDS}`);
      assert.ok(growth <= MOST_GROWTH, `${growth} MiB more in 1000 rounds`);
      const each = speeds(samples);
      t.diagnostic(`rounds in a second, by tenths: ${each.map((speed) => speed.toFixed(0)).join(' ')}`);
      const average = each.reduce((sum, speed) => sum + speed, 0) / PARTS;
      assert.ok(Math.min(...each) * MOST_SLOWER >= average, 'rounds became slow');
    });
  }
});
