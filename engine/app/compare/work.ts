import type { WorkView } from '../api-compare.ts';

/** The work for a request was ended by another. */
export class Cancelled extends Error {
  constructor() {
    super('cancelled');
  }
}

/** Called by work now and then: what is done, and what there is in all where that changes. */
export type Report = (done: number, total?: number) => void;

interface Job {
  readonly what: WorkView['what'];
  done: number;
  total: number;
  isCancelled: boolean;
}

/**
 * Long work for requests. `breathe` is called while it goes on: whoever holds the session answers others meanwhile, among
 * them those that ask how far it is, or end it.
 */
export class Work {
  readonly #breathe: () => void;
  /** What was begun while something else was under way ends first. */
  readonly #jobs: Job[] = [];

  constructor(breathe: () => void = () => {}) {
    this.#breathe = breathe;
  }

  get view(): WorkView | null {
    const job = this.#jobs.at(-1);
    return job === undefined ? null : { what: job.what, done: job.done, total: job.total };
  }

  /** Throws {@link Cancelled} where it is ended. */
  run<T>(what: WorkView['what'], total: number, work: (report: Report) => T): T {
    const job: Job = { what, done: 0, total, isCancelled: false };
    this.#jobs.push(job);
    try {
      return work((done, all = job.total) => {
        job.done = done;
        job.total = all;
        this.#breathe();
        if (job.isCancelled) throw new Cancelled();
      });
    } finally {
      this.#jobs.splice(this.#jobs.indexOf(job), 1);
    }
  }

  /** Ends what is under way; false where nothing is. */
  cancel(): boolean {
    for (const job of this.#jobs) job.isCancelled = true;
    return this.#jobs.length > 0;
  }
}
