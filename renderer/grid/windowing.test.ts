import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  centring,
  heightPx,
  inSight,
  type ListSize,
  MAX_HEIGHT_PX,
  pageRows,
  revealing,
  scrolled,
  TOP,
} from './windowing.ts';

const sizes: fc.Arbitrary<ListSize> = fc.record({
  count: fc.oneof(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 50_000_000 })),
  rowPx: fc.integer({ min: 16, max: 32 }),
  viewPx: fc.integer({ min: 40, max: 2000 }),
});
const sized = sizes.chain((size) => fc.tuple(fc.constant(size), fc.integer({ min: 0, max: size.count - 1 })));

test('a revealed row lies whole inside the window, in a place that the scroll bar can have', () => {
  fc.assert(
    fc.property(sized, fc.nat(), ([size, row], from) => {
      const start = centring(size, from % size.count);
      const place = revealing(size, start, row);
      const above = (row - place.first) * size.rowPx;
      assert.ok(above > -0.01, `${above} above`);
      if (size.viewPx >= size.rowPx) assert.ok(above + size.rowPx <= size.viewPx + 0.01, `${above} below`);
      assert.ok(place.scrollPx >= 0 && place.scrollPx <= heightPx(size));
      const { from: first, to } = inSight(size, place);
      assert.ok(first <= row && row < to);
    }),
  );
});

test('every row can be reached by the scroll bar alone, ends included', () => {
  fc.assert(
    fc.property(sizes, (size) => {
      const end = scrolled(size, TOP, heightPx(size) - size.viewPx);
      if (size.count * size.rowPx > size.viewPx) assert.equal(inSight(size, end).to, size.count);
      assert.equal(inSight(size, scrolled(size, end, 0)).from, 0);
    }),
  );
});

test('the wheel scrolls by pixels, also where the list is taller than an element can be', () => {
  const size: ListSize = { count: 10_000_000, rowPx: 20, viewPx: 400 };
  assert.equal(heightPx(size), MAX_HEIGHT_PX);
  const start = centring(size, 5_000_000);
  const moved = scrolled(size, start, start.scrollPx + 100);
  assert.ok(Math.abs(moved.first - start.first - 5) < 1e-6);
});

test('few rows are drawn whatever the length', () => {
  const size: ListSize = { count: 10_000_000, rowPx: 20, viewPx: 400 };
  const { from, to } = inSight(size, centring(size, 9_999_999));
  assert.equal(to, size.count);
  assert.ok(to - from <= pageRows(size) + 2);
});
