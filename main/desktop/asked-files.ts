/** Which file a start of the program asks for. */
import { resolve } from 'node:path';

/** What a second start tells the first. */
export interface Asked {
  /** Absolute; absent when no file was named. */
  readonly file?: string;
}

/**
 * The file on a command line. `argv` is that of Electron: the program, the app's folder unless it is packaged, then
 * words among which Chromium's own switches may stand.
 */
export function askedOnCommandLine(argv: readonly string[], workingFolder: string, packaged: boolean): Asked {
  const file = argv.slice(packaged ? 1 : 2).find((word) => !word.startsWith('-'));
  return file === undefined ? {} : { file: resolve(workingFolder, file) };
}

/** Reads what a second start told: it comes from another process. */
export function readAsked(data: unknown): Asked {
  if (typeof data !== 'object' || data === null || !('file' in data)) return {};
  return typeof data.file === 'string' ? { file: data.file } : {};
}
