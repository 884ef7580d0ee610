/** A trace in its other forms and back: nothing is lost on the way. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import fc from 'fast-check';
import type { TraceEvent } from '../../engine/trace/event.ts';
import { anyEvents } from '../../engine/trace/events.testing.ts';
import { seqOf, timeNs } from '../../engine/trace/position.ts';
import { parseProfile } from '../../engine/trace/profile-read.ts';
import { formatEvent, formatHeader, textContext } from '../../engine/trace/text/index.ts';
import { scratch } from '../../tracer/store/scratch.testing.ts';
import { exits, json, sample } from './hvrewind.testing.ts';

const folder = scratch();
const at = (name: string): string => join(folder, name);

/** Event text of events of every kind and shape that the format has. */
function randomText(count: number): string {
  const read = parseProfile({ kernel: 'unknown', initial: 'unknown', cpus: 4 });
  assert.ok('profile' in read);
  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
  console.log(`round trip: SEED=${seed}`);
  const samples = fc.sample(anyEvents, { numRuns: count, seed });
  const events = joined(samples);
  const context = textContext(read.profile);
  const header = formatHeader({
    profile: read.profile,
    given: { kernel: 'unknown', initial: 'unknown', cpus: 4 },
  });
  return `${[header, ...events.map((event) => formatEvent(event, context))].join('\n')}\n`;
}

/** One trace of many: numbers and times go on where the one before ended. */
function joined(traces: readonly (readonly TraceEvent[])[]): TraceEvent[] {
  const all: TraceEvent[] = [];
  for (const trace of traces) {
    const [before, t] = [all.length, all.at(-1)?.t ?? 0];
    for (const event of trace) {
      const parent = event.parent === undefined ? {} : { parent: seqOf(before + event.parent) };
      const tEnd = 'tEnd' in event && event.tEnd !== undefined ? { tEnd: timeNs(t + event.tEnd) } : {};
      all.push({ ...event, ...parent, ...tEnd, seq: seqOf(before + event.seq), t: timeNs(t + event.t) });
    }
  }
  return all;
}

const GIVEN = randomText(40);

before(async () => {
  await exits(0, ['run', sample('teardown-l1vh-kexec-before'), '-o', at('sample.hvtrace')]);
  writeFileSync(at('random.ndjson'), GIVEN);
  await exits(0, ['import', at('random.ndjson'), '-o', at('random.hvtrace')]);
});

for (const name of ['sample', 'random']) {
  const trace = at(`${name}.hvtrace`);

  test(`${name}: export, import, export gives the same text`, async () => {
    const text = await exits(0, ['export', trace, '--format', 'events']);
    await exits(0, ['export', trace, '-o', at(`${name}.events`)]);
    const { file, events } = await json<{ file: string; events: number }>(0, [
      'import',
      at(`${name}.events`),
      '-o',
      at(`${name}-again.hvtrace`),
    ]);
    assert.equal(file, at(`${name}-again.hvtrace`));
    assert.equal(events, text.trimEnd().split('\n').length - 1);
    assert.equal(await exits(0, ['export', file]), text);
    if (name === 'random') assert.equal(text, GIVEN);
  });

  test(`${name}: pack, unpack, export gives the same text`, async () => {
    const packed = at(`${name}.hvtrace.zst`);
    const { bytes } = await json<{ bytes: number }>(0, ['pack', trace, '-o', packed]);
    assert.ok(bytes > 0);
    await exits(0, ['unpack', packed, '-o', at(`${name}-unpacked.hvtrace`)]);
    const text = await exits(0, ['export', trace]);
    assert.equal(await exits(0, ['export', packed]), text, 'a packed trace is read as it is');
    assert.equal(await exits(0, ['export', at(`${name}-unpacked.hvtrace`)]), text);
  });

  test(`${name}: what show --json prints imports again`, async () => {
    const text = await exits(0, ['export', trace]);
    const [header = ''] = text.split('\n');
    const lines = await exits(0, ['show', trace, '--json']);
    writeFileSync(at(`${name}-shown.ndjson`), `${header}\n${lines}`);
    await exits(0, ['import', at(`${name}-shown.ndjson`), '-o', at(`${name}-shown.hvtrace`)]);
    assert.equal(await exits(0, ['export', at(`${name}-shown.hvtrace`)]), text);
  });
}

test('a packed trace replays and is judged like the trace', async () => {
  const trace = at('sample.hvtrace');
  const packed = at('packed.hvtrace.zst');
  await exits(0, ['pack', trace, '-o', packed]);
  assert.equal(await exits(1, ['check', packed]), await exits(1, ['check', trace]));
  const { hash, stored, verified } = await json<{ hash: string; stored: string; verified: boolean }>(0, [
    'replay',
    packed,
    '--verify',
  ]);
  assert.equal(stored, hash);
  assert.equal(verified, true);
});

interface Listed {
  readonly seq?: number;
  readonly position?: string;
  readonly parent?: number | string;
  readonly provenance?: string;
}

test('derived events are exported, shown and imported again as events of their own', async () => {
  const scenario = at('derived.hvtrace');
  await exits(0, ['import', sample('teardown-l1vh-kexec-before'), '-o', scenario]);
  const stimuli = (await exits(0, ['export', scenario])).trimEnd().split('\n');
  assert.equal(stimuli.length, 1 + 4);
  const all = (await exits(0, ['show', scenario, '--derived', '--json'])).trimEnd().split('\n');
  const events = all.map((line) => JSON.parse(line) as Listed);
  assert.equal(events.length, 118);
  const below = events.filter(({ position }) => position !== undefined);
  assert.equal(below.length, 118 - 4);
  for (const { seq, position, parent, provenance } of below) {
    assert.match(position ?? '', /^[1-4]\.[1-9][0-9]*$/);
    assert.ok(seq === undefined && parent !== undefined && provenance === 'derived');
  }
  writeFileSync(at('derived.ndjson'), await exits(0, ['export', scenario, '--derived']));
  const { file, events: count } = await json<{ file: string; events: number }>(0, [
    'import',
    at('derived.ndjson'),
    '-o',
    at('derived-again.hvtrace'),
  ]);
  assert.equal(count, 118);
  const { derived, divergences } = await json<{ derived: number; divergences: unknown[] }>(0, [
    'replay',
    file,
  ]);
  assert.deepEqual({ derived, divergences }, { derived: 0, divergences: [] });
  await exits(0, ['check', file, '--expect']);
});
