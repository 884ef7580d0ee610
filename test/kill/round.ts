import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { isProblem, openTrace, type TraceReader } from '../../tracer/store/index.ts';
import { answerAt, eventAt, OPEN_FOR } from './events.ts';

/** What a recorder told before it died. */
export interface Told {
  /** It had the file and was about to write events. */
  readonly begun: boolean;
  /** The last event that it had handed to the writer, and its time. */
  readonly seq: number;
  readonly tNs: number;
  /** It ended by itself. */
  readonly closed: boolean;
}

/** How one recorder lives and dies. */
export interface Fate {
  /** How long it records before it ends by itself. */
  readonly runMs: number;
  /** When it is killed, counted from its first word, or from its birth. */
  readonly killMs: number;
  readonly from: 'first-word' | 'birth';
}

/** Runs a recorder, kills it, and gives back what it told. */
export function killedRecorder(path: string, { runMs, killMs, from }: Fate): Promise<Told> {
  const recorder = spawn(process.execPath, [join(import.meta.dirname, 'recorder.ts'), path, String(runMs)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const told: Buffer[] = [];
  const errors: Buffer[] = [];
  let timer: NodeJS.Timeout | undefined;
  const doom = (): void => {
    timer ??= setTimeout(() => recorder.kill('SIGKILL'), killMs);
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
  const reports = Math.floor(bytes.length / 16);
  const at = (i: number): number => bytes.readDoubleLE(i * 16);
  const closed = reports > 0 && at(reports - 1) === -1;
  const last = closed ? reports - 2 : reports - 1;
  if (last < 0) return { begun: false, seq: 0, tNs: 0, closed };
  return { begun: true, seq: at(last), tNs: bytes.readDoubleLE(last * 16 + 8), closed };
}

/** Holds the file to the promise: it opens, every event in it is as it was written, and little is missing. */
export function checkFile(path: string, told: Told, maxLossMs: number): { lostMs: number } {
  const reader = openTrace(path);
  if (isProblem(reader)) {
    // Killed before the header was committed: then nothing was recorded yet.
    assert.ok(!told.begun, reader.text);
    return { lostMs: 0 };
  }
  try {
    if (told.closed) assert.ok(reader.complete);
    const last = checkEvents(reader, told);
    const lostMs = (told.tNs - last) / 1e6;
    if (told.closed) assert.equal(reader.events, told.seq);
    assert.ok(lostMs <= maxLossMs, `${lostMs} ms are lost`);
    return { lostMs };
  } finally {
    reader.close();
  }
}

/** Compares all events; gives back the time of the last one. */
function checkEvents(reader: TraceReader, told: Told): number {
  let seq = 0;
  let t = 0;
  for (const event of reader.range()) {
    seq += 1;
    t = event.t;
    const expected = eventAt(seq, t);
    if (event.kind !== 'ioctl' || event.ret === null) {
      assert.deepStrictEqual(event, expected);
      // A call is open only where its answer came too late to be in the file.
      if (event.kind === 'ioctl') assert.ok(seq + OPEN_FOR >= reader.events, `call ${seq} is open`);
    } else assert.deepStrictEqual(event, { ...expected, ...answerAt(seq, event.tEnd ?? 0) });
  }
  assert.equal(seq, reader.events);
  // A batch that it was about to tell of may be in the file already.
  assert.ok(seq <= told.seq + 100, `${seq} events of ${told.seq}`);
  for (const chunk of reader.journal()) assert.equal(chunk.seq[0], (chunk.first + 1) * 5000);
  return t;
}
