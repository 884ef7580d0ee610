/** Traces from every writer of files, and both sessions of a trace. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AppMethod, AppRequests } from '../../engine/app/api.ts';
import { readCall, type SessionCall } from '../../engine/app/border.ts';
import { openTraceFile } from '../../main/cli/trace.ts';
import { earlySession } from '../../main/session/early.ts';
import { replayedSession } from '../../main/session/replayed.ts';
import { openDatabase } from '../../tracer/store/sqlite.ts';
import { recordLoad } from '../bench/load.ts';
import { HOST } from '../bench/mixed.ts';
import { exits } from '../cli/hvrewind.testing.ts';
import { emulate } from '../emulate/build.testing.ts';

/** Several tiles of the lowest level, one of the next, and a rest behind each. */
const EVENTS = 9500;
const ROOT = join(import.meta.dirname, '../..');

/** Plays a host's load, as `run` does. */
export function runTrace(folder: string, events = EVENTS): string {
  const file = join(folder, `run-${events}.hvtrace`);
  recordLoad(file, events, HOST);
  return file;
}

/** The same through event text. */
export async function importedTrace(folder: string, from: string): Promise<string> {
  const [text, file] = [join(folder, 'events.hvtrace.ndjson'), join(folder, 'import.hvtrace')];
  await exits(0, ['export', from, '--format', 'events', '-o', text]);
  await exits(0, ['import', text, '-o', file]);
  return file;
}

export async function packedTrace(folder: string, from: string): Promise<string> {
  const file = join(folder, 'pack.hvtrace.zst');
  await exits(0, ['pack', from, '-o', file, '--force']);
  return file;
}

export async function unpackedTrace(folder: string, from: string): Promise<string> {
  const file = join(folder, 'unpack.hvtrace');
  await exits(0, ['unpack', from, '-o', file]);
  return file;
}

/** A program that was run: its guest prints so much that there are tiles. */
export async function emulatedTrace(folder: string): Promise<string> {
  const guest = join(folder, 'guest.bin');
  const text = 'long enough for tiles. '.repeat(40);
  const made = spawnSync(process.execPath, [join(ROOT, 'samples/clients/guest.ts'), guest, text]);
  assert.equal(made.status, 0, made.stderr.toString());
  const ran = await emulate(folder, [process.execPath, join(ROOT, 'samples/clients/hello.ts'), guest]);
  assert.equal(ran.exit, 0, ran.err);
  return ran.trace;
}

/** A file of a writer that knows no tiles. */
export function untiledTrace(folder: string, from: string): string {
  const file = join(folder, 'untiled.hvtrace');
  copyFileSync(from, file);
  const db = openDatabase(file, {});
  db.exec('DELETE FROM tile');
  db.close();
  return file;
}

export type Ask = <M extends AppMethod>(method: M, input: AppRequests[M]['in']) => AppRequests[M]['out'];

/** Both sessions of a trace; the caller closes it. */
export function bothOf(file: string): { readonly early: Ask; readonly full: Ask; close(): void } {
  const trace = openTraceFile(file);
  const asking = (session: { answer(call: SessionCall): unknown }): Ask => {
    return (method, input) => {
      const call = readCall(method, input);
      assert.ok(!('problem' in call) && call.method !== 'progress');
      return session.answer(call) as never;
    };
  };
  return {
    early: asking(earlySession(file, trace)),
    full: asking(replayedSession(file, trace, () => true)),
    close: () => trace.close(),
  };
}
