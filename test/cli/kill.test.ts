/**
 * `import` and `run` killed at random instants: the file opens and holds all but the last 250 ms, event for event, or
 * says in one line what to do. `HVREWIND_SEED=… npm test -- test/cli/kill.test.ts` repeats a run (its instants as far
 * as a machine can).
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { play } from '../../engine/replay/play.ts';
import type { TraceEvent } from '../../engine/trace/event.ts';
import type { TraceHeader } from '../../engine/trace/profile.ts';
import { EventLineReader, formatEvent, parseHeader, textContext } from '../../engine/trace/text/index.ts';
import { SIDES } from '../../main/cli/sides.ts';
import { openAny } from '../../tracer/share/open.ts';
import { isProblem } from '../../tracer/store/index.ts';
import { scratch } from '../../tracer/store/scratch.testing.ts';
import { randomFrom, seedOfRun } from '../kill/random.ts';
import { exits, hvrewind, json, PROGRAM } from './hvrewind.testing.ts';

const folder = scratch();
const at = (name: string): string => join(folder, name);
/** Rounds of each command. */
const ROUNDS = 25;
/** Rounds at a time: most of one is waiting. */
const TOGETHER = 3;
const MAX_LOSS_MS = 250;
/** Every so many rounds the file is also opened by the command line. */
const BY_COMMAND = 8;

const IMPORTED = 200_000;
const RESTARTS = 4_000;

/** A long text; what is on a line follows from its number. */
function longText(): string {
  const lines = Array.from({ length: IMPORTED }, (_, i) => {
    const common = `"t":"${i}us","cpu":${i % 8},"component":"vmbus"`;
    return i % 5 === 0
      ? `{${common},"kind":"hypercall","code":"HVCALL_POST_MESSAGE","input":{"bytes":"${i.toString(16).padStart(16, '0').repeat(4)}"},"result":{}}`
      : `{${common},"kind":"msr","dir":"write","msr":"SINT${i % 16}","value":"0x${i.toString(16)}"}`;
  });
  return `{"profile":{"kernel":"unknown","cpus":8}}\n${lines.join('\n')}\n`;
}

/** A scenario that takes CPUs offline and online again, some 20 events each time. */
function longScenario(): string {
  const start = ['arch', 'vmbus', 'mshv'].map(
    (component, i) => `{"t":"${i}ms","kind":"lifecycle","what":"component-start","component":"${component}"}`,
  );
  const restarts = Array.from({ length: RESTARTS }, (_, i) => {
    const what = i % 2 === 0 ? 'cpu-offline' : 'cpu-online';
    return `{"t":"${10 + i}ms","kind":"lifecycle","what":"${what}","cpu":${1 + ((i >> 1) % 3)}}`;
  });
  return `{"profile":{"kernel":"upstream-7.2","role":"l1vh","cpus":4}}\n${[...start, ...restarts].join('\n')}\n`;
}

interface Work {
  readonly command: 'import' | 'run';
  readonly header: TraceHeader;
  /** What a whole recording holds. */
  readonly events: readonly TraceEvent[];
}

function parsed(text: string): { header: TraceHeader; events: TraceEvent[] } {
  const [first = '', ...lines] = text.trimEnd().split('\n');
  const read = parseHeader(first);
  assert.ok('header' in read);
  const reader = new EventLineReader(read.header.profile);
  const events = lines.map((line) => {
    const next = reader.next(line);
    assert.ok('event' in next, line);
    return next.event;
  });
  return { header: read.header, events };
}

const works = new Map<string, Work>();
before(() => {
  const text = longText();
  writeFileSync(at('import.ndjson'), text);
  works.set('import', { command: 'import', ...parsed(text) });
  const scenario = longScenario();
  writeFileSync(at('run.ndjson'), scenario);
  const { header, events: stimuli } = parsed(scenario);
  const events: TraceEvent[] = [];
  play(stimuli, header.profile, SIDES, {
    step: ({ event }) => events.push(event),
    journal: () => {},
    checkpoint: () => {},
  });
  works.set('run', { command: 'run', header, events });
});

/** What a progress line said, and when it came. */
interface Report {
  readonly events: number;
  readonly ms: number;
}

/** When a round is killed: so long after its start, or after its file is there. */
interface Fate {
  readonly killMs: number;
  readonly from: 'start' | 'file';
}

/** Progress is shown on terminals alone: this makes stderr one in the child's eyes. */
const ON_TERMINAL = '--import=data:text/javascript,process.stderr.isTTY=true';

