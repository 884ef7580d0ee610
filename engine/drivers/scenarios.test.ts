import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { replay } from '../replay/replay.ts';
import { compareExpected } from '../rules/expect.ts';
import { played, SIDES, sampleScenarios, sourceOf } from './scenario.testing.ts';

describe('sample scenarios', () => {
  for (const sample of sampleScenarios()) {
    const { profile, expect } = sample.header;

    it(`${sample.name}: stimuli alone`, () => {
      assert.deepEqual(new Set(sample.stimuli.map((event) => event.kind)).has('msr'), false);
      assert.ok(profile.cpus >= 2);
    });

    it(`${sample.name}: what it expects, and nothing once the driver is mended`, () => {
      const { findings } = played(sample, profile);
      const result = compareExpected(expect?.findings ?? [], findings);
      assert.ok(
        result.met,
        JSON.stringify({ missing: result.missing, found: result.unexpected.map((f) => f.title) }),
      );
      assert.deepEqual(played(sample, { ...profile, synicOwnership: 'merged' }).findings, []);
    });

    it(`${sample.name}: its recording replays without a divergence`, () => {
      const { events } = played(sample, profile);
      const report = replay(sourceOf(sample.header, events), SIDES);
      assert.deepEqual(report.divergences, []);
      assert.equal(report.derived, 0);
      const bound = Object.values(report.bound).reduce((sum, count) => sum + count, 0);
      assert.ok(report.checked >= 3 * bound, `${report.checked} checked, ${bound} bound`);
    });
  }
});
