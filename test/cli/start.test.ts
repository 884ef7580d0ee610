/** `npm start -- --headless`: the first thing that a stranger tries. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { sampleOutput } from '../../samples/clients/guest.ts';
import { emulationHere } from '../../tracer/emulate/able.ts';
import { scratch } from '../../tracer/store/scratch.testing.ts';

const ROOT = join(import.meta.dirname, '../..');
const folder = scratch();

test('npm start -- --headless plays the sample, records the client, and leaves nothing behind', () => {
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
  assert.match(stdout, /teardown\.hvtrace: as expected\n/);
  const able = emulationHere().ok;
  assert.equal(stdout.match(/divergences +0\n/g)?.length, able ? 2 : 1);
  assert.equal(stdout.match(/verified +yes\n/g)?.length, able ? 2 : 1);
  if (able) {
    assert.ok(stdout.includes(`\n${sampleOutput('Hello from the guest. ')}`), stdout);
    assert.match(stdout, /\nno findings\n$/);
  } else {
    assert.match(stderr, /hvrewind: emulate: /);
  }
  const left = readdirSync(temporary).filter((name) => name.startsWith('hvrewind'));
  assert.deepEqual(left, []);
});
