import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isProblem, openTrace } from '../../tracer/store/index.ts';
import { scratch } from '../../tracer/store/scratch.testing.ts';
import { PROGRAM } from '../cli/hvrewind.testing.ts';

const folder = scratch();
const LINES = 40_000;
const text = join(folder, 'long.hvtrace.ndjson');
const lines = Array.from(
  { length: LINES },
  (_, i) => `{"t":"${i}us","kind":"msr","dir":"write","cpu":1,"msr":"SINT2","value":"0x${i.toString(16)}"}`,
);
writeFileSync(text, `{"profile":{"kernel":"unknown","cpus":2}}\n${lines.join('\n')}\n`);

/** Blocks of 512 or 1024 bytes, as the shell has it. */
for (const blocks of [600, 1200]) {
  test(`a file that may have ${blocks} blocks: one line, exit 3, and what was written is there`, {
    skip: process.platform === 'linux' ? false : 'limits of Linux',
  }, () => {
    const trace = join(folder, 'limited.hvtrace');
    const command = `ulimit -f ${blocks}; exec "$@"`;
    const ran = spawnSync('sh', ['-c', command, 'sh', PROGRAM, 'import', text, '-o', trace], {
      encoding: 'utf8',
    });
    assert.equal(ran.status, 3, ran.stderr);
    assert.match(ran.stderr, /^hvrewind: import: .*the disk takes no more of it .*is kept\n$/);
    const reader = openTrace(trace);
    if (isProblem(reader)) assert.fail(reader.text);
    const { events } = reader;
    assert.ok(events < LINES, `${events} events`);
    let seq = 0;
    for (const event of reader.range()) {
      assert.equal(event.kind === 'msr' && event.value, BigInt(seq));
      seq++;
    }
    assert.equal(seq, events);
    reader.close();
    for (const suffix of ['', '-wal', '-shm']) rmSync(trace + suffix, { force: true });
  });
}
