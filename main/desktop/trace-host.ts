import { basename } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { AppProgress } from '../../engine/app/api.ts';
import type { AppCall } from '../../engine/app/border.ts';
import type { Reply } from '../../engine/app/shell.ts';
import type { FromWorker, ToWorker, WorkerTask } from './worker-messages.ts';

/** The built worker stands beside the built main program (build.ts). */
const WORKER = new URL('./worker.js', import.meta.url);

export interface TraceProblem {
  /** One line. */
  readonly problem: string;
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
  /** Settles when the trace is replayed and can answer, or cannot be shown; undefined when it was closed before. */
  readonly opened: Promise<TraceProblem | 'ready' | 'closed'>;
  readonly #worker: Worker;
  readonly #listener: TraceListener;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  readonly #settle: (outcome: TraceProblem | 'ready' | 'closed') => void;
  #state: 'opening' | 'ready' | 'ended' = 'opening';
  #calls = 0;

  constructor(path: string, listener: TraceListener) {
    this.path = path;
    this.name = basename(path);
    this.#listener = listener;
    const { promise, resolve } = Promise.withResolvers<TraceProblem | 'ready' | 'closed'>();
    this.opened = promise;
    this.#settle = resolve;
    this.#worker = start({ work: 'show', path });
    this.#worker.on('message', (message: FromWorker) => this.#hear(message));
    this.#worker.on('error', (error) => this.#end(`${this.name}: ${firstLine(error)}`));
    this.#worker.on('exit', () => this.#end(`${this.name}: its replay has ended; open it again`));
  }

  /** Answers a checked request; a refusal is a value. */
  ask(call: AppCall): Promise<Reply> {
    if (this.#state !== 'ready') return Promise.resolve({ problem: `${this.name} is not open` });
    const id = ++this.#calls;
    const { promise, resolve } = Promise.withResolvers<Reply>();
    this.#waiting.set(id, resolve);
    this.#tell({ kind: 'call', id, call });
    return promise;
  }

  /** Ends the worker. A replay under way is cut short; an open trace closes its file by itself. */
  close(): void {
    if (this.#state === 'ended') return;
    if (this.#state === 'ready') this.#tell({ kind: 'close' });
    else void this.#worker.terminate();
    this.#state = 'ended';
    this.#settle('closed');
    this.#refuseWaiting(`${this.name} was closed`);
  }

  #tell(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #hear(message: FromWorker): void {
    if (this.#state === 'ended') return;
    switch (message.kind) {
      case 'progress':
        this.#listener.progress({ work: `replay ${this.name}`, done: message.done, total: message.total });
        break;
      case 'ready':
        this.#state = 'ready';
        this.#settle('ready');
        break;
      case 'answer':
        this.#reply(message.id, { value: message.value });
        break;
      case 'refusal':
        this.#reply(message.id, { problem: message.problem });
        break;
      case 'failed':
        this.#end(message.problem);
        break;
      case 'done':
        throw new Error('a worker that shows a trace is never done');
    }
  }

  #reply(id: number, reply: Reply): void {
    this.#waiting.get(id)?.(reply);
    this.#waiting.delete(id);
  }

  #end(problem: string): void {
    if (this.#state === 'ended') return;
    const wasReady = this.#state === 'ready';
    this.#state = 'ended';
    this.#settle({ problem });
    this.#refuseWaiting(problem);
    if (wasReady) this.#listener.ended(problem);
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
  return new Worker(WORKER, { workerData: task, name: `hvrewind ${task.work}` });
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n')[0] ?? text;
}
