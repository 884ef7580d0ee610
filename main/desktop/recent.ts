import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, isAbsolute, join } from 'node:path';
import type { RecentFile } from '../../engine/app/shell.ts';

const MAX_FILES = 10;

/** The files that were opened last, newest first, kept in one small JSON file. */
export class RecentFiles {
  readonly #store: string;
  #paths: readonly string[];

  /** `folder`: where programs keep the data of this user. */
  constructor(folder: string) {
    this.#store = join(folder, 'recent.json');
    this.#paths = read(this.#store);
  }

  get paths(): readonly string[] {
    return this.#paths;
  }

  /** As the page shows them. */
  get views(): readonly RecentFile[] {
    return this.#paths.map((path) => ({ name: basename(path), folder: dirname(path) }));
  }

  add(path: string): void {
    this.#write([path, ...this.#paths.filter((other) => other !== path)].slice(0, MAX_FILES));
  }

  clear(): void {
    this.#write([]);
  }

  /** The list is a convenience: where it cannot be kept, it lasts as long as the program. */
  #write(paths: readonly string[]): void {
    this.#paths = paths;
    const whole = `${this.#store}.new`;
    try {
      mkdirSync(dirname(this.#store), { recursive: true });
      writeFileSync(whole, `${JSON.stringify(paths, undefined, 1)}\n`);
      renameSync(whole, this.#store);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    }
  }
}

/** What is missing, torn or written by somebody else counts as empty. */
function read(store: string): readonly string[] {
  let read: unknown;
  try {
    read = JSON.parse(readFileSync(store, 'utf8'));
  } catch {
    return [];
  }
  if (!Array.isArray(read)) return [];
  return read.filter((path) => typeof path === 'string' && isAbsolute(path)).slice(0, MAX_FILES);
}
