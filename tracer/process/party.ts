import { type MessagePort, type ResourceLimits, Worker } from 'node:worker_threads';
import { compileCacheFolder } from './compile-cache.ts';

/**
 * Starts the thread of a folder with a `worker.ts`, which stands beside the file `from` (its import.meta.url). Its output
 * must not be piped: that would touch the standard files, which are the program's.
 */
export function startThread(
  from: string,
  folder: string,
  data: unknown,
  transfer: readonly MessagePort[] = [],
  resourceLimits: ResourceLimits = {},
): Worker {
  // Published, the project is JavaScript.
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  // Without it, each start compiles some hundred modules again.
  const compiled = compileCacheFolder();
  const cache = compiled === undefined ? {} : { NODE_COMPILE_CACHE: compiled };
  return new Worker(new URL(`./${folder}/worker.${ending}`, from), {
    workerData: data,
    transferList: [...transfer],
    resourceLimits,
    env: { ...process.env, ...cache },
    execArgv: [
      '--disable-warning=ExperimentalWarning',
      '--import',
      new URL(`./own-modules.${ending}`, import.meta.url).href,
    ],
    stdout: true,
    stderr: true,
  });
}

/** A thread that says one thing after the other; its name is for mistakes. */
export class Party<Message> {
  readonly #name: string;
  readonly #messages: Message[] = [];
  #failed: Error | undefined;
  #wake: () => void = () => {};

  /** `handle` takes what is said beside that: true for a message that was for it. */
  constructor(name: string, worker: Worker, handle?: (message: Message) => boolean) {
    this.#name = name;
    worker.on('message', (message: Message) => {
      if (handle?.(message) === true) return;
      this.#messages.push(message);
      this.#wake();
    });
    worker.on('error', (error) => this.fail(error as Error));
    worker.on('exit', () => this.fail(new Error(`the ${this.#name} ended without a word`)));
  }

  /** The next thing that it says; throws when it ends instead. One caller at a time. */
  async next(): Promise<Message> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) return message;
      if (this.#failed !== undefined) throw this.#failed;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** It says nothing more, or what it needs has failed: {@link next} throws. */
  fail(error: Error): void {
    this.#failed ??= error;
    this.#wake();
  }
}
