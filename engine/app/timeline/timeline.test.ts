import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { scenario } from '../../drivers/scenario.testing.ts';
import { type Ask, guestScenario, sessionOf } from '../session.testing.ts';

const RECORDED = sessionOf(guestScenario(), { recorded: true });
const DERIVED = sessionOf(guestScenario(), { recorded: false });

function counts(ask: Ask, derived: boolean, buckets = 50, from = 0.5, to = 1000): Map<string, number> {
  const { lanes } = ask('timeline', { axis: 'events', from, to, buckets, derived });
  return new Map(
    lanes.map(({ label, buckets: filled }) => [label, filled.reduce((sum, { count }) => sum + count, 0)]),
  );
}

describe('the timeline', () => {
  test('has every recorded event in a lane, however it is cut', () => {
    const { events } = RECORDED('info', {});
    for (const buckets of [1, 7, 50, 400]) {
      const all = [...counts(RECORDED, false, buckets).values()].reduce((sum, count) => sum + count, 0);
      assert.equal(all, events);
    }
    const left = [...counts(RECORDED, false, 9, 0.5, 60.5).values()].reduce((sum, count) => sum + count, 0);
    assert.equal(left, 60);
  });

  test('derived events have the lanes that they have when they are recorded', () => {
    const recorded = counts(RECORDED, false);
    const derived = counts(DERIVED, true);
    for (const lane of ['CPU 0 arch', 'CPU 0 mshv', 'CPU 0 hypervisor']) {
      assert.ok((derived.get(lane) ?? 0) > 0, lane);
      assert.equal(counts(DERIVED, false).get(lane) ?? 0, 0, lane);
    }
    assert.equal(derived.get('CPU 0 arch'), recorded.get('CPU 0 arch'));
    const { lanes } = DERIVED('timeline', { axis: 'events', from: 0.5, to: 99, buckets: 9, derived: true });
    const arch = lanes.find(({ label }) => label === 'CPU 0 arch');
    assert.ok(arch?.buckets.every(({ count, derived: own, at }) => own === count && at.includes('.')));
  });

  test('gaps and notes stand at their event', () => {
    const text = [
      '{"profile":{}}',
      '{"t":"0","kind":"lifecycle","what":"component-start","component":"arch"}',
      '{"t":"1us","kind":"mark","what":"note","text":"look here"}',
      '{"t":"2us","kind":"mark","what":"gap","lost":7}',
    ].join('\n');
    const ask = sessionOf(scenario('marks', text), { recorded: false });
    const all = { axis: 'time', from: 0, to: 5000, buckets: 5, derived: false } as const;
    assert.deepEqual(
      ask('timeline', all).signs.map(({ what, at, tNs, text: said }) => [what, at, tNs, said]),
      [
        ['note', '2', 1000, 'look here'],
        ['gap', '3', 2000, '7 events were lost'],
      ],
    );
    assert.deepEqual(ask('timeline', { ...all, to: 1500 }).signs.length, 1);
  });
});
