import type { FdWindow } from '../filter/window.ts';

/** Words of the memory that launcher and supervisor share; each waits for the other's. `snapshots`: how many were asked for. */
export const CONTROL = { listener: 0, serving: 1, snapshots: 2, words: 3 } as const;

/** What the launcher is given. */
export interface LauncherData {
  readonly window: FdWindow;
  readonly path: string;
  readonly argv: readonly string[];
  /** `NAME=value`. */
  readonly environment: readonly string[];
  /** `listener`: 0 until the descriptor of the listener, or a negative errno, is known; `serving`: 1 from when calls are answered. */
  readonly control: Int32Array<SharedArrayBuffer>;
}

/** What the launcher says. */
export type LauncherMessage =
  | { readonly kind: 'started'; readonly pid: number }
  /** `status` as a shell says it: 128 + signal for a program that was killed. */
  | { readonly kind: 'ended'; readonly status: number }
  | { readonly kind: 'failed'; readonly step: 'filter' | 'spawn'; readonly errno: number };
