import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { check } from '../../engine/analysis/check.ts';
import {
  type Minimized,
  type MinimizeState,
  minimize,
  NotShown,
} from '../../engine/analysis/minimize/minimize.ts';
import type { Target } from '../../engine/analysis/minimize/target.ts';
import { replay } from '../../engine/replay/replay.ts';
import { type EventSource, memorySource } from '../../engine/replay/source.ts';
import { at } from '../../engine/trace/position.ts';
import { SIDES } from '../../main/cli/sides.ts';
import { scratch } from '../../tracer/store/scratch.testing.ts';
import { exits, json } from '../cli/hvrewind.testing.ts';
import { longTeardown } from './long.testing.ts';
import { linesOf, record, whole } from './traces.testing.ts';

const FINDING = 'R01:mshv:off:vmbus';
const EVENTS = 10_000;
const MOST_EVENTS = 50;
const folder = scratch();

function searched(source: EventSource, target: Target, from?: MinimizeState): Minimized {
  const search = minimize(source, SIDES, target, from);
  for (let next = search.next(); ; next = search.next()) if (next.done === true) return next.value;
}

const ids = (source: EventSource): string[] => check(source, SIDES).findings.map(({ id }) => id);

test('a tear-down in ten thousand events becomes a story of at most fifty, none of which can go', (t) => {
  const long = longTeardown(EVENTS);
  const { events, tried } = searched(whole(long), { kind: 'finding', id: FINDING });
  t.diagnostic(`${long.events.length} events, ${events.length} left, ${tried} traces tried`);
  assert.ok(events.length <= MOST_EVENTS);
  assert.ok(ids(memorySource(long.header, events)).includes(FINDING));
  for (const { seq } of events) {
    const below = new Set<number>([seq]);
    for (const event of events)
      if (event.parent !== undefined && below.has(event.parent)) below.add(event.seq);
    const left = events.filter((event) => !below.has(event.seq));
    const places = new Map(left.map((event, i) => [event.seq as number, i + 1]));
    const fewer = left.map((event, i) => {
      const above = event.parent === undefined ? {} : { parent: places.get(event.parent) };
      return { ...event, seq: i + 1, ...above };
    }) as typeof left;
    assert.ok(!ids(memorySource(long.header, fewer)).includes(FINDING), `event ${seq} is not needed`);
  }
});

test('a search that was interrupted goes on where it was, and comes to the same', () => {
  const source = whole(longTeardown(1000));
  const target = { kind: 'finding', id: FINDING } as const;
  const search = minimize(source, SIDES, target);
  let last: MinimizeState | undefined;
  for (let i = 0; i < 8; i++) {
    const next = search.next();
    if (next.done !== true) last = next.value;
  }
  assert.ok(last !== undefined && last.kept.length < source.count);
  assert.deepEqual(searched(source, target, last).events, searched(source, target).events);
});

const PROFILE = { kernel: 'upstream-7.0', role: 'root', cpus: 1 };
const CALLS = [
  { t: '1us', kind: 'lifecycle', what: 'component-start', component: 'arch' },
  { t: '2us', kind: 'lifecycle', what: 'component-start', component: 'mshv' },
  { t: '3us', kind: 'fd', what: 'open', pid: 1, tid: 1, path: '/dev/mshv', handle: 'device', ret: 3 },
  { t: '4us', kind: 'ioctl', pid: 1, tid: 1, handle: 'device', fd: 3, op: 'MSHV_CREATE_PARTITION', arg: {} },
  { t: '5us', kind: 'ioctl', pid: 1, tid: 1, handle: 'partition:2', fd: 4, op: 'MSHV_INITIALIZE_PARTITION' },
  {
    t: '6us',
    kind: 'ioctl',
    pid: 1,
    tid: 1,
    handle: 'partition:2',
    fd: 4,
    op: 'MSHV_CREATE_VP',
    arg: { vp_index: 0 },
  },
  {
    t: '7us',
    kind: 'ioctl',
    pid: 1,
    tid: 1,
    handle: 'partition:2',
    fd: 4,
    op: 'MSHV_CREATE_VP',
    arg: { vp_index: 0 },
  },
];

test('an answer of the engine stays, with what it needs', () => {
  const recording = record(PROFILE, CALLS);
  const second = recording.events.findLast(({ kind }) => kind === 'ioctl');
  assert.ok(second?.kind === 'ioctl' && typeof second.ret === 'number' && second.ret < 0);
  const target = { kind: 'status', at: at(second.seq), answer: second.ret } as const;
  const { events } = searched(whole(recording), target);
  const ops = events.filter(({ parent }) => parent === undefined).map((event) => event.kind);
  assert.ok(events.length < recording.events.length);
  assert.ok(ops.filter((kind) => kind === 'ioctl').length >= 2, 'the VP that is there already');
  assert.throws(() => searched(whole(recording), { ...target, answer: 0 }), NotShown);
});

test('a divergence stays', () => {
  const recording = record(PROFILE, CALLS);
  const index = recording.events.findIndex(({ kind }) => kind === 'hypercall');
  const call = recording.events[index];
  assert.ok(call?.kind === 'hypercall');
  const events = recording.events.with(index, { ...call, result: { status: 6, reps: 0 } });
  const { divergences } = replay(memorySource(recording.header, events), SIDES);
  const place = Number(divergences[0]?.at);
  const smaller = searched(memorySource(recording.header, events), { kind: 'divergence', at: at(place) });
  assert.ok(smaller.events.length < events.length);
  assert.ok(replay(memorySource(recording.header, smaller.events), SIDES).diverged > 0);
});

test('the command writes event text or a trace, keeps what it has at Ctrl-C and goes on from there', async () => {
  const scenario = join(folder, 'long.hvtrace.ndjson');
  const trace = join(folder, 'long.hvtrace');
  writeFileSync(scenario, `${linesOf(longTeardown(3000)).join('\n')}\n`);
  await exits(0, ['import', scenario, '-o', trace]);
  const small = join(folder, 'small.hvtrace.ndjson');
  const words = ['minimize', trace, '--finding', FINDING, '-o', small];
  const root = join(import.meta.dirname, '../..');
  const run = spawn(join(root, 'hvrewind'), words, { stdio: 'ignore', detached: true });
  const ended = new Promise<void>((done) => run.once('exit', () => done()));
  await new Promise<void>((done) => setTimeout(done, 1500));
  if (run.exitCode === null && run.pid !== undefined) process.kill(-run.pid, 'SIGINT');
  await ended;
  if (existsSync(`${small}.part`)) await exits(0, [...words, '--resume']);
  else if (!existsSync(small)) await exits(0, words);
  assert.ok(!existsSync(`${small}.part`));
  assert.ok(readFileSync(small, 'utf8').trimEnd().split('\n').length - 1 <= MOST_EVENTS);
  const file = join(folder, 'small.hvtrace');
  const told = (await json(0, ['minimize', trace, '--finding', FINDING, '-o', file])) as {
    events: number;
    minimal: boolean;
  };
  assert.ok(told.minimal && told.events <= MOST_EVENTS);
  const { findings } = (await json(1, ['check', file])) as { findings: { id: string }[] };
  assert.ok(findings.some(({ id }) => id === FINDING));
  await exits(2, ['minimize', trace, '--finding', 'R99:none', '-o', join(folder, 'none.hvtrace')]);
  await exits(2, ['minimize', trace, '-o', join(folder, 'none.hvtrace')]);
});
