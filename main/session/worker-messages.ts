import type { SessionCall } from '../../engine/app/border.ts';
import type { Reply } from '../../engine/app/shell.ts';

/** What a worker thread is started for. */
export type WorkerTask =
  | { readonly work: 'show'; readonly path: string; readonly other: string | undefined }
  | { readonly work: 'pack'; readonly path: string; readonly to: string };

/** What a worker thread is started with. */
export interface WorkerData {
  readonly task: WorkerTask;
  /** The folder of the compile cache that the thread which starts it uses; undefined where it uses none. */
  readonly compileCache: string | undefined;
}

/** To a worker that shows a trace. */
export type ToWorker =
  | { readonly kind: 'call'; readonly id: number; readonly call: SessionCall }
  /** Another trace to compare with; answered as a call is, with its name. */
  | { readonly kind: 'other'; readonly id: number; readonly path: string }
  | { readonly kind: 'close' };

/**
 * From a worker that shows a trace: `opened` when it begins to answer, `replayed` or `unreplayed` when its replay has
 * ended. `failed`: it cannot be opened. From one that packs: `done` or `failed`. Problems are one line.
 */
export type FromWorker =
  | { readonly kind: 'opened' }
  | { readonly kind: 'progress'; readonly done: number; readonly total: number }
  | { readonly kind: 'replayed' }
  | { readonly kind: 'unreplayed'; readonly problem: string }
  | { readonly kind: 'done'; readonly line: string }
  | { readonly kind: 'failed'; readonly problem: string; readonly exit: 2 | 3 }
  | { readonly kind: 'answer'; readonly id: number; readonly reply: Reply };
