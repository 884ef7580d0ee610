import type { AppCall } from '../../engine/app/border.ts';

/** What a worker thread is started for. */
export type WorkerTask =
  | { readonly work: 'show'; readonly path: string }
  | { readonly work: 'pack'; readonly path: string; readonly to: string };

/** To a worker that shows a trace. */
export type ToWorker =
  | { readonly kind: 'call'; readonly id: number; readonly call: AppCall }
  | { readonly kind: 'close' };

/** From any worker. `done` ends a task that is no session; `failed` ends each. Problems are one line. */
export type FromWorker =
  | { readonly kind: 'progress'; readonly done: number; readonly total: number }
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly line: string }
  | { readonly kind: 'failed'; readonly problem: string }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'refusal'; readonly id: number; readonly problem: string };
