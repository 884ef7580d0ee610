import { isUtf8 } from 'node:buffer';
import { type FileHandle, open } from 'node:fs/promises';
import { ImportError, type ImportOptions } from './importer.ts';

/** Bytes read at a time: large enough that a read costs nothing beside the parsing of its lines. */
const PIECE_BYTES = 1 << 18;
const LINE_FEED = 0x0a;

/** The errors of opening and reading that a user can cause, in plain words. */
const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'is a folder',
  EACCES: 'may not be read',
  EPERM: 'may not be read',
};

/** Runs a file operation; what the system refuses becomes an {@link ImportError}. */
async function onFile<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
    if (code === undefined) throw error;
    throw new ImportError(path, WORDS[code] ?? `cannot be read (${code})`);
  }
}

/** Some lines that stand together, with the number of the first. */
export interface Lines {
  readonly first: number;
  readonly texts: readonly string[];
  readonly bytesRead: number;
  readonly bytesTotal: number;
}

/** How lines are read that are not what they should be. */
export interface LineRules {
  /** Longest line. */
  readonly maxBytes: number;
  /**
   * Whether anything is taken: bytes that are no UTF-8 become U+FFFD, a line that is too long ends there and goes on as the next one.
   */
  readonly lenient: boolean;
}

function decodeLines(path: string, bytes: Buffer, first: number, { lenient }: LineRules): string[] {
  const texts = bytes.toString('utf8').split('\n');
  if (lenient || isUtf8(bytes)) return texts;
  let start = 0;
  for (const index of texts.keys()) {
    const found = bytes.indexOf(LINE_FEED, start);
    const end = found < 0 ? bytes.length : found;
    const line = bytes.subarray(start, end);
    if (!isUtf8(line)) {
      const column = line.toString('utf8').indexOf('\ufffd') + 1;
      throw new ImportError(path, 'expected text in UTF-8', first + index, column);
    }
    start = end + 1;
  }
  return texts;
}

/**
 * Reads a text file line by line, the line feeds taken away, holding one piece and one line at a time. A file
 * that ends with a line feed has no empty line after it.
 */
export async function* readLines(
  path: string,
  rules: LineRules,
  options: ImportOptions = {},
): AsyncGenerator<Lines> {
  const file = await onFile(path, () => open(path, 'r'));
  try {
    yield* linesOf(file, path, rules, options);
  } finally {
    await file.close();
  }
}

async function* linesOf(
  file: FileHandle,
  path: string,
  rules: LineRules,
  options: ImportOptions,
): AsyncGenerator<Lines> {
  const { size: bytesTotal } = await onFile(path, () => file.stat());
  const buffer = Buffer.alloc(PIECE_BYTES);
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let first = 1;
  let bytesRead = 0;
  for (;;) {
    options.signal?.throwIfAborted();
    const { bytesRead: count } = await onFile(path, () => file.read(buffer, 0, PIECE_BYTES, null));
    if (count === 0) break;
    bytesRead += count;
    const piece = buffer.subarray(0, count);
    const last = piece.lastIndexOf(LINE_FEED);
    if (last < 0) {
      pending.push(Buffer.from(piece));
      pendingBytes += count;
    } else {
      const whole = Buffer.concat([...pending, piece.subarray(0, last)]);
      const texts = decodeLines(path, whole, first, rules);
      yield { first, texts, bytesRead, bytesTotal };
      first += texts.length;
      pending = [Buffer.from(piece.subarray(last + 1))];
      pendingBytes = count - last - 1;
    }
    if (pendingBytes <= rules.maxBytes) continue;
    if (!rules.lenient) throw new ImportError(path, `a line is longer than ${rules.maxBytes} bytes`, first);
    yield { first, texts: decodeLines(path, Buffer.concat(pending), first, rules), bytesRead, bytesTotal };
    first += 1;
    pending = [];
    pendingBytes = 0;
  }
  if (pendingBytes > 0)
    yield { first, texts: decodeLines(path, Buffer.concat(pending), first, rules), bytesRead, bytesTotal };
}
