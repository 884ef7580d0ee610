import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Frames } from './frames.ts';

const step = fc.record({
  put: fc.boolean(),
  first: fc.nat({ max: 40 }),
  count: fc.nat({ max: 12 }),
  value: fc.nat({ max: 2 }),
});

test('a set of frames is what a map from frame to value is', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const frames = new Frames<number>();
      const model = new Map<number, number>();
      for (const { put, first, count, value } of steps) {
        if (put) frames.add(BigInt(first), BigInt(count), value);
        else frames.remove(BigInt(first), BigInt(count));
        for (let frame = first; frame < first + count; frame++) {
          if (put) model.set(frame, value);
          else model.delete(frame);
        }
      }
      for (let frame = 0; frame < 60; frame++) assert.equal(frames.get(BigInt(frame)), model.get(frame));
    }),
  );
});

test('of more runs than are kept nothing is known, and it says so', () => {
  const frames = new Frames<number>();
  for (let i = 0; i < 8192; i++) frames.add(BigInt(2 * i), 1n, i);
  assert.equal(frames.isFull, false);
  frames.add(99_999n, 1n, 0);
  assert.equal(frames.isFull, true);
  frames.clear();
  assert.equal(frames.isFull, false);
});
