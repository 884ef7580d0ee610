/** Rules about the text of single files. The words they look for are put together here, so as not to find themselves. */
import { type Problem, type ProjectFile, problemsAt } from './files.ts';

const maxLines = 400;

/** Files that may be longer than `maxLines`, each with the reason. */
const longFiles: Readonly<Record<string, string>> = {};

const markers = new RegExp(`\\b(?:${['TO', 'FIX', 'XX'].join('|')})(?:DO|ME|X)\\b`, 'g');
const suppressions = new RegExp(
  `@ts-(?:ignore|nocheck|expect-error)|${['biome', 'eslint'].join('-\\w+|')}-\\w+`,
  'g',
);
/** Paths of somebody's machine, and hosts that packages came from: meaningless to whoever reads the project. */
const privateMentions = new RegExp(
  `${['\\.\\.', 'shared'].join('/')}\\b|(?<![\\w.])/(?:work|farm)/|registry\\.[\\w-]+\\.\\w+|"resolve[d]"`,
  'g',
);

const isCode = (path: string): boolean => /\.(?:ts|tsx|mjs|js|sh|css)$/.test(path);

/** Work left undone belongs into an issue. */
export function unfinished({ path, text }: ProjectFile): Problem[] {
  return problemsAt(path, text, markers, 'finish it, or open an issue');
}

export function suppressed({ path, text }: ProjectFile): Problem[] {
  return isCode(path)
    ? problemsAt(path, text, suppressions, 'mend the code, or change the rule for all')
    : [];
}

export function mentionsPrivate({ path, text }: ProjectFile): Problem[] {
  return problemsAt(path, text, privateMentions, 'means nothing on another machine');
}

export function tooLong({ path, text }: ProjectFile): Problem[] {
  if (!isCode(path) || path in longFiles) return [];
  const lines = text.split('\n').length - 1;
  return lines <= maxLines
    ? []
    : [{ path, line: maxLines, what: `${lines} lines: one idea a file, at most ${maxLines}` }];
}

/** Entries of `longFiles` that are gone or short by now. */
export function staleLongFiles(files: readonly ProjectFile[]): string[] {
  const long = new Set(
    files.filter(({ text }) => text.split('\n').length - 1 > maxLines).map(({ path }) => path),
  );
  return Object.keys(longFiles).filter((path) => !long.has(path));
}
