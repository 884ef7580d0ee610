import { writeFileSync } from 'node:fs';
import type { TraceHeader } from '../../engine/trace/profile.ts';
import { parseProfile } from '../../engine/trace/profile-read.ts';
import type { JsonObject } from '../../engine/trace/text/json.ts';
import type { Arguments } from './command.ts';
import { tell } from './output.ts';
import { EXIT, Problem } from './problem.ts';

/** Why a program was not run; `environment`: this machine lacks something, else the user can mend it. */
interface Trouble {
  readonly text: string;
  readonly environment: boolean;
}

/** Refuses what could not be run. */
export function orProblem<T extends object>(command: string, result: T | Trouble): T {
  if (!('text' in result)) return result;
  throw new Problem(`${command}: ${result.text}`, result.environment ? EXIT.environment : EXIT.usage);
}

/** Tells what a recording of a program came to: `--summary` as JSON, and one line unless `--quiet`. */
export function summarize(args: Arguments, file: string, result: object, line: string): void {
  const summary = args.value('summary');
  if (summary !== undefined) writeFileSync(summary, `${JSON.stringify({ file, ...result }, undefined, 2)}\n`);
  if (!args.flag('quiet')) tell(`${file}: ${line}`);
}

/** A header with these parameters given and everything else at its default. */
export function headerOf(given: JsonObject): TraceHeader {
  const read = parseProfile(given);
  if ('problem' in read) throw new Error(`the default profile: ${read.problem.message}`);
  return { profile: read.profile, given };
}
