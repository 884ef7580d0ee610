import type { TraceEvent } from '../../engine/trace/event.ts';
import type { TraceHeader } from '../../engine/trace/profile.ts';
import type { JsonObject } from '../../engine/trace/text/json.ts';

/** How far an import is. */
export interface ImportProgress {
  readonly bytesRead: number;
  /** Size of the file. */
  readonly bytesTotal: number;
  readonly events: number;
}

export interface ImportOptions {
  /** Called after each piece of the file. */
  readonly onProgress?: (progress: ImportProgress) => void;
  /** Stops the import at the next piece with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** A text being imported: its header is read, its events come in batches in the order of the file. */
export interface Import {
  readonly header: TraceHeader;
  /** The state with which it starts, where it says one; engine/replay/start-text.ts reads it. */
  readonly start?: JsonObject;
  /** Throws {@link ImportError} at the first place that is not what it should be. */
  readonly events: AsyncIterable<readonly TraceEvent[]>;
  /** Lets go of the file; needed where the events are not read to their end. */
  close(): Promise<void>;
}

/** One form of text that can be made into a trace. */
export interface Importer {
  readonly name: string;
  /** Opens `path` and reads what stands before the events. Throws {@link ImportError}. */
  open(path: string, options?: ImportOptions): Promise<Import>;
}

/** What is wrong with a file that was to be imported, in one line: `file:line:column: what`. */
export class ImportError extends Error {
  readonly path: string;
  /** Line and column from 1; undefined where the file as a whole is at fault. */
  readonly line: number | undefined;
  readonly column: number | undefined;

  constructor(path: string, message: string, line?: number, column?: number) {
    super(line === undefined ? `${path}: ${message}` : `${path}:${line}:${column ?? 1}: ${message}`);
    this.path = path;
    this.line = line;
    this.column = column;
  }
}
