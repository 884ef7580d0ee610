import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RingReader, RingWriter, ringMemory } from './ring.ts';
import type { Plain } from './wire.ts';

const OPTIONAL: { requiredKeys: []; noNullPrototype: true } = { requiredKeys: [], noNullPrototype: true };
const leaf: fc.Arbitrary<Plain> = fc.oneof(
  fc.integer(),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constant(null),
  fc.uint8Array({ maxLength: 60 }).map((bytes) => new Uint8Array(bytes)),
);
const value: fc.Arbitrary<Plain> = fc.oneof(
  leaf,
  fc.record({ t: leaf, out: fc.record({ arg: leaf, data: leaf }, OPTIONAL) }, OPTIONAL),
);

test('what is put in comes out, in order; what finds no room is told', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(value, fc.constant('take' as const)), { maxLength: 200 }), (steps) => {
      const memory = ringMemory(1024);
      const [writer, reader] = [new RingWriter(memory), new RingReader(memory)];
      const waiting: Plain[] = [];
      const take = () =>
        reader.take(1000, (found) => {
          assert.deepEqual(found, waiting.shift());
        });
      for (const step of steps) {
        if (step === 'take') take();
        else if (writer.put(step)) waiting.push(step);
        else assert.ok(waiting.length > 0, 'an empty ring has room');
      }
      take();
      assert.deepEqual(waiting, []);
    }),
  );
});

test('the ends of calls have room that beginnings do not get', () => {
  const memory = ringMemory(1024);
  const writer = new RingWriter(memory);
  while (writer.put({ t: 1 }));
  assert.equal(writer.put({ t: 2 }), false);
  assert.equal(writer.put({ t: 2 }, true), true);
});
