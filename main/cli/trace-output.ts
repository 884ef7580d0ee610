import type { Arguments } from './command.ts';

/**
 * Where a command writes: `-o`, or `<command>-<date>-<time><ending>` in the current folder, by the local clock.
 */
export function outputPath(command: string, args: Arguments, ending: string): string {
  const given = args.value('output');
  if (given !== undefined) return given;
  const now = new Date();
  const two = (n: number) => String(n).padStart(2, '0');
  const date = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  const time = `${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
  return `${command}-${date}-${time}${ending}`;
}