/** Runs a command and kills it; resolves to its progress, and whether it came to its end before. */
function killed({ command }: Work, path: string, fate: Fate): Promise<{ reports: Report[]; ended: boolean }> {
  const child = spawn(PROGRAM, [command, at(`${command}.ndjson`), '-o', path], {
    env: { ...process.env, NODE_OPTIONS: ON_TERMINAL },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const reports: Report[] = [];
  let told = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    told += text;
    const ms = performance.now();
    for (const [, events] of text.matchAll(/(?:import|run): ([0-9]+)[^0-9]/g))
      reports.push({ events: Number(events), ms });
  });
  const doom = (): NodeJS.Timeout => setTimeout(() => child.kill('SIGKILL'), fate.killMs);
  const waiting = setInterval(() => {
    if (fate.from === 'file' && !existsSync(path)) return;
    clearInterval(waiting);
    doom();
  }, 2);
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('close', (code) => {
      clearInterval(waiting);
      if (code !== null && code !== 0) fail(new Error(told));
      else done({ reports, ended: code === 0 });
    });
  });
}

/** Events whose loss is more than the promise: reported, and so long before the last report. */
function promised(reports: readonly Report[]): number {
  const last = reports.at(-1)?.ms ?? 0;
  return Math.max(0, ...reports.filter(({ ms }) => last - ms > MAX_LOSS_MS).map(({ events }) => events));
}

/** Holds the file of a killed round to the promise; returns how many events it has. */
function checkFile(
  { events: whole, header }: Work,
  path: string,
  reports: readonly Report[],
  ended: boolean,
): number {
  const trace = openAny(path);
  if (isProblem(trace)) {
    assert.match(trace.text, /^[^\n]+(; [^\n]+)$/);
    assert.equal(promised(reports), 0, trace.text);
    return 0;
  }
  try {
    assert.equal(trace.complete, ended);
    const context = textContext(header.profile);
    let count = 0;
    for (const event of trace.range()) {
      const expected = whole[count++];
      assert.ok(expected !== undefined && event.seq === expected.seq && event.t === expected.t);
      // All of the text is compared where it may be torn, at the end, and of some events before it.
      if (count % 64 === 0 || count > trace.events - 1000)
        assert.equal(formatEvent(event, context), formatEvent(expected, context));
    }
    assert.equal(count, ended ? whole.length : trace.events);
    assert.ok(count >= promised(reports), `${count} events, ${JSON.stringify(reports)}`);
    return count;
  } finally {
    trace.close();
  }
}

for (const command of ['import', 'run'] as const)
  test(`${command}, killed at ${ROUNDS} random instants, loses at most ${MAX_LOSS_MS} ms`, async (context) => {
    const work = works.get(command);
    assert.ok(work !== undefined);
    const seed = seedOfRun();
    context.diagnostic(`seed ${seed}`);
    const random = randomFrom(seed);
    const fates = Array.from(
      { length: ROUNDS },
      (_, i): Fate =>
        i % 5 === 0 ? { killMs: random() * 400, from: 'start' } : { killMs: random() * 900, from: 'file' },
    );
    let [cut, most] = [0, 0];
    const worker = async (): Promise<void> => {
      for (let fate = fates.pop(); fate !== undefined; fate = fates.pop()) {
        const round = fates.length;
        const path = at(`${command}-${round}.hvtrace`);
        const { reports, ended } = await killed(work, path, fate);
        if (!existsSync(path)) {
          assert.equal(promised(reports), 0);
          continue;
        }
        const size = statSync(path).size;
        const count = checkFile(work, path, reports, ended);
        if (!ended && count > 0) cut++;
        most = Math.max(most, count);
        if (round % BY_COMMAND === 0) await openedByCommand(path, count, size);
        for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
      }
    };
    await Promise.all(Array.from({ length: TOGETHER }, worker));
    context.diagnostic(`${cut} files had been cut with events in them, the longest had ${most}`);
    assert.ok(cut >= ROUNDS / 4, `only ${cut} were killed while they wrote`);
  });

/** The same file by the command line: a cut recording replays without a divergence. */
async function openedByCommand(path: string, count: number, size: number): Promise<void> {
  if (size === 0) {
    const { exit, err } = await hvrewind(['show', path, '--limit', '1']);
    assert.match(err, /^hvrewind: [^\n]+ is empty; [^\n]+\n$/);
    assert.equal(exit, 2);
    return;
  }
  const shown = await exits(0, ['show', path, '--limit', '1']);
  assert.equal(shown.split('\n').length - 1, Math.min(1, count));
  const { divergences } = await json<{ divergences: readonly unknown[] }>(0, ['replay', path]);
  assert.deepEqual(divergences, []);
}
