import { readFileSync } from 'node:fs';

/** What a thread belongs to, as far as it could still be asked. */
export interface ProcessOf {
  readonly pid?: number;
  /** Its name, the first time it is asked for. */
  readonly name?: string;
}

/** Threads that are remembered; numbers are given again, so the list begins anew now and then. */
const MAX_THREADS = 4096;

/** Finds the process and the name of a thread by its number (proc(5), /proc/TID/status). */
export class Processes {
  readonly #known = new Map<number, ProcessOf>();

  of(tid: number): ProcessOf {
    const known = this.#known.get(tid);
    if (known !== undefined) return known;
    if (this.#known.size >= MAX_THREADS) this.#known.clear();
    const { name, ...rest } = tid === 0 ? { pid: 0, name: 'idle' } : ask(tid);
    this.#known.set(tid, rest);
    return name === undefined ? rest : { ...rest, name };
  }
}

function ask(tid: number): ProcessOf {
  let status: string;
  try {
    status = readFileSync(`/proc/${tid}/status`, 'utf8');
  } catch {
    return {};
  }
  const name = /^Name:\t(.*)$/m.exec(status)?.[1];
  const pid = /^Tgid:\t(\d+)$/m.exec(status)?.[1];
  return { ...(pid === undefined ? {} : { pid: Number(pid) }), ...(name === undefined ? {} : { name }) };
}
