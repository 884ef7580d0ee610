import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { memorySource } from '../../replay/source.ts';
import type { TraceEvent } from '../../trace/event.ts';
import { seqOf, timeNs } from '../../trace/position.ts';
import { readProfile } from '../../trace/profile-read.ts';
import { Comparer } from './compare.ts';
import { Events } from './events.ts';
import { PairComparer } from './pair-comparer.ts';

const PROFILE = readProfile({});

/** A call on a partition by a descriptor. */
function called([partition, fd]: readonly [number, number], i: number): TraceEvent {
  return {
    ...({ kind: 'ioctl', op: 0xb800, provenance: 'authored', component: 'vmm', pid: 7, tid: 7 } as const),
    ...{ seq: seqOf(i + 1), t: timeNs(i), fd, ret: 0 },
    handle: { kind: 'partition', partition: BigInt(partition) },
  };
}

const CALL = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 3, max: 5 }));
const PAIRS = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: CALL.map((call) => [call, call] as const) },
    { weight: 1, arbitrary: fc.tuple(CALL, CALL) },
  ),
  { maxLength: 12 },
);

test('what is learnt late is what would have been learnt at once, whatever is called otherwise and when', () => {
  let differing = 0;
  fc.assert(
    fc.property(PAIRS, (pairs) => {
      const [a, b] = [0, 1].map((side) => pairs.map((pair, i) => called(pair[side] ?? [0, 0], i)));
      const eventsOf = (events: readonly TraceEvent[] = []) =>
        new Events(memorySource({ profile: PROFILE, given: {} }, events));
      const plain = new Comparer(PROFILE, PROFILE);
      const late = new PairComparer([eventsOf(a), eventsOf(b)], new Comparer(PROFILE, PROFILE));
      pairs.forEach((_, i) => {
        const expected = plain.compare(a?.[i] as TraceEvent, b?.[i] as TraceEvent, true);
        assert.deepEqual(late.compare(i, i, true), expected);
        differing += expected.length;
      });
    }),
  );
  assert.ok(differing > 0, 'nothing differed');
});
