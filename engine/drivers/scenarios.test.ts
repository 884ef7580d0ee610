import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { replay } from '../replay/replay.ts';
import { memorySource } from '../replay/source.ts';
import { compareExpected } from '../rules/expect.ts';
import { played, type Scenario, SIDES, sampleScenarios, scenario } from './scenario.testing.ts';

/** The recording of a scenario replays to the same answers, most of which are checked. */
function assertReplays(sample: Scenario): void {
  const { events } = played(sample, sample.header.profile);
  const report = replay(memorySource(sample.header, events), SIDES);
  assert.deepEqual(report.divergences, []);
  assert.equal(report.derived, 0);
  const bound = Object.values(report.bound).reduce((sum, count) => sum + count, 0);
  assert.ok(report.checked >= 3 * bound, `${report.checked} checked, ${bound} bound`);
}

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
      assertReplays(sample);
    });
  }
});

describe('a partition from open to close', () => {
  const LIFE = `
{"t":"0","kind":"lifecycle","what":"component-start","component":"arch"}
{"t":"1ms","kind":"lifecycle","what":"component-start","component":"vmbus"}
{"t":"2ms","kind":"lifecycle","what":"component-start","component":"mshv"}
{"t":"3ms","kind":"fd","what":"open","path":"/dev/mshv","pid":100,"tid":100}
{"t":"4ms","kind":"ioctl","pid":100,"tid":100,"handle":"device","op":"MSHV_CREATE_PARTITION","arg":{"pt_flags":["LAPIC"]}}
{"t":"5ms","kind":"ioctl","pid":100,"tid":100,"handle":"partition:2","op":"MSHV_INITIALIZE_PARTITION"}
{"t":"6ms","kind":"ioctl","pid":100,"tid":100,"handle":"partition:2","op":"MSHV_CREATE_VP","arg":{"vp_index":0}}
{"t":"7ms","kind":"ioctl","pid":100,"tid":100,"handle":"partition:2","op":"MSHV_CREATE_VP","arg":{"vp_index":300}}
{"t":"8ms","kind":"fd","what":"close","fd":5,"pid":100,"tid":100}
{"t":"9ms","kind":"fd","what":"close","fd":4,"pid":100,"tid":100}
{"t":"10ms","kind":"lifecycle","what":"kexec"}`;

  for (const role of ['root', 'l1vh']) {
    for (const scheduler of ['core-smt', 'root']) {
      it(`${role}, scheduler ${scheduler}: replays without a divergence, and without a finding`, () => {
        const profile = { kernel: 'upstream-7.2', role, scheduler, cpus: 2 };
        const life = scenario('life', `${JSON.stringify({ profile })}${LIFE}`);
        assertReplays(life);
        const { findings, events } = played(life, life.header.profile);
        assert.deepEqual(findings, []);
        const returned = events.filter((event) => event.kind === 'ioctl').map((event) => event.ret);
        assert.deepEqual(returned, [4, 0, 5, -22]);
      });
    }
  }
});
