import { Worker } from 'node:worker_threads';

/** The threads of an emulation: folders with a `worker.ts`. */
export type PartyName = 'launcher' | 'supervisor' | 'vp' | 'bench';

/** Starts a thread. Its output must not be piped: that would touch the standard files, which are the program's. */
export function startThread(name: PartyName, data: unknown): Worker {
  // Published, the project is JavaScript.
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const worker = new URL(`./${name}/worker.${ending}`, import.meta.url);
  return new Worker(worker, { workerData: data, stdout: true, stderr: true });
}

/** A thread that says one thing after the other. */
export class Party<Message> {
  readonly #name: PartyName;
  readonly #messages: Message[] = [];
  #failed: Error | undefined;
  #wake: () => void = () => {};

  /** `handle` takes what is said beside that: true for a message that was for it. */
  constructor(name: PartyName, data: unknown, handle?: (message: Message) => boolean) {
    this.#name = name;
    const worker = startThread(name, data);
    worker.on('message', (message: Message) => {
      if (handle?.(message) === true) return;
      this.#messages.push(message);
      this.#wake();
    });
    worker.on('error', (error) => this.#fail(error as Error));
    worker.on('exit', () => this.#fail(new Error(`the ${this.#name} ended without a word`)));
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

  #fail(error: Error): void {
    this.#failed ??= error;
    this.#wake();
  }
}
