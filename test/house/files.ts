/** The files the house rules look at. */
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

export const root: string = join(import.meta.dirname, '../..');

/** One file of the project: its path from the root with `/`, and its text (of a picture or a trace: none). */
export type ProjectFile = { readonly path: string; readonly text: string };

/** A rule broken: where, and what to do about it. */
export type Problem = { readonly path: string; readonly line: number; readonly what: string };

const isText = (path: string): boolean =>
  /\.(ts|tsx|mjs|js|json|md|sh|css|html|yml|yaml|ndjson)$|^[^.]*$|^\.[a-z]+$/.test(
    path.slice(path.lastIndexOf('/') + 1),
  );

const isFile = (path: string): boolean =>
  statSync(join(root, path), { throwIfNoEntry: false })?.isFile() ?? false;

/** Every file that is committed or would be, ignored ones left out, sorted by path. */
export function projectFiles(): ProjectFile[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  return Array.from(new Set(listed.split('\0')))
    .filter(isFile)
    .sort()
    .map((path) => ({ path, text: isText(path) ? readFileSync(join(root, path), 'utf8') : '' }));
}

/** The 1-based line on which offset `at` of `text` stands. */
export function lineAt(text: string, at: number): number {
  let line = 1;
  for (let end = text.indexOf('\n'); end !== -1 && end < at; end = text.indexOf('\n', end + 1)) line += 1;
  return line;
}

/** A problem for every match of `pattern` (global) in `text`, which may be a blanked copy of the file's text. */
export function problemsAt(path: string, text: string, pattern: RegExp, what: string): Problem[] {
  return Array.from(text.matchAll(pattern), (match) => ({
    path,
    line: lineAt(text, match.index),
    what: `${match[0].trim()}: ${what}`,
  }));
}
