import type { Handle } from '../../../engine/trace/handle.ts';
import { hasFlag } from './arguments.ts';

/** An open file of the mshv drivers. */
export interface OpenFile {
  readonly handle: Handle;
  readonly closeOnExec: boolean;
}

/** Memory that is mapped from a handle. */
export interface Mapping {
  readonly handle: Handle;
  readonly offset: bigint;
  readonly size: bigint;
}

/** What the threads of a process share. */
export interface Process {
  /** Undefined where the lines have no pids: then there is one process. */
  readonly pid: number | undefined;
  /** Open files of ours by descriptor; one table for all that share it (CLONE_FILES). */
  files: Map<number, OpenFile>;
  /** Mappings by address. */
  readonly mappings: Map<bigint, Mapping>;
}

/** What a clone shares with its parent. */
export interface CloneFlags {
  readonly thread: boolean;
  readonly files: boolean;
}

/** Linux include/uapi/linux/sched.h. */
const CLONE_THREAD = 0x1_0000n;
const CLONE_FILES = 0x400n;

/** Reads what a clone, clone3, fork or vfork shares from its printed arguments. */
export function cloneFlags(args: string): CloneFlags {
  const flags = /\bflags=([^,}]*)/.exec(args)?.[1]?.trim();
  return {
    thread: hasFlag(flags, 'CLONE_THREAD', CLONE_THREAD),
    files: hasFlag(flags, 'CLONE_FILES', CLONE_FILES),
  };
}

const CLONES = new Set(['clone', 'clone3', 'fork', 'vfork']);

export function isClone(call: string): boolean {
  return CLONES.has(call);
}

/** Which thread belongs to which process, and what each process has open. */
export class Processes {
  readonly #byThread = new Map<number | undefined, Process>();
  /** Clones that have not returned: the first line of a child may come before its parent's return. */
  readonly #cloning = new Map<number | undefined, CloneFlags>();

  /** The process of a thread that a line names. */
  of(tid: number | undefined): Process {
    const known = this.#byThread.get(tid);
    if (known !== undefined) return known;
    const last = [...this.#cloning].at(-1);
    if (last !== undefined && tid !== undefined) {
      const [parent, flags] = last;
      this.#cloning.delete(parent);
      return this.#child(parent, tid, flags);
    }
    const process: Process = { pid: tid, files: new Map(), mappings: new Map() };
    this.#byThread.set(tid, process);
    return process;
  }

  /** A clone began that has not returned yet. */
  cloning(tid: number | undefined, flags: CloneFlags): void {
    this.of(tid);
    this.#cloning.set(tid, flags);
  }

  /** A clone returned `child`; `flags` is undefined where {@link cloning} told them. */
  cloned(tid: number | undefined, child: number | undefined, flags: CloneFlags | undefined): void {
    const shared = flags ?? this.#cloning.get(tid);
    this.#cloning.delete(tid);
    if (child === undefined || shared === undefined || this.#byThread.has(child)) return;
    this.#child(tid, child, shared);
  }

  /** A thread ended; true when its process did with it. */
  ended(tid: number | undefined): boolean {
    const process = this.of(tid);
    this.#byThread.delete(tid);
    this.#cloning.delete(tid);
    return process.pid === tid;
  }

  #child(parent: number | undefined, tid: number, flags: CloneFlags): Process {
    const from = this.of(parent);
    const process: Process = flags.thread
      ? from
      : {
          pid: tid,
          files: flags.files ? from.files : new Map(from.files),
          mappings: new Map(from.mappings),
        };
    this.#byThread.set(tid, process);
    return process;
  }
}
