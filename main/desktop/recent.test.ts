import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { RecentFiles } from './recent.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hvrewind-recent-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('the newest file stands first, once, and ten are kept', () => {
  const recent = new RecentFiles(folder);
  for (let i = 1; i <= 12; i++) recent.add(`/traces/${i}.hvtrace`);
  recent.add('/traces/7.hvtrace');
  const numbers = [7, 12, 11, 10, 9, 8, 6, 5, 4, 3];
  assert.deepEqual(
    recent.paths,
    numbers.map((n) => `/traces/${n}.hvtrace`),
  );
  assert.deepEqual(recent.views[0], { name: '7.hvtrace', folder: '/traces' });
  assert.deepEqual(new RecentFiles(folder).paths, recent.paths);
  recent.clear();
  assert.deepEqual(new RecentFiles(folder).paths, []);
});

const torn: readonly (readonly [string, readonly string[]])[] = [
  ['', []],
  ['["/a.hvtrace"', []],
  ['{"0":"/a.hvtrace"}', []],
  ['"/a.hvtrace"', []],
  ['[7, null, "relative.hvtrace", "/a.hvtrace", ["/b"]]', ['/a.hvtrace']],
];
for (const [text, paths] of torn) {
  test(`${JSON.stringify(text)} in the file gives ${paths.length} files`, () => {
    writeFileSync(join(folder, 'recent.json'), text);
    assert.deepEqual(new RecentFiles(folder).paths, paths);
  });
}

test('where nothing can be written the list lasts as long as the program', () => {
  // A folder where the file should be: fails for every user, root too.
  const store = join(folder, 'user');
  mkdirSync(join(store, 'recent.json.new'), { recursive: true });
  const recent = new RecentFiles(store);
  recent.add('/a.hvtrace');
  assert.deepEqual(recent.paths, ['/a.hvtrace']);
  assert.equal(existsSync(join(store, 'recent.json')), false);
});
