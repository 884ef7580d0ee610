import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LACKING, scratch } from '../emulate/build.testing.ts';
import { torture } from './run.ts';

const rounds = process.env.HVREWIND_ROUNDS ?? '300';
const seed = process.env.HVREWIND_SEED ?? '1';
const MIB = 'MiB';
/** What the emulating process takes at most, whatever is asked of it: some 300 MiB were seen, twice as much is a leak. */
const MOST_MIB = 600;
/** From so many rounds on, what grows still is not what a start takes; what may grow are the machine's paths and the payloads that the file has. */
const LONG = 5000;
const MOST_GROWTH = 15;

describe('torture', { skip: LACKING }, () => {
  const folder = scratch();
  for (const profile of ['kernel=upstream-7.2', 'kernel=rfc2020']) {
    test(`${profile}: seed ${seed}, ${rounds} rounds`, { timeout: 1_800_000 }, async (t) => {
      const result = await torture(folder, ['--seed', seed, '--rounds', rounds], profile);
      const { threads, ioctls, verified, earlyMib, lateMib, mostMib } = result;
      t.diagnostic(`${threads} threads, ${ioctls} ioctls, ${verified.checked} answers checked`);
      const growth = ((lateMib - earlyMib) / Number(rounds)) * 2000;
      t.diagnostic(`memory: ${[earlyMib, lateMib, mostMib].map((mib) => mib.toFixed(0)).join(', ')} ${MIB}`);
      t.diagnostic(`growth: ${growth.toFixed(1)} ${MIB} in 1000 rounds`);
      assert.deepEqual([result.exit, result.err], [0, '']);
      assert.deepEqual(result.differences, []);
      assert.deepEqual(verified.divergences, []);
      assert.equal(verified.verified, true);
      assert.ok(mostMib <= MOST_MIB, `${mostMib} ${MIB} of memory`);
      if (Number(rounds) >= LONG) assert.ok(growth <= MOST_GROWTH, `${growth} ${MIB} more in 1000 rounds`);
    });
  }
});
