import assert from 'node:assert/strict';
import { closeSync, fstatSync } from 'node:fs';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Arena } from '../../native/arena.ts';
import { syscall, viewOf } from '../../native/libc.ts';
import { MFD_CLOEXEC, MMAP, NR } from '../../native/numbers.ts';
import { mappingsWithin } from '../../process/mappings.ts';
import { BackingFiles, filled, resident } from './backing-files.ts';
import { type PageRange, unlike } from './page-range.ts';
import { PageTables } from './page-tables.ts';

const PAGE = 4096;
const PAGES = 40_000;
/** Neighbours, ends, and pages on both sides of what is asked about at a time. */
const WRITTEN = [0, 7, 8, 9, 511, 512, 32_767, 32_768, PAGES - 1];

/** A memfd with two mappings, both in this process. */
function sharedTwice(): { one: number; other: number } {
  const fd = syscall(NR.memfd_create, new Arena(16).text(0, 'capture-test'), MFD_CLOEXEC);
  syscall(NR.ftruncate, fd, PAGES * PAGE);
  const [one = 0, other = 0] = [0, 1].map(() =>
    syscall(NR.mmap, 0, PAGES * PAGE, MMAP.readWrite, MMAP.shared, fd, 0),
  );
  closeSync(fd);
  assert.ok(one > 0 && other > 0);
  return { one, other };
}

const listed = (ranges: readonly PageRange[] | undefined): number[] =>
  (ranges ?? []).flatMap(({ from, pages }) => Array.from({ length: pages }, (_, n) => from + n));

describe('pages that may have been changed', { skip: process.platform !== 'linux' }, () => {
  const { one, other } = sharedTwice();
  const bytes = viewOf(one, PAGES * PAGE);
  for (const page of WRITTEN) bytes[page * PAGE + 5] = 1;

  test('those that a process has used, by PAGEMAP_SCAN and by reading its pagemap', () => {
    for (const tables of [new PageTables(), new PageTables(false)]) {
      assert.deepEqual(listed(tables.used(process.pid, one, PAGES)), WRITTEN);
      assert.deepEqual(listed(tables.used(process.pid, one + 8 * PAGE, 504)), [0, 1, 503]);
      assert.deepEqual(tables.used(process.pid, other, PAGES), []);
    }
    assert.equal(new PageTables().used(2 ** 30, one, PAGES), undefined);
  });

  test('those that a file holds, whoever wrote them', () => {
    assert.deepEqual(listed(resident(other, PAGES)), WRITTEN);
    const files = new BackingFiles();
    const [mapping] = mappingsWithin(process.pid, other, PAGE);
    assert.ok(mapping);
    const all = files.open(process.pid, mapping, other);
    // Without CAP_CHECKPOINT_RESTORE there is no file.
    if (all === undefined) return;
    const part = files.open(process.pid, mapping, other + 8 * PAGE);
    assert.ok(part);
    assert.equal(part.fd, all.fd);
    assert.deepEqual(listed(filled(all, PAGES)), WRITTEN);
    all.release();
    assert.deepEqual(listed(filled(part, 504)), [0, 1, 503]);
    assert.deepEqual(filled({ ...part, offset: 513 * PAGE }, 1000), []);
    part.release();
    assert.throws(() => fstatSync(part.fd));
  });

  test('those that differ, exactly', () => {
    const pages = 200;
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(pages * PAGE - 1), { maxLength: 20 }),
        fc.nat(pages - 1),
        (places, from) => {
          const a = Buffer.alloc(pages * PAGE);
          const b = Buffer.alloc(pages * PAGE);
          for (const at of places) b[at] = 1;
          const differing = [...new Set(places.map((at) => Math.floor(at / PAGE)))].sort((x, y) => x - y);
          assert.deepEqual(
            unlike(a, b, [{ from, pages: pages - from }]),
            differing.filter((page) => page >= from),
          );
        },
      ),
      { numRuns: 30 },
    );
  });
});
