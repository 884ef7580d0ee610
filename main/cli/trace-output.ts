import { statSync } from 'node:fs';
import type { Arguments } from './command.ts';
import { Problem } from './problem.ts';

/**
 * Where a command writes: `-o`, or `<command>-<date>-<time><ending>` in the current folder, by the local clock.
 * Never the file that it reads: with `--force` that would be gone before it was read.
 */
export function outputPath(command: string, args: Arguments, ending: string, input: string): string {
  const given = args.value('output');
  if (given === undefined) return defaultName(command, ending);
  refuseInput(command, given, input);
  return given;
}

/** Refuses an output that is the input under this or another name. */
export function refuseInput(command: string, output: string, input: string): void {
  const [from, to] = [fileNumber(input), fileNumber(output)];
  if (from !== undefined && from === to)
    throw new Problem(`${command}: ${output} is the file that is read; name another with -o`);
}

/** Tells a file from all others; undefined for what is not there (or cannot be seen: opening says why). */
function fileNumber(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}

/** `<command>-<date>-<time><ending>`, by the local clock. */
export function defaultName(command: string, ending: string): string {
  const now = new Date();
  const two = (n: number) => String(n).padStart(2, '0');
  const date = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  const time = `${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
  return `${command}-${date}-${time}${ending}`;
}
