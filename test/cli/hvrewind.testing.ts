import assert from 'node:assert/strict';
import { globSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Output, outputOf } from '../output.testing.ts';
import { atPrompt } from './prompt.testing.ts';

const ROOT = join(import.meta.dirname, '../..');
export const PROGRAM = join(ROOT, 'hvrewind');

/** Runs `./hvrewind` as a user would (this one, or the one with that number), from `folder`, and takes what it prints. */
export function hvrewind(words: readonly string[], folder: string = ROOT, uid?: number): Promise<Output> {
  return outputOf([PROGRAM, ...words], folder, uid);
}

/** Runs it at the shared prompt and demands an exit code; returns what it printed on stdout. */
export async function exits(exit: number, words: readonly string[], folder = ROOT): Promise<string> {
  const ran = await atPrompt(words, folder);
  assert.equal(ran.exit, exit, `hvrewind ${words.join(' ')}: ${ran.err || ran.out}`);
  return ran.out;
}

/** Runs it at the shared prompt with `--json` and demands an exit code; returns the one object that it printed. */
export async function json<T>(exit: number, words: readonly string[], folder?: string): Promise<T> {
  return JSON.parse(await exits(exit, [...words, '--json'], folder)) as T;
}

/** Names, sizes and times of all that lies below a folder: equal listings mean that nothing was written. */
export function listing(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  return names.map((name) => {
    const { size, mtimeMs, ino } = statSync(join(folder, name));
    return `${name} ${size} ${mtimeMs} ${ino}`;
  });
}

/** One of samples/scenarios. */
export interface Sample {
  readonly name: string;
  readonly path: string;
  /** The rules that must report something, and whom they must blame. */
  readonly expect: readonly { readonly rule: string; readonly component: string }[];
}

export const SAMPLES: readonly Sample[] = globSync(join(ROOT, 'samples/scenarios/*.hvtrace.ndjson'))
  .sort()
  .map((path) => {
    const [first = ''] = readFileSync(path, 'utf8').split('\n');
    const { expect } = JSON.parse(first) as { expect: { findings: Sample['expect'] } };
    return { name: basename(path, '.hvtrace.ndjson'), path, expect: expect.findings };
  });

/** The path of a sample scenario. */
export function sample(name: string): string {
  const found = SAMPLES.find((candidate) => candidate.name === name);
  assert.ok(found !== undefined, `no sample ${name}`);
  return found.path;
}
