import { basename } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { AppProgress } from '../../engine/app/api.ts';
import type { AppCall } from '../../engine/app/border.ts';
import type { Reply } from '../../engine/app/shell.ts';
import { compileCacheFolder } from '../../tracer/process/compile-cache.ts';
import { firstLine } from '../cli/problem.ts';
import type { FromWorker, ToWorker, WorkerData, WorkerTask } from './worker-messages.ts';

/** Beside this module: as it is here, or as JavaScript where the project is published or bundled. */
const WORKER = new URL(`./worker.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url);
/** A worker that is asked to close its file does so within some milliseconds, unless a filter keeps it busy. */
const CLOSING_MS = 500;

export interface TraceProblem {
  /** One line. */
  readonly problem: string;
  /** What a command that came to this exits with. */
  readonly exit: 2 | 3;
}

/** Who hears of what a worker does of itself. */
export interface TraceListener {
  progress(progress: AppProgress): void;
  /** The worker of an open trace has died: one line. */
  ended(problem: string): void;
}

/** A trace that is being opened, and then open: a worker thread that holds its session. */
export class HostedTrace {
  readonly path: string;
  readonly name: string;
  /** Settles when the trace begins to answer, or cannot be shown; `closed` when it was closed before. */
  readonly opened: Promise<TraceProblem | 'opened' | 'closed'>;
  readonly #worker: Worker;
  readonly #listener: TraceListener;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  readonly #settle: (outcome: TraceProblem | 'opened' | 'closed') => void;
  readonly #exited: Promise<void>;
  #state: 'opening' | 'open' | 'ended' = 'opening';
  #progress: AppProgress = { state: 'replaying', done: 0, total: 0 };
  #calls = 0;

  /** `other`: the trace that it is compared with. */
  constructor(path: string, listener: TraceListener, other?: string) {
    this.path = path;
    this.name = basename(path);
    this.#listener = listener;
    const { promise, resolve } = Promise.withResolvers<TraceProblem | 'opened' | 'closed'>();
    this.opened = promise;
    this.#settle = resolve;
    this.#worker = start({ work: 'show', path, other });
    this.#exited = new Promise((done) => this.#worker.once('exit', () => done()));
    this.#worker.on('message', (message: FromWorker) => this.#hear(message));
    this.#worker.on('error', (error) => this.#end(`${this.name}: ${firstLine(error)}`));
    this.#worker.on('exit', () => this.#end(`${this.name}: its replay has ended; open it again`));
  }

  /** How far its replay is. */
  get progress(): AppProgress {
    return this.#progress;
  }

  /** Answers a checked request; a refusal is a value. */
  ask(call: AppCall): Promise<Reply> {
    if (call.method === 'progress') return Promise.resolve({ value: this.#progress });
    return this.#request((id) => ({ kind: 'call', id, call }));
  }

  /** Compares it with another trace from now on. */
  compareWith(path: string): Promise<Reply> {
    return this.#request((id) => ({ kind: 'other', id, path }));
  }

  #request(message: (id: number) => ToWorker): Promise<Reply> {
    if (this.#state !== 'open') return Promise.resolve({ problem: `${this.name} is not open` });
    const id = ++this.#calls;
    const { promise, resolve } = Promise.withResolvers<Reply>();
    this.#waiting.set(id, resolve);
    this.#tell(message(id));
    return promise;
  }

  /** Ends the worker, and with it a replay under way; settles when it is gone. */
  close(): Promise<void> {
    if (this.#state !== 'ended') {
      this.#tell({ kind: 'close' });
      this.#state = 'ended';
      this.#settle('closed');
      this.#refuseWaiting(`${this.name} was closed`);
      const force = setTimeout(() => void this.#worker.terminate(), CLOSING_MS);
      void this.#exited.then(() => clearTimeout(force));
    }
    return this.#exited;
  }

  #tell(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #hear(message: FromWorker): void {
    if (this.#state === 'ended') return;
    switch (message.kind) {
      case 'opened':
        this.#state = 'open';
        this.#settle('opened');
        break;
      case 'progress':
        this.#goOn({ state: 'replaying', done: message.done, total: message.total });
        break;
      case 'replayed':
        this.#goOn({ state: 'replayed' });
        break;
      case 'unreplayed':
        this.#goOn({ state: 'failed', problem: message.problem });
        break;
      case 'answer':
        this.#reply(message.id, message.reply);
        break;
      case 'failed':
        this.#end(message.problem, message.exit);
        break;
      case 'done':
        throw new Error('a worker that shows a trace is never done');
    }
  }

  #goOn(progress: AppProgress): void {
    this.#progress = progress;
    this.#listener.progress(progress);
  }

  #reply(id: number, reply: Reply): void {
    this.#waiting.get(id)?.(reply);
    this.#waiting.delete(id);
  }

  #end(problem: string, exit: 2 | 3 = 2): void {
    if (this.#state === 'ended') return;
    const wasOpen = this.#state === 'open';
    this.#state = 'ended';
    this.#settle({ problem, exit });
    this.#refuseWaiting(problem);
    if (wasOpen) this.#listener.ended(problem);
  }

  #refuseWaiting(problem: string): void {
    for (const resolve of this.#waiting.values()) resolve({ problem });
    this.#waiting.clear();
  }
}

/** Packs a trace into another file, in a worker of its own so that the open one goes on answering; resolves to one line. */
export function packTrace(path: string, to: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const worker = start({ work: 'pack', path, to });
  worker.on('message', (message: FromWorker) => {
    if (message.kind === 'done') resolve(message.line);
    else if (message.kind === 'failed') resolve(message.problem);
  });
  worker.on('error', (error) => resolve(`${basename(to)}: ${firstLine(error)}`));
  return promise;
}

function start(task: WorkerTask): Worker {
  const workerData: WorkerData = { task, compileCache: compileCacheFolder() };
  return new Worker(WORKER, { workerData, name: `hvrewind ${task.work}` });
}
