import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LACKING, scratch } from '../emulate/build.testing.ts';
import { torture } from './run.ts';

const rounds = process.env.HVREWIND_ROUNDS ?? '300';
const seed = process.env.HVREWIND_SEED ?? '1';
const MIB = 'MiB';

describe('torture', { skip: LACKING }, () => {
  const folder = scratch();
  for (const profile of ['kernel=upstream-7.2', 'kernel=rfc2020']) {
    test(`${profile}: seed ${seed}, ${rounds} rounds`, { timeout: 1_800_000 }, async (t) => {
      const result = await torture(folder, ['--seed', seed, '--rounds', rounds], profile);
      const { threads, ioctls, verified, earlyMib, lateMib, mostMib } = result;
      t.diagnostic(`${threads} threads, ${ioctls} ioctls, ${verified.checked} answers checked`);
      t.diagnostic(`memory: ${[earlyMib, lateMib, mostMib].map((mib) => mib.toFixed(0)).join(', ')} ${MIB}`);
      assert.deepEqual([result.exit, result.err], [0, '']);
      assert.deepEqual(result.differences, []);
      assert.deepEqual(verified.divergences, []);
      assert.equal(verified.verified, true);
    });
  }
});
