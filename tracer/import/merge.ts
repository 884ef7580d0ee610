import { ImportError, type ImportOptions } from './importer.ts';
import { type Lines, readLines } from './lines.ts';
import { type LineTime, parseStraceLine } from './strace/line.ts';

/** Longest line of other programs' text; what is longer goes on as the next line. */
const RULES = { maxBytes: 1 << 16, lenient: true };

/** Lines of one or several files, with the thread that a file belongs to. */
export interface TextLines {
  readonly texts: readonly string[];
  /** For each line; empty where there is one file. */
  readonly tids: readonly (number | undefined)[];
  readonly bytesRead: number;
  readonly bytesTotal: number;
}

/** The lines of the files: of one as they stand, of several (`strace -ff`: a file a thread, named `.TID`) by their times. */
export function textLines(paths: readonly string[], options: ImportOptions): AsyncGenerator<TextLines> {
  const [path] = paths;
  return paths.length === 1 && path !== undefined ? oneFile(path, options) : severalFiles(paths, options);
}

async function* oneFile(path: string, options: ImportOptions): AsyncGenerator<TextLines> {
  const tid = tidOf(path);
  for await (const { texts, bytesRead, bytesTotal } of readLines(path, RULES, options)) {
    const tids = tid === undefined ? [] : texts.map(() => tid);
    yield { texts, tids, bytesRead, bytesTotal };
  }
}

/** The thread of a file that `strace -ff -o NAME` wrote: `NAME.TID`. */
function tidOf(path: string): number | undefined {
  const tid = /\.(\d{1,10})$/.exec(path)?.[1];
  return tid !== undefined && Number(tid) <= 0x7fff_ffff ? Number(tid) : undefined;
}

/** One of the files that are merged, at its next line. */
class Source {
  readonly #path: string;
  readonly #lines: AsyncGenerator<Lines>;
  readonly tid: number | undefined;
  #piece: Lines | undefined;
  #next = 0;
  #key = 0n;
  #days = 0n;
  /** The next line; undefined at the end. */
  text: string | undefined;

  constructor(path: string, options: ImportOptions) {
    this.#path = path;
    this.#lines = readLines(path, RULES, options);
    this.tid = tidOf(path);
  }

  /** Time of the next line, comparable with those of the other files. */
  get key(): bigint {
    return this.#key;
  }

  get bytesRead(): number {
    return this.#piece?.bytesRead ?? 0;
  }

  get bytesTotal(): number {
    return this.#piece?.bytesTotal ?? 0;
  }

  /** Whether the next line is in memory. */
  step(): boolean {
    if (this.#piece === undefined || this.#next >= this.#piece.texts.length) return false;
    this.text = this.#piece.texts[this.#next];
    this.#next += 1;
    const { time } = parseStraceLine(this.text ?? '');
    if (time !== undefined) this.#key = this.#keyOf(time);
    return true;
  }

  async read(): Promise<void> {
    const next = await this.#lines.next();
    if (next.done === true) {
      this.text = undefined;
      return;
    }
    this.#piece = next.value;
    this.#next = 0;
    this.step();
  }

  async close(): Promise<void> {
    await this.#lines.return(undefined);
  }

  #keyOf(time: NonNullable<LineTime>): bigint {
    if (time.kind === 'since')
      throw new ImportError(
        this.#path,
        'has times since the line before: files of threads cannot be put in order; record with -ttt',
      );
    const key = BigInt(time.seconds) * 1_000_000_000n + BigInt(time.fraction.padEnd(9, '0').slice(0, 9));
    if (time.kind === 'epoch') return key;
    const day = 86_400_000_000_000n;
    if (key + this.#days * day < this.#key - day / 2n) this.#days += 1n;
    return key + this.#days * day;
  }
}

const BATCH = 4096;

async function* severalFiles(paths: readonly string[], options: ImportOptions): AsyncGenerator<TextLines> {
  const all = paths.map((path) => new Source(path, options));
  try {
    for (const source of all) await source.read();
    let open = all.filter(({ text }) => text !== undefined);
    while (open.length > 0) {
      const texts: string[] = [];
      const tids: (number | undefined)[] = [];
      let empty: Source | undefined;
      while (texts.length < BATCH && empty === undefined) {
        const first = open.reduce((least, source) => (source.key < least.key ? source : least));
        texts.push(first.text ?? '');
        tids.push(first.tid);
        if (!first.step()) empty = first;
      }
      const sum = (of: (source: Source) => number): number => all.reduce((bytes, s) => bytes + of(s), 0);
      yield { texts, tids, bytesRead: sum((s) => s.bytesRead), bytesTotal: sum((s) => s.bytesTotal) };
      await empty?.read();
      open = open.filter(({ text }) => text !== undefined);
    }
  } finally {
    for (const source of all) await source.close();
  }
}
