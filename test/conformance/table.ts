import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One row of a table: its cells by column, and where it stands. */
export interface Row {
  readonly line: number;
  readonly cells: Readonly<Record<string, string>>;
}

/** A page of tables about one thing: its heading, where its facts come from, its rows. */
export interface Page {
  /** `hypercalls/create-vp.md`. */
  readonly path: string;
  /** First word of the heading: `HVCALL_CREATE_VP`. */
  readonly name: string;
  readonly source: string;
  readonly rows: readonly Row[];
}

function cellsOf(line: string): string[] {
  return line
    .slice(1, -1)
    .split('|')
    .map((cell) => cell.trim().replaceAll('`', ''));
}

/** The rows of the Markdown tables of a text, each by the heads of its columns. */
export function rowsOf(text: string): Row[] {
  const rows: Row[] = [];
  let columns: readonly string[] | undefined;
  for (const [i, line] of text.split('\n').entries()) {
    if (!line.startsWith('|')) columns = undefined;
    else if (columns === undefined) columns = cellsOf(line);
    else if (!/^\|[-| ]+$/.test(line)) {
      const cells = cellsOf(line);
      if (cells.length !== columns.length) throw new Error(`line ${i + 1}: ${cells.length} cells`);
      rows.push({
        line: i + 1,
        cells: Object.fromEntries(columns.map((name, at) => [name, cells[at] ?? ''])),
      });
    }
  }
  return rows;
}

const FOLDER = import.meta.dirname;

export function readPage(path: string): Page {
  const text = readFileSync(join(FOLDER, path), 'utf8');
  return {
    path,
    name: /^# (\S+)/.exec(text)?.[1] ?? '',
    source: /^Source: ([\s\S]*?)\n\n/m.exec(text)?.[1] ?? '',
    rows: rowsOf(text),
  };
}

/** The pages of a folder, by name. */
export function pagesOf(folder: string): Page[] {
  return globSync(`${folder}/*.md`, { cwd: FOLDER })
    .filter((path) => !path.endsWith('README.md'))
    .sort()
    .map(readPage);
}
