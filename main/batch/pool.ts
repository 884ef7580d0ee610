import { statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { compileCacheFolder } from '../../tracer/process/compile-cache.ts';
import { failedOn, judgeOne } from './judge-one.ts';
import type { Judged } from './judged.ts';
import type { WorkerData } from './judging.ts';

/** Beside this module: as it is here, or as JavaScript where the project is published. */
const WORKER = new URL(`./worker.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url);
/** A thread takes about 0.3 s of processor time to start: what it takes to judge so much of a trace. */
const BYTES_A_THREAD = 4 << 20;
/** How far, in files for each thread, results may run ahead of a file that takes long: they are kept until it is done. */
const AHEAD = 16;

/** How many threads judge these files best; 1 is the thread that asks. At most `most`, by default one a processor. */
export function threadsFor(files: readonly string[], most?: number): number {
  if (most !== undefined) return Math.min(most, files.length);
  let bytes = 0;
  for (const file of files) bytes += statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  return Math.max(1, Math.min(availableParallelism(), files.length, Math.ceil(bytes / BYTES_A_THREAD)));
}

/**
 * Judges files on so many threads and gives the results in the order of the files. Few results wait at a time, so memory does not
 * grow with their number. Ends early when `signal` is aborted; the threads have ended when the generator has.
 */
export async function* judgeAll(
  files: readonly string[],
  threads: number,
  signal?: AbortSignal,
): AsyncGenerator<Judged, void, undefined> {
  if (threads > 1) yield* new Pool(files, threads, signal).results();
  else
    for (const file of files) {
      if (signal?.aborted === true) return;
      yield await judgeOne(file);
    }
}

class Pool {
  readonly #files: readonly string[];
  readonly #signal: AbortSignal | undefined;
  readonly #ahead: number;
  /** Threads, with the number of the file that each has; undefined while it has none. */
  readonly #workers = new Map<Worker, number | undefined>();
  /** What waits for a file before it. */
  readonly #done = new Map<number, Judged>();
  /** The next file to hand out, and the next to give back. */
  #next = 0;
  #head = 0;
  #wake: () => void = () => {};

  constructor(files: readonly string[], threads: number, signal: AbortSignal | undefined) {
    this.#files = files;
    this.#signal = signal;
    this.#ahead = threads * AHEAD;
    for (let i = 0; i < threads; i++) this.#start();
  }

  async *results(): AsyncGenerator<Judged, void, undefined> {
    const wake = (): void => this.#wake();
    this.#signal?.addEventListener('abort', wake);
    try {
      while (this.#head < this.#files.length) {
        const judged = this.#done.get(this.#head);
        if (judged !== undefined) {
          this.#done.delete(this.#head++);
          this.#handOut();
          yield judged;
        }
        if (this.#signal?.aborted === true) return;
        if (!this.#done.has(this.#head) && this.#head < this.#files.length) {
          const woken = Promise.withResolvers<void>();
          this.#wake = woken.resolve;
          await woken.promise;
        }
      }
    } finally {
      this.#signal?.removeEventListener('abort', wake);
      const workers = Array.from(this.#workers.keys());
      this.#workers.clear();
      await Promise.all(workers.map((worker) => worker.terminate()));
    }
  }

  #start(): void {
    const workerData: WorkerData = { compileCache: compileCacheFolder() };
    const worker = new Worker(WORKER, { workerData, name: 'hvrewind check' });
    let failure: unknown = 'its thread ended';
    worker.on('message', (judged: Judged) => this.#take(worker, judged));
    worker.on('error', (error) => {
      failure = error;
    });
    // Also without an error: out of memory, for one.
    worker.on('exit', () => this.#lost(worker, failure));
    this.#workers.set(worker, undefined);
    this.#handOut();
  }

  #take(worker: Worker, judged: Judged): void {
    const number = this.#workers.get(worker);
    if (number === undefined) return;
    this.#workers.set(worker, undefined);
    this.#done.set(number, judged);
    this.#handOut();
    this.#wake();
  }

  /** A thread died of its file: that one has its line, and another thread goes on with the rest. */
  #lost(worker: Worker, failure: unknown): void {
    if (!this.#workers.has(worker)) return;
    const number = this.#workers.get(worker);
    this.#workers.delete(worker);
    if (number !== undefined) {
      const file = this.#files[number] ?? '';
      this.#done.set(number, { file, problem: failedOn(file, failure) });
    }
    if (this.#next < this.#files.length) this.#start();
    this.#wake();
  }

  #handOut(): void {
    for (const [worker, busy] of this.#workers) {
      if (busy !== undefined) continue;
      const file = this.#files[this.#next];
      if (file === undefined || this.#next >= this.#head + this.#ahead) return;
      this.#workers.set(worker, this.#next++);
      worker.postMessage(file);
    }
  }
}
