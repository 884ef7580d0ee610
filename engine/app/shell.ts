/**
 * What the window around the app can do, as types that the page and the desktop program both see. Only Electron has
 * such a window; in a browser the page has the trace that it was served with.
 */

import type { AppProgress } from './api.ts';
import { type Checked, readShaped, type Shapes } from './shapes.ts';

/** A trace that was open before. */
export interface RecentFile {
  readonly name: string;
  readonly folder: string;
}

export interface ShellStatus {
  /** File name of the open trace; null while none is open. */
  readonly trace: string | null;
  /** Newest first. */
  readonly recent: readonly RecentFile[];
  /** One line: what the last thing that was asked for came to; empty when there is nothing to say. */
  readonly line: string;
}

type Nothing = Record<string, never>;

/** Requests by name. What an opened file comes to is not the answer: the window shows it, or pushes a line. */
export interface ShellRequests {
  readonly status: { readonly in: Nothing; readonly out: ShellStatus };
  /** Lets the user choose a trace. */
  readonly openDialog: { readonly in: Nothing; readonly out: Nothing };
  /** Lets the user choose the trace that the open one is compared with. */
  readonly compareDialog: { readonly in: Nothing; readonly out: Nothing };
  /** Opens the `index`-th of the recent files; the page never names a path. */
  readonly openRecent: { readonly in: { readonly index: number }; readonly out: Nothing };
  readonly closeTrace: { readonly in: Nothing; readonly out: Nothing };
}

export type ShellMethod = keyof ShellRequests;

const SHAPES: Shapes<ShellRequests> = {
  status: {},
  openDialog: {},
  compareDialog: {},
  openRecent: { index: 'count' },
  closeTrace: {},
};

/** A request that has been checked. */
export type ShellCall = Checked<ShellRequests>;

/** Checks a request from outside; the text of the result says what is wrong with it. */
export function readShellCall(method: unknown, input: unknown): ShellCall | { readonly problem: string } {
  return readShaped(SHAPES, method, input);
}

/**
 * An answer that crosses from the program to the page; a refusal is a value, as errors lose their type on the way.
 * `waiting`: only the replay will tell, which has not come to its end.
 */
export type Reply = { readonly value: unknown } | { readonly problem: string } | { readonly waiting: true };

/** What the preload script puts on the page's window as `hvrewind`: all that the page can reach. */
export interface Bridge {
  app(method: string, input: unknown): Promise<Reply>;
  shell(method: string, input: unknown): Promise<Reply>;
  onProgress(listener: (progress: AppProgress) => void): () => void;
  onLine(listener: (line: string) => void): () => void;
}
