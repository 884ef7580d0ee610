/** Which file a start of the program asks for. */
import { resolve } from 'node:path';

/** What a second start tells the first. */
export interface Asked {
  /** Absolute; absent when no file was named. */
  readonly file?: string;
  /** The trace that it is compared with; absolute. */
  readonly other?: string;
}

/**
 * The files on a command line. `argv` is that of Electron: the program, the app's folder unless it is packaged, then
 * words among which Chromium's own switches may stand.
 */
export function askedOnCommandLine(argv: readonly string[], workingFolder: string, packaged: boolean): Asked {
  const [file, other] = argv.slice(packaged ? 1 : 2).filter((word) => !word.startsWith('-'));
  if (file === undefined) return {};
  const named = { file: resolve(workingFolder, file) };
  return other === undefined ? named : { ...named, other: resolve(workingFolder, other) };
}

/** Reads what a second start told: it comes from another process. */
export function readAsked(data: unknown): Asked {
  if (typeof data !== 'object' || data === null || !('file' in data)) return {};
  if (typeof data.file !== 'string') return {};
  const { file } = data;
  return 'other' in data && typeof data.other === 'string' ? { file, other: data.other } : { file };
}
