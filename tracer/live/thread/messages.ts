import type { Dialect } from '../../../engine/trace/event.ts';

/** How a program is traced: a filter stops it at the calls that matter, or every call stops it. */
export type Mode = 'filter' | 'every-call';

/** What the tracing thread is given. */
export interface TracerData {
  /** Shared with the thread that writes the file: ../ring. */
  readonly memory: SharedArrayBuffer;
  readonly target:
    | {
        readonly kind: 'launch';
        readonly mode: Mode;
        /** The program survives the recorder. */
        readonly keepAlive: boolean;
        readonly command: readonly string[];
        /** `NAME=value`. */
        readonly environment: readonly string[];
      }
    | { readonly kind: 'attach'; readonly pid: number };
  /** Time 0 of the trace (CLOCK_MONOTONIC), in ns. */
  readonly start: bigint;
  readonly dialect: Dialect;
  /** The user has said what the program speaks. */
  readonly isDialectGiven: boolean;
  /** The reading end of a pipe: when its other end closes, the program is let go. */
  readonly letGo: number;
}

/** What the tracing thread says. */
export type TracerMessage =
  | { readonly kind: 'started'; readonly pid: number; readonly mode: Mode }
  /** `status` as a shell says it; undefined where the program was let go. */
  | { readonly kind: 'ended'; readonly status: number | undefined }
  | { readonly kind: 'failed'; readonly step: 'spawn' | 'seize' | 'filter'; readonly errno: number };
