import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Output, outputOf } from '../output.testing.ts';

export const HVREWIND = join(import.meta.dirname, '../../hvrewind');

/** Why recording cannot be tried here; undefined where it can. */
export const LACKING: string | undefined = (() => {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'recording is for Linux on x86-64';
  if (spawnSync('gcc', ['--version']).status !== 0) return 'no gcc to build the programs with';
  const folder = mkdtempSync(join(tmpdir(), 'hvrewind-can-'));
  const tried = spawnSync(HVREWIND, ['record', '-o', join(folder, 'x.hvtrace'), '--', 'true'], {
    encoding: 'utf8',
  });
  rmSync(folder, { recursive: true, force: true });
  return tried.status === 0 ? undefined : tried.stderr.trim();
})();

export interface Run extends Output {
  readonly trace: string;
  readonly summary: Readonly<Record<string, unknown>>;
}

let count = 0;

/** Runs `hvrewind record` with these words, after `before`; the summary and the trace go into the folder. */
export async function record(
  folder: string,
  words: readonly string[],
  before: readonly string[] = [],
): Promise<Run> {
  const number = count++;
  const trace = join(folder, `record-${number}.hvtrace`);
  const summary = join(folder, `record-${number}.json`);
  const all = [...before, HVREWIND, 'record', '--quiet', '--summary', summary, '-o', trace, ...words];
  return { ...(await outputOf(all, folder)), trace, summary: summaryOf(summary) };
}

function summaryOf(path: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
}
