import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, relative, resolve, sep } from 'node:path';
import { writeProblem } from '../../../tracer/store/problem.ts';
import { firstLine, Problem } from '../problem.ts';

/** The first key of the file, and the version of its form. */
const FORM = 'hvrewind-baseline';
const VERSION = 1;

/** Findings that are known: ids by file. A file is named from the folder of the baseline, so that both may move together. */
export class Baseline {
  readonly #folder: string;
  readonly #known = new Map<string, Set<string>>();

  /** An empty one, to be written to `path`. */
  constructor(path: string) {
    this.#folder = dirname(resolve(path));
  }

  /** Throws a Problem where `path` cannot be read or is no baseline. */
  static read(path: string): Baseline {
    const baseline = new Baseline(path);
    for (const { file, id } of entriesOf(path)) baseline.#ids(file).add(id);
    return baseline;
  }

  has(file: string, id: string): boolean {
    return this.#known.get(this.#name(file))?.has(id) ?? false;
  }

  add(file: string, id: string): void {
    this.#ids(this.#name(file)).add(id);
  }

  /** How many findings of a file it holds. */
  of(file: string): number {
    return this.#known.get(this.#name(file))?.size ?? 0;
  }

  get size(): number {
    let size = 0;
    for (const ids of this.#known.values()) size += ids.size;
    return size;
  }

  /** Writes it, whole or not at all. Throws a Problem where the system refuses. */
  write(path: string): void {
    const half = `${path}.new`;
    try {
      writeFileSync(half, this.#text());
      renameSync(half, path);
    } catch (error) {
      rmSync(half, { force: true });
      throw new Problem(`check: ${writeProblem(path, error).text}`);
    }
  }

  /** A finding a line, sorted: a change of it reads well in a diff. */
  #text(): string {
    const lines = Array.from(this.#known).flatMap(([file, ids]) =>
      Array.from(ids, (id) => `    ${JSON.stringify({ file, id })}`),
    );
    const findings = lines.length === 0 ? '[]' : `[\n${lines.sort().join(',\n')}\n  ]`;
    return `{\n  "${FORM}": ${VERSION},\n  "findings": ${findings}\n}\n`;
  }

  #name(file: string): string {
    return relative(this.#folder, resolve(file)).replaceAll(sep, '/');
  }

  #ids(name: string): Set<string> {
    const known = this.#known.get(name) ?? new Set();
    this.#known.set(name, known);
    return known;
  }
}

interface Entry {
  readonly file: string;
  readonly id: string;
}

function entriesOf(path: string): readonly Entry[] {
  const wrong = (what: string): Problem => new Problem(`check: --baseline ${path}: ${what}`);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw wrong(`cannot be read (${code}); write one with --write-baseline`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw wrong(`is not JSON (${firstLine(error)}); write one with --write-baseline`);
  }
  if (!isObject(value) || value[FORM] !== VERSION || !Array.isArray(value.findings)) {
    throw wrong('is no baseline of this version; write one with --write-baseline');
  }
  return value.findings.map((entry, i) => {
    if (!isObject(entry) || typeof entry.file !== 'string' || typeof entry.id !== 'string') {
      throw wrong(`findings[${i}]: expected {"file":"…","id":"…"}`);
    }
    return { file: entry.file, id: entry.id };
  });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
