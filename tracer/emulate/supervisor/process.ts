import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { syscall } from '../../native/libc.ts';
import { NR } from '../../native/numbers.ts';
import { threadGroup } from '../../process/proc.ts';
import type { DeviceFile } from './device-file.ts';

/** How often threads that have ended are looked for. */
const THREADS_MS = 1000;

/** A process of the program: its threads share one table of descriptors. */
export interface ClientProcess {
  readonly pid: number;
  /** Readable once the process has ended; negative where it already had when it was first seen. */
  readonly pidfd: number;
  readonly files: Map<number, DeviceFile>;
  /** How many of them have numbers outside the window: closing these is not handed over. */
  outside: number;
  /** It may have made processes that were not seen yet. */
  forked: boolean;
  /** It has mapped pages of a VP. */
  mapped: boolean;
  /** It has given a guest memory. */
  gives: boolean;
  /** It was about to replace its program: descriptors may have been closed by that. */
  replaced: boolean;
  /** Threads that have run a VP: signals end that. */
  readonly runners: Set<number>;
}

/** The processes of the program, by the threads that make calls. */
export class ClientProcesses {
  readonly #byPid = new Map<number, ClientProcess>();
  readonly #byThread = new Map<number, ClientProcess>();
  #looked = 0;

  /** The process of a thread that waits in a call, and whether it is new. */
  ofThread(tid: number): { readonly process: ClientProcess; readonly isNew: boolean } {
    const known = this.#byThread.get(tid);
    if (known !== undefined) return { process: known, isNew: false };
    const pid = threadGroup(tid) ?? tid;
    const found = this.#byPid.get(pid);
    const process = found ?? this.#add(pid);
    this.#byThread.set(tid, process);
    return { process, isNew: found === undefined };
  }

  /** A process that may not have made a call yet. */
  ofPid(pid: number): { readonly process: ClientProcess; readonly isNew: boolean } {
    return this.ofThread(pid);
  }

  all(): Iterable<ClientProcess> {
    return this.#byPid.values();
  }

  /** Threads that have ended, now and then: their numbers are given to others once all were used (32,768 on most machines). */
  forgetThreads(nowMs: number): void {
    if (nowMs - this.#looked < THREADS_MS) return;
    this.#looked = nowMs;
    for (const [tid, { pid }] of this.#byThread)
      if (tid !== pid && !existsSync(`/proc/${pid}/task/${tid}`)) this.#byThread.delete(tid);
  }

  remove(process: ClientProcess): void {
    if (process.pidfd >= 0) syscall(NR.close, process.pidfd);
    this.#byPid.delete(process.pid);
    for (const [tid, owner] of this.#byThread) if (owner === process) this.#byThread.delete(tid);
  }

  #add(pid: number): ClientProcess {
    const process: ClientProcess = {
      pid,
      pidfd: syscall(NR.pidfd_open, pid),
      files: new Map(),
      outside: 0,
      forked: false,
      mapped: false,
      gives: false,
      replaced: false,
      runners: new Set(),
    };
    this.#byPid.set(pid, process);
    return process;
  }
}

/** Children of a process that run, those of all its threads (needs CONFIG_PROC_CHILDREN, which kernels have). */
export function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((tid) =>
      readFileSync(`/proc/${pid}/task/${tid}/children`, 'latin1').split(' ').filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}

/** Whether all that is left of a process is its status, or nothing. */
export function hasEnded(pid: number): boolean {
  try {
    return /^State:\s*[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    return true;
  }
}

/** Every process whose calls a seccomp filter looks at: the program's are among them. */
export function filteredProcesses(): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && isFiltered(pid));
}

function isFiltered(pid: number): boolean {
  try {
    return /^Seccomp:\s*2/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    return false;
  }
}

/** SIGKILL, SIGSTOP and so on have bits too: what matters is that one is pending and not blocked. */
export function hasSignal(tid: number): boolean {
  let text: string;
  try {
    text = readFileSync(`/proc/${tid}/status`, 'latin1');
  } catch {
    return true;
  }
  const mask = (name: string) =>
    BigInt(`0x${new RegExp(`^${name}:\\s*([0-9a-f]+)`, 'm').exec(text)?.[1] ?? 0}`);
  return ((mask('SigPnd') | mask('ShdPnd')) & ~mask('SigBlk')) !== 0n;
}
