import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

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

export interface Run {
  readonly exit: number | null;
  readonly out: string;
  readonly err: string;
  readonly trace: string;
  readonly summary: Readonly<Record<string, unknown>>;
}

let count = 0;

/** Runs `hvrewind record` with these words, after `before`; the summary and the trace go into the folder. */
export function record(
  folder: string,
  words: readonly string[],
  before: readonly string[] = [],
): Promise<Run> {
  const number = count++;
  const trace = join(folder, `record-${number}.hvtrace`);
  const summary = join(folder, `record-${number}.json`);
  const all = [...before, HVREWIND, 'record', '--quiet', '--summary', summary, '-o', trace, ...words];
  const [program = '', ...rest] = all;
  return new Promise((done, fail) => {
    const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'], cwd: folder });
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    child.on('error', fail);
    child.on('close', (exit) => done({ exit, out, err, trace, summary: summaryOf(summary) }));
  });
}

function summaryOf(path: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
}
