import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { failed } from '../../engine/trace/failed.ts';
import { isProblem, openTrace, type TraceReader, tileEvents } from '../../tracer/store/index.ts';
import { answerAt, eventAt, OPEN_FOR } from './events.ts';

/** How far a recorder was at some time of its own. */
interface Report {
  /** The last event that it had handed to the writer. */
  readonly seq: number;
  readonly tNs: number;
}

/** What a recorder told before it died. */
export interface Told {
  /** The first comes when it has the file and is about to write events; none: it had not come so far. */
  readonly reports: readonly Report[];
  /** It ended by itself. */
  readonly closed: boolean;
}

/** The last event that it told of. */
export function lastSeq({ reports }: Told): number {
  return reports.at(-1)?.seq ?? 0;
}

/**
 * A busy machine may let a recorder stand still for long, between an event and the commit that is due then. What
 * is promised is about its own time: a longer step between two reports counts as this.
 */
const LONGEST_STEP_NS = 20e6;

/** For how long a recorder had been at work since it wrote event `seq`. */
export function lostMs({ reports }: Told, seq: number): number {
  let ns = 0;
  reports.forEach((report, i) => {
    const before = reports[i - 1];
    if (before !== undefined && report.seq > seq) ns += Math.min(report.tNs - before.tNs, LONGEST_STEP_NS);
  });
  return ns / 1e6;
}

/** How one recorder lives and dies. */
export interface Fate {
  /** How long it records before it ends by itself. */
  readonly runMs: number;
  /** When it is killed, counted from its first word, or from its birth. */
  readonly killMs: number;
  readonly from: 'first-word' | 'birth';
  /** How it dies: killed, or by a fault of its own. */
  readonly by?: 'SIGKILL' | 'SIGABRT' | 'SIGSEGV';
}

const COMPILED = join(import.meta.dirname, '../../node_modules/.cache/hvrewind');

/** Runs a recorder, kills it, and gives back what it told. */
export function killedRecorder(path: string, { runMs, killMs, from, by = 'SIGKILL' }: Fate): Promise<Told> {
  const program = [process.execPath, join(import.meta.dirname, 'recorder.ts'), path, String(runMs)];
  // Faults leave no core behind.
  const recorder = spawn('sh', ['-c', 'ulimit -c 0; exec "$@"', 'sh', ...program], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // Three quarters of its start is the compiler's.
    env: { ...process.env, NODE_COMPILE_CACHE: COMPILED },
  });
  const told: Buffer[] = [];
  const errors: Buffer[] = [];
  let timer: NodeJS.Timeout | undefined;
  const doom = (): void => {
    timer ??= setTimeout(() => recorder.kill(by), killMs);
  };
  if (from === 'birth') doom();
  recorder.stdout.on('data', (bytes: Buffer) => {
    told.push(bytes);
    doom();
  });
  recorder.stderr.on('data', (bytes: Buffer) => errors.push(bytes));
  return new Promise((resolve, reject) => {
    recorder.once('close', (code) => {
      clearTimeout(timer);
      const text = Buffer.concat(errors).toString();
      if (code !== null && code !== 0) reject(new Error(text));
      else resolve(summary(Buffer.concat(told)));
    });
  });
}

function summary(bytes: Buffer): Told {
  const reports = Array.from({ length: Math.floor(bytes.length / 16) }, (_, i) => ({
    seq: bytes.readDoubleLE(i * 16),
    tNs: bytes.readDoubleLE(i * 16 + 8),
  }));
  const closed = reports.at(-1)?.seq === -1;
  return { reports: closed ? reports.slice(0, -1) : reports, closed };
}

/** Holds the file to the promise: it opens, every event in it is as it was written, and little is missing. */
export function checkFile(path: string, told: Told, maxLossMs: number): { lostMs: number } {
  const reader = openTrace(path);
  if (isProblem(reader)) {
    // Killed before the header was committed: then nothing was recorded yet.
    assert.deepEqual(told.reports, [], reader.text);
    return { lostMs: 0 };
  }
  try {
    checkEvents(reader, told);
    checkTiles(reader);
    if (told.closed) assert.deepEqual([reader.complete, reader.events], [true, lastSeq(told)]);
    const lost = lostMs(told, reader.events);
    assert.ok(lost <= maxLossMs, `${lost} ms are lost`);
    return { lostMs: lost };
  } finally {
    reader.close();
  }
}

/** Its tiles reach as far as its last commit, and count what its events are. */
function checkTiles(reader: TraceReader): void {
  const full = reader.events - (reader.events % tileEvents(0));
  const counts = reader.tiles(0, 0, reader.events).flatMap((tile) => tile.counts);
  const sums = { count: 0, failed: 0 };
  for (const own of counts) {
    sums.count += own.count;
    sums.failed += own.failed;
  }
  let events = 0;
  for (const event of reader.range(1, full)) if (failed(event)) events += 1;
  assert.deepEqual([reader.hasTiles, sums], [true, { count: full, failed: events }]);
}

function checkEvents(reader: TraceReader, told: Told): void {
  let seq = 0;
  for (const event of reader.range()) {
    seq += 1;
    const expected = eventAt(seq, event.t);
    if (event.kind !== 'ioctl' || event.ret === null) {
      assert.deepStrictEqual(event, expected);
      // A call is open only where its answer came too late to be in the file.
      if (event.kind === 'ioctl') assert.ok(seq + OPEN_FOR >= reader.events, `call ${seq} is open`);
    } else assert.deepStrictEqual(event, { ...expected, ...answerAt(seq, event.tEnd ?? 0) });
  }
  assert.equal(seq, reader.events);
  // A batch that it was about to tell of may be in the file already.
  assert.ok(seq <= lastSeq(told) + 100, `${seq} events of ${lastSeq(told)}`);
  for (const chunk of reader.journal()) assert.equal(chunk.seq[0], (chunk.first + 1) * 5000);
}
