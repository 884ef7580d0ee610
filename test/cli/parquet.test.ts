/** `export --format parquet`: what stands in the tables is what `show` and `check` print. */
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { type ReadRow, readTable } from '../../tracer/share/parquet/read.testing.ts';
import { scratch } from '../../tracer/store/scratch.testing.ts';
import { exits, json, sample } from './hvrewind.testing.ts';
import { atPrompt } from './prompt.testing.ts';

const folder = scratch();
const at = (name: string): string => join(folder, name);
const RECORDED = 'fleet/recorded.hvtrace';
const TEXT = 'fleet/text.hvtrace.ndjson';
/** VP exits, statuses and errnos stand in it. */
const LIFE = join(import.meta.dirname, 'corpus/partition-life.hvtrace.ndjson');
const LIFE_FILE = 'fleet/life.hvtrace';

function rows(name: string): Promise<readonly ReadRow[]> {
  return readTable(at(`tables/${name}.parquet`));
}

before(async () => {
  mkdirSync(at('fleet'));
  await exits(0, ['run', sample('teardown-l1vh-kexec-before'), '-o', at(RECORDED)]);
  await exits(0, ['run', LIFE, '-o', at(LIFE_FILE)]);
  copyFileSync(sample('init-error-l1vh-before'), at(TEXT));
  await exits(0, ['export', 'fleet', '--format', 'parquet', '-o', 'tables'], folder);
});

test('events: every one of every file, whole and by columns', async () => {
  const events = await rows('events');
  const expected: ReadRow[] = [];
  for (const file of [LIFE_FILE, RECORDED, TEXT]) {
    const text = file === TEXT ? readFileSync(at(TEXT), 'utf8') : await exits(0, ['export', at(file)]);
    const lines = text.trimEnd().split('\n').slice(1);
    for (const [i, line] of lines.entries())
      expected.push({ file, seq: BigInt(i + 1), event: JSON.parse(line) });
  }
  assert.deepEqual(
    events.map(({ file, seq, event }) => ({ file, seq, event })),
    expected,
  );
  const nanoseconds = { ns: 1n, us: 1000n, ms: 1_000_000n, s: 1_000_000_000n };
  let [statuses, errnos, values] = [0, 0, 0];
  for (const row of events) {
    const event = row.event as Record<string, unknown>;
    const [, number = '', unit = 'us'] = /^([0-9]+)([a-z]+)?$/.exec(String(event.t)) ?? [];
    if (number !== '') assert.equal(row.t_ns, BigInt(number) * nanoseconds[unit as 'us']);
    assert.equal(row.kind, event.kind);
    assert.equal(row.component, event.component ?? null);
    assert.equal(row.cpu, event.cpu ?? null);
    assert.equal(row.op, event.op ?? event.dir ?? event.type ?? event.what ?? null);
    assert.equal(row.code, event.code ?? null);
    assert.equal(row.msr, event.msr ?? null);
    assert.equal(row.handle, event.handle ?? null);
    assert.equal(row.status, (event.result as ReadRow | undefined)?.status ?? null);
    assert.equal(row.value, event.value === undefined ? null : BigInt(event.value as string));
    if (typeof event.ret === 'number') assert.equal(row.ret, BigInt(event.ret));
    assert.equal(row.errno !== null, typeof event.ret === 'number' && event.ret < 0);
    statuses += Number(row.status !== null);
    errnos += Number(row.errno !== null);
    values += Number(row.value !== null);
  }
  assert.ok(statuses > 0 && values > 0, `${statuses} statuses, ${errnos} errnos, ${values} values`);
});

test('findings: those of check', async () => {
  const expected: ReadRow[] = [];
  for (const file of [LIFE_FILE, RECORDED, TEXT]) {
    const { out } = await atPrompt(['check', at(file), '--json'], folder);
    const { findings } = JSON.parse(out) as { findings: readonly Record<string, unknown>[] };
    for (const { id, rule, severity, title, at: position, culprit, evidence, cells, cpus, fix } of findings) {
      const { component, at: start } = culprit as { component: string; at: string };
      expected.push({
        ...{
          file,
          id,
          rule,
          severity,
          title,
          position,
          seq: BigInt(String(position).split(/[.r]/)[0] ?? ''),
        },
        ...{ culprit_position: start, culprit_seq: BigInt(start.split('.')[0] ?? ''), culprit: component },
        ...{ evidence, cells, cpus, fix },
      });
    }
  }
  const seen = (await rows('findings')).map(({ partition_id: _, vp: __, ...row }) => row);
  assert.deepEqual(seen, expected);
  assert.ok(seen.length >= 2);
});

test('traces: a row a file, with its profile and counts', async () => {
  const [life, recorded, text] = await rows('traces');
  assert.deepEqual([life?.file, recorded?.file, text?.file], [LIFE_FILE, RECORDED, TEXT]);
  const { hash, events, engine } = await json<{ hash: string; events: number; engine: string }>(0, [
    'replay',
    at(RECORDED),
  ]);
  assert.deepEqual(
    [recorded?.hash, recorded?.events, recorded?.engine, recorded?.errors, recorded?.divergences],
    [hash, BigInt(events), engine, 1, 0n],
  );
  assert.deepEqual([recorded?.role, recorded?.cpus], ['l1vh', 2]);
  assert.equal((text?.profile as ReadRow | undefined)?.role, 'l1vh');
});

test('what cannot be read is one line, and the tables hold the rest', async () => {
  writeFileSync(at('broken.hvtrace'), 'nothing');
  const words = ['export', 'broken.hvtrace', RECORDED, '--format', 'parquet', '-o', 'tables', '--force'];
  const { exit, err } = await atPrompt(words, folder);
  assert.equal(exit, 2);
  assert.match(err, /^hvrewind: broken\.hvtrace: is text, not a trace.*\ntables: 1 traces\n$/);
  assert.deepEqual(
    (await rows('traces')).map(({ file }) => file),
    [RECORDED],
  );
});

test('tables that are there are not replaced unasked', async () => {
  const size = readFileSync(at('tables/events.parquet')).length;
  const { exit, err } = await atPrompt(['export', 'fleet', '--format', 'parquet', '-o', 'tables'], folder);
  assert.equal(exit, 2);
  assert.match(
    err,
    /tables\/events\.parquet: exists already; name another folder or replace it with --force\n$/,
  );
  assert.equal(readFileSync(at('tables/events.parquet')).length, size);
  const none = await atPrompt(['export', 'none', '--format', 'parquet', '-o', 'other', '--force'], folder);
  assert.equal(none.exit, 2);
  assert.ok(existsSync(at('other/traces.parquet')));
});
