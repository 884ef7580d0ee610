import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Moment } from '../open-finding.ts';
import { type Region, RegionTable } from './regions.ts';

const REGION: Region = { first: 0x100n, pages: 0x10n, address: 0x1000n, moment: {} as Moment };

test('the regions of partitions that are gone are forgotten, those of others are not', () => {
  const created = new Map([[1n, 1]]);
  const table = new RegionTable((partition) => created.get(partition));
  // Of partition 0 nobody saw the creation.
  for (const id of [0n, 1n]) table.of(id).add(REGION);
  for (let id = 2n; id < 5000n; id++) {
    created.set(id, Number(id));
    table.of(id).add(REGION);
    if (id > 100n) created.delete(id - 10n);
    assert.ok(table.size <= 512, `${table.size} at ${id}`);
    assert.ok(table.of(id).has(REGION));
  }
  for (const id of [0n, 1n]) assert.ok(table.of(id).has(REGION));
  assert.equal(table.of(200n).has(REGION), false);
});

test('a number that is given again is another partition', () => {
  let step = 1;
  const table = new RegionTable(() => step);
  table.of(7n).add(REGION);
  assert.ok(table.of(7n).has(REGION));
  step = 2;
  assert.equal(table.of(7n).has(REGION), false);
});
