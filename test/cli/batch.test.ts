/** `check` over many files: event text beside traces, the table, what is broken, and Ctrl-C. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { before, test } from 'node:test';
import { check } from '../../engine/trace/schema/check.testing.ts';
import type { JsonSchema } from '../../engine/trace/schema/json-schema.ts';
import { scratch } from '../../tracer/store/scratch.testing.ts';
import { exits, hvrewind, json, PROGRAM, SAMPLES, sample } from './hvrewind.testing.ts';
import { atPrompt } from './prompt.testing.ts';

const folder = scratch();
const at = (name: string): string => join(folder, name);
const Q35 = join(import.meta.dirname, '../../samples/qemu-seabios/q35.hvtrace.zst');

interface Checked {
  readonly findings: readonly unknown[];
}

before(async () => {
  mkdirSync(at('fleet/host2'), { recursive: true });
  await exits(0, ['run', sample('teardown-l1vh-kexec-before'), '-o', at('fleet/bad.hvtrace')]);
  await exits(0, ['pack', at('fleet/bad.hvtrace'), '-o', at('fleet/host2/bad.hvtrace.zst')]);
  copyFileSync(sample('teardown-l1vh-kexec-after'), at('fleet/host2/good.hvtrace.ndjson'));
});

test('event text is judged as a trace that was imported from it', async () => {
  for (const { name, path, expect } of SAMPLES) {
    const trace = at(`${name}.hvtrace`);
    await exits(0, ['import', path, '-o', trace]);
    const exit = expect.length > 0 ? 1 : 0;
    assert.deepEqual(await json<Checked>(exit, ['check', path]), await json<Checked>(exit, ['check', trace]));
    await exits(0, ['check', path, '--expect']);
  }
});

test('a trace and what is exported from it are judged alike', async () => {
  const trace = at('fleet/bad.hvtrace');
  await exits(0, ['export', trace, '-o', at('exported.hvtrace.ndjson')]);
  const text = await json<Checked>(1, ['check', at('exported.hvtrace.ndjson')]);
  assert.deepEqual(text, await json<Checked>(1, ['check', trace]));
});

test('a folder: the findings, then a table', async () => {
  const out = await exits(1, ['check', 'fleet'], folder);
  const [head = '', ...rows] = out.split('\n').slice(-6, -3);
  const cells = (row: string): string[] => row.split(/ {2,}/);
  assert.deepEqual(cells(head), ['fleet/bad.hvtrace', '118', '1', '0', '0', 'R01 error']);
  assert.deepEqual(rows.map(cells), [
    ['fleet/host2/bad.hvtrace.zst', '118', '1', '0', '0', 'R01 error'],
    ['fleet/host2/good.hvtrace.ndjson', '4', '0', '0', '0', '-'],
  ]);
  assert.match(out, /^file +events +error +warning +info +worst$/m);
  assert.match(out, /\n3 files, 240 events, 2 findings in 2 files\n$/);
  assert.match(out, /^fleet\/bad\.hvtrace\nR01 error at 70: /);
  assert.equal(await exits(1, ['check', 'fleet', '--jobs', '3'], folder), out);
});

test('what is broken is one line, and the rest is judged', async () => {
  mkdirSync(at('torn'));
  copyFileSync(at('fleet/bad.hvtrace'), at('torn/c.hvtrace'));
  writeFileSync(at('torn/a.hvtrace'), 'nothing');
  writeFileSync(at('torn/b.hvtrace.ndjson'), '{"profile":{}}\n{"t":"0","kind":"nothing"}\n');
  for (const jobs of ['1', '2']) {
    const { exit, out, err } = await atPrompt(['check', 'torn', '--jobs', jobs], folder);
    assert.equal(exit, 2);
    const lines = err.trimEnd().split('\n');
    assert.equal(lines.length, 2, err);
    assert.match(lines[0] ?? '', /^hvrewind: torn\/a\.hvtrace: is text, not a trace/);
    assert.match(lines[1] ?? '', /^hvrewind: torn\/b\.hvtrace\.ndjson:2:/);
    assert.match(out, /^torn\/c\.hvtrace\nR01 error/);
    assert.match(out, /^torn\/a\.hvtrace +- +- +- +- +not judged$/m);
    assert.match(out, /1 findings in 1 files, 2 not judged\n$/);
  }
});

test('--json: one object a line, by its schema', async () => {
  const { outputs } = JSON.parse(await exits(0, ['schema'])) as { outputs: Record<string, JsonSchema> };
  const { exit, out } = await atPrompt(['check', 'fleet', 'none.hvtrace', '--json'], folder);
  assert.equal(exit, 2);
  const objects = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  for (const object of objects) assert.equal(check(outputs.check ?? {}, object), undefined);
  assert.deepEqual(
    objects.map(({ file, events }) => [file, events]),
    [
      ['fleet/bad.hvtrace', 118],
      ['fleet/host2/bad.hvtrace.zst', 118],
      ['fleet/host2/good.hvtrace.ndjson', 4],
      ['none.hvtrace', undefined],
    ],
  );
});

test('an ordinary process judges a folder on threads too', async () => {
  const { exit, out } = await hvrewind(['check', 'fleet', '--jobs', '2'], folder);
  assert.equal(exit, 1);
  assert.match(out, /\n3 files, 240 events, 2 findings in 2 files\n$/);
});

test('Ctrl-C: what was judged stands, exit 130', async () => {
  mkdirSync(at('many'));
  for (let i = 0; i < 500; i++) symlinkSync(Q35, at(`many/${i}.hvtrace.zst`));
  const child = spawn(PROGRAM, ['check', at('many'), '--json', '--jobs', '2'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  createInterface(child.stdout).on('line', (line) => {
    if (lines.push(line) === 2) child.kill('SIGINT');
  });
  let err = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const exit = await new Promise((done) => child.on('close', done));
  assert.equal(exit, 130);
  assert.ok(lines.length >= 2 && lines.length < 500, String(lines.length));
  for (const line of lines) assert.equal(typeof (JSON.parse(line) as { events: unknown }).events, 'number');
  assert.match(err, /^hvrewind: check: cancelled; /);
});
