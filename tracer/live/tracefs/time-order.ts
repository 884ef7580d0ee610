interface Waiting<T> {
  readonly t: number;
  readonly cpu: number;
  readonly index: number;
  readonly item: T;
}

/**
 * Puts the records of all CPUs into one order: each CPU's are in order, and what is older than the oldest moment up to which all
 * CPUs have been read cannot be overtaken any more.
 */
export class TimeOrder<T> {
  #waiting: Waiting<T>[] = [];
  #index = 0;

  get waiting(): number {
    return this.#waiting.length;
  }

  add(cpu: number, t: number, item: T): void {
    this.#waiting.push({ t, cpu, index: this.#index, item });
    this.#index += 1;
  }

  /** Takes what is older than `before`, in order of time; of the same time, lower CPUs and earlier records first. */
  take(before: number): T[] {
    const due = this.#waiting.filter(({ t }) => t < before);
    if (due.length === 0) return [];
    this.#waiting = this.#waiting.filter(({ t }) => t >= before);
    due.sort((a, b) => a.t - b.t || a.cpu - b.cpu || a.index - b.index);
    return due.map(({ item }) => item);
  }
}
