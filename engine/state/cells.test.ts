import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cell, cells, objectKind } from './schema.ts';
import { type CellId, CellStore, TOP } from './store.ts';

/** Some forty of these fill a page. */
const THING = objectKind('thing', undefined, 'decimal', {
  a: cell('hex', 7n),
  b: cells(98, () => ({ as: 'hex' })),
});
const LENGTH = THING.info.length;

/** Makes so many things that all are gone but the last. */
function oneOf(count: number): CellStore {
  const store = new CellStore();
  for (let n = 0; n < count; n++) {
    if (n > 0) store.destroy(store.find(TOP, THING, n - 1) ?? TOP);
    const id = store.create(TOP, THING, n);
    store.set((id + LENGTH - 1) as CellId, BigInt(n) << 32n);
  }
  return store;
}

test('cells of objects that are gone take no memory', () => {
  const before = process.memoryUsage().arrayBuffers;
  const store = oneOf(20_000);
  const took = process.memoryUsage().arrayBuffers - before;
  assert.ok(took < 8 * 2 ** 20, `${took} bytes for ${store.checkpoint().cells} cells`);
});

test('what is gone is 0 and known, and can be there again in its own cells', () => {
  const store = oneOf(500);
  for (const n of [1, 37, 40, 42, 250]) {
    const first = n * LENGTH;
    assert.equal(store.get((first + 1) as CellId), 0n);
    assert.equal(store.known((first + 1) as CellId), true);
    const id = store.create(TOP, THING, n);
    assert.equal(id, first);
    for (let slot = 2; slot < LENGTH; slot++) store.set((id + slot) as CellId, slot);
    assert.equal(store.get((id + 1) as CellId), 7n);
    assert.equal(store.get((id + 5) as CellId), 5n);
    assert.equal(store.low((id - 1) as CellId), 0);
    assert.equal(store.low((id + LENGTH) as CellId), 0);
  }
  const saved = store.checkpoint();
  assert.equal(saved.blocks.length, 2 * 6);
  assert.deepEqual(CellStore.restore(saved, store.tables).checkpoint(), saved);
});

test('a run of unknown cells goes on over pages', () => {
  const store = oneOf(30);
  const unknown = Array.from({ length: 60 }, (_, n) => store.createUnknown(TOP, THING, 100 + n));
  const first = unknown[0] as number;
  store.set((first + 1) as CellId, 1n);
  const { unknown: runs, cells: count } = store.checkpoint();
  // Only the first cell of each is known, and one more of the first.
  assert.deepEqual([...runs.subarray(0, 2)], [first + 2, LENGTH - 2]);
  assert.equal(runs.length, 2 * 60);
  for (let i = 2; i < runs.length; i += 2)
    assert.deepEqual([...runs.subarray(i, i + 2)], [first + (i / 2) * LENGTH + 1, LENGTH - 1]);
  assert.equal(count, 90 * LENGTH);
});
