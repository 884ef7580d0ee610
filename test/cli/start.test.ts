/** `npm start -- --headless`: the first thing that a stranger tries. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratch } from './hvrewind.testing.ts';

const ROOT = join(import.meta.dirname, '../..');
const folder = scratch();

test('npm start -- --headless prints the finding and the verdict of the replay, and leaves nothing behind', () => {
  const temporary = join(folder, 'tmp');
  mkdirSync(temporary);
  const { status, stdout, stderr } = spawnSync('npm', ['start', '--', '--headless'], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, TMPDIR: temporary },
  });
  assert.equal(status, 0, stderr);
  assert.match(
    stdout,
    /R01 error at [0-9]+: mshv switches off SIEFP, SIMP and SCONTROL, which vmbus switched on/,
  );
  assert.match(stdout, /culprit +mshv at [0-9]+/);
  assert.match(stdout, /divergences +0\n/);
  assert.match(stdout, /verified +yes\n/);
  assert.match(stdout, /teardown\.hvtrace: as expected\n/);
  const left = readdirSync(temporary).filter((name) => name.startsWith('hvrewind'));
  assert.deepEqual(left, []);
});
