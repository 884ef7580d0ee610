import { type Dirent, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Problem } from '../cli/problem.ts';

/** How the name of event text ends, for commands that take it beside traces. */
export const EVENT_TEXT = '.ndjson';

const ENDINGS: readonly string[] = ['.hvtrace', '.hvtrace.zst', `.hvtrace${EVENT_TEXT}`];

/**
 * The files that are meant: an operand that is a folder stands for all traces and event texts below it, sorted by name; links to
 * folders are not followed. Others are taken as they are, whether they exist or not. Throws a Problem for a folder without any.
 */
export function findTraces(operands: readonly string[]): string[] {
  return operands.flatMap((operand) => (isFolder(operand) ? below(operand) : [operand]));
}

export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function below(folder: string): string[] {
  const found: string[] = [];
  const folders = [folder];
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    for (const entry of entriesOf(next)) {
      const path = join(next, entry.name);
      if (entry.isDirectory()) folders.push(path);
      else if (ENDINGS.some((ending) => entry.name.endsWith(ending))) found.push(path);
    }
  }
  if (found.length === 0)
    throw new Problem(`${folder}: holds no trace (${ENDINGS.join(', ')}); name another`);
  return found.sort((a, b) => (a < b ? -1 : 1));
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new Problem(`${folder}: cannot be read (${code}); mend its permissions or name its files`);
  }
}
