import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { atPrompt } from '../cli/prompt.testing.ts';
import { type Output, outputOf } from '../output.testing.ts';

const ROOT = join(import.meta.dirname, '../..');
const HVREWIND = join(ROOT, 'hvrewind');

/** Why emulation cannot be tried here; undefined where it can. */
export const LACKING: string | undefined = (() => {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'emulation is for Linux on x86-64';
  if (spawnSync('gcc', ['--version']).status !== 0) return 'no gcc to build the programs with';
  const folder = mkdtempSync(join(tmpdir(), 'hvrewind-can-'));
  const tried = spawnSync(HVREWIND, ['emulate', '-o', join(folder, 'x.hvtrace'), '--', 'true'], {
    encoding: 'utf8',
  });
  rmSync(folder, { recursive: true, force: true });
  return tried.status === 0 ? undefined : tried.stderr.trim();
})();

/** A folder of this test file's own, which an ordinary user may use too; removed after its tests. */
export function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hvrewind-emulate-'));
  chmodSync(folder, 0o777);
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Builds a C program of samples/clients or of test/emulate/clients; returns its path. */
export function build(source: string, folder: string, ...options: readonly string[]): string {
  const target = join(
    folder,
    `program-${options.includes('-static') ? 'static' : 'dynamic'}-${nameOf(source)}`,
  );
  const args = ['-Wall', '-Wextra', '-Werror', '-O1', ...options, '-o', target, join(ROOT, source)];
  const built = spawnSync('gcc', args, { encoding: 'utf8' });
  if (built.status !== 0) throw new Error(`${source} does not build: ${built.stderr}`);
  return target;
}

const nameOf = (source: string): string => source.replace(/^.*\//, '').replace(/\.c$/, '');

export interface Emulated extends Output {
  readonly trace: string;
}

/** Runs a program under `hvrewind emulate`; `before` stands in front of it all (setpriv, timeout). */
export async function emulate(
  folder: string,
  command: readonly string[],
  options: {
    readonly before?: readonly string[];
    readonly profile?: string;
    readonly more?: readonly string[];
  } = {},
): Promise<Emulated> {
  const trace = join(folder, `trace-${count++}.hvtrace`);
  const profile = options.profile === undefined ? [] : ['--profile', options.profile];
  const whole = [
    ...(options.before ?? []),
    HVREWIND,
    ...['emulate', '--quiet', '-o', trace, ...profile, ...(options.more ?? []), '--', ...command],
  ];
  return { ...(await outputOf(whole, folder)), trace };
}
let count = 0;

export interface Verified {
  readonly divergences: readonly unknown[];
  readonly checked: number;
  readonly bound: number;
  readonly hash: string;
  readonly verified: boolean;
}

/** What `replay --verify` says of a trace. */
export async function verify(trace: string): Promise<Verified> {
  const { out } = await atPrompt(['replay', '--verify', '--json', trace], ROOT);
  const report = JSON.parse(out) as Omit<Verified, 'bound'> & { bound: Record<string, number> };
  return { ...report, bound: Object.values(report.bound).reduce((sum, n) => sum + n, 0) };
}

/** The events of a trace as `show --json` prints them, those that a filter lets through. */
export async function events(trace: string, filter: string): Promise<Record<string, unknown>[]> {
  const { out } = await atPrompt(['show', '--json', trace, filter], ROOT);
  return out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** The `name=result` lines that the programs of clients/ print. */
export function results(text: string): Record<string, string> {
  const lines = text.split('\n').filter(Boolean);
  return Object.fromEntries(lines.map((line) => line.split('=') as [string, string]));
}
