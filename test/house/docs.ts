/** Rules about the project's pages: folder READMEs, links, decision records. */
import { posix } from 'node:path';
import type { Problem, ProjectFile } from './files.ts';

const maxReadmeLines = 12;

/** Every folder with TypeScript in it says in a few lines what it is for. */
export function folderReadmes(files: readonly ProjectFile[]): Problem[] {
  const byPath = new Map(files.map((file) => [file.path, file.text]));
  const folders = new Set(
    files.filter(({ path }) => /\.tsx?$/.test(path)).map(({ path }) => posix.dirname(path)),
  );
  return Array.from(folders).flatMap((folder): Problem[] => {
    const path = `${folder}/README.md`;
    const text = byPath.get(path);
    if (text === undefined)
      return [{ path, line: 1, what: 'missing: what the folder is for, where to start reading' }];
    const lines = text.split('\n').filter((line) => line.trim() !== '').length;
    return lines <= maxReadmeLines
      ? []
      : [{ path, line: lines, what: `${lines} lines that are not blank, at most ${maxReadmeLines}` }];
  });
}

/** The anchors of a page's headings, as GitHub makes them. */
function anchors(text: string): Set<string> {
  const made = new Set<string>();
  for (const [, heading = ''] of withoutCode(text).matchAll(/^#+\s+(.*?)\s*$/gm)) {
    const base = heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-');
    let anchor = base;
    for (let n = 1; made.has(anchor); n += 1) anchor = `${base}-${n}`;
    made.add(anchor);
  }
  for (const [, id = ''] of text.matchAll(/<a (?:id|name)="([^"]+)"/g)) made.add(id);
  return made;
}

/** Markdown with fenced blocks and code spans blanked: no links in there, and their `#` is no heading. */
function withoutCode(text: string): string {
  const blank = (code: string): string => code.replace(/[^\n]/g, ' ');
  return text
    .replace(/^(```|~~~)[\s\S]*?^\1/gm, blank)
    .replace(/`[^`\n]*`/g, (code) => code.replace(/[[\]#]/g, ' '));
}

/** Links inside the project lead somewhere, to a heading too. */
export function brokenLinks(files: readonly ProjectFile[]): Problem[] {
  const pages = new Map(files.map(({ path, text }) => [path, text]));
  const folders = new Set(['.']);
  for (const { path } of files)
    for (let at = posix.dirname(path); at !== '.'; at = posix.dirname(at)) folders.add(at);

  return files
    .filter(({ path }) => path.endsWith('.md'))
    .flatMap(({ path, text }) =>
      Array.from(withoutCode(text).matchAll(/\]\((?!\w+:)<?(?<to>[^)>\s]+)>?[^)]*\)/g)).flatMap(
        (match): Problem[] => {
          const [to = '', anchor] = (match.groups?.to ?? '').split('#');
          const target =
            to === ''
              ? path
              : posix.normalize(posix.join(posix.dirname(path), decodeURI(to))).replace(/\/$/, '');
          const page = pages.get(target);
          const line = text.slice(0, match.index).split('\n').length;
          if (page === undefined && !folders.has(target)) return [{ path, line, what: `no file ${target}` }];
          if (anchor !== undefined && page !== undefined && !anchors(page).has(anchor))
            return [{ path, line, what: `no heading #${anchor} in ${target}` }];
          return [];
        },
      ),
    );
}

/** docs/decisions/NNNN-topic.md: one number each, and what was rejected. */
export function decisionRecords(files: readonly ProjectFile[]): Problem[] {
  const records = files.filter(({ path }) => /^docs\/decisions\/(?!README\.md$)/.test(path));
  const numberOf = (path: string): string => posix.basename(path).slice(0, 4);
  return records.flatMap((record): Problem[] => {
    const { path, text } = record;
    const twin = records.find((other) => other !== record && numberOf(other.path) === numberOf(path));
    return [
      ...(/\/\d{4}-[a-z0-9-]+\.md$/.test(path) ? [] : [{ path, line: 1, what: 'name it NNNN-topic.md' }]),
      ...(twin === undefined ? [] : [{ path, line: 1, what: `shares its number with ${twin.path}` }]),
      ...(/^## Rejected\b/m.test(text) ? [] : [{ path, line: 1, what: 'has no section "Rejected"' }]),
    ];
  });
}
