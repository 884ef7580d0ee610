import { IOCTL_TYPE } from '../../../engine/abi/index.ts';
import { Arena } from '../../native/arena.ts';
import { ERRNO, NR } from '../../native/numbers.ts';
import { threadGroup } from '../../process/proc.ts';
import { type Change, EVENT, type Ptrace, SYSCALL_OP } from '../../ptrace/ptrace.ts';
import { REGISTERS_BYTES, rewind } from '../../ptrace/registers.ts';
import type { Capture } from '../capture/capture.ts';
import type { TracedProcess } from '../capture/open-files.ts';
import type { Mode } from './messages.ts';
import { waitingSignals } from './signals.ts';
import { resumed, type Task } from './task.ts';

/** SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU. */
const STOPS: ReadonlySet<number> = new Set([19, 20, 21, 22]);
/** ERESTARTSYS to ERESTARTNOHAND, ERESTART_RESTARTBLOCK (Linux include/linux/errno.h): no program sees them. */
const RESTARTS: ReadonlySet<number> = new Set([-512, -513, -514, -516]);
/** Calls that end with EINTR, and not with an error that restarts them, when a tracer stops their thread. */
const BREAKING: ReadonlySet<number> = new Set([NR.epoll_wait, NR.epoll_pwait, NR.epoll_pwait2]);

export interface TracerOptions {
  readonly ptrace: Ptrace;
  readonly capture: Capture;
  readonly mode: Mode;
  /** The process whose end is that of the program. */
  readonly root: number;
  /** A child that is not traced: when it ends, the program is let go. */
  readonly waker: number;
}

/** Follows the threads of a program from stop to stop. */
export class Tracer {
  readonly #ptrace: Ptrace;
  readonly #capture: Capture;
  readonly #mode: Mode;
  readonly #root: number;
  readonly #waker: number;
  readonly #tasks = new Map<number, Task>();
  /** New threads that have stopped before the one that made them has told of it. */
  readonly #early = new Map<number, Change>();
  readonly #registers = new Arena(REGISTERS_BYTES);
  #status: number | undefined;
  #isLettingGo = false;

  constructor(options: TracerOptions) {
    this.#ptrace = options.ptrace;
    this.#capture = options.capture;
    this.#mode = options.mode;
    this.#root = options.root;
    this.#waker = options.waker;
  }

  /** Takes a thread in that is seized already; `isFound`: it ran before, and our stop is on its way. */
  add(tid: number, parent?: TracedProcess, isFound = false): Task {
    const pid = threadGroup(tid) ?? tid;
    let process = this.#capture.processes.get(pid);
    if (process === undefined) {
      process = { pid, files: new Map(), others: new Set(), mapped: [], tids: new Set() };
      this.#capture.forked(process, parent);
    }
    process.tids.add(tid);
    const task: Task = { tid, process, open: undefined, interrupted: [], isFound };
    this.#tasks.set(tid, task);
    return task;
  }

  /** Takes a program in that stands at its exec, and lets it go on. */
  begin(pid: number): void {
    const task = this.add(pid);
    this.#replaced(task);
    this.#go(task);
  }

  /** Until the program, and all that it started, has ended or was let go; the status of the program where it ended. */
  run(): number | undefined {
    while (this.#tasks.size > 0) {
      const change = this.#ptrace.wait();
      if (change === undefined) break;
      this.#take(change);
      this.#capture.flush();
    }
    this.#capture.finish();
    return this.#status;
  }

  #take(change: Change): void {
    if (change.kind === 'ended') {
      this.#ended(change.tid, change.status);
      return;
    }
    const task = this.#tasks.get(change.tid);
    if (task === undefined) this.#early.set(change.tid, change);
    else if (change.kind === 'syscall') this.#syscall(task);
    else if (change.kind === 'signal') this.#signal(task, change.signal);
    else this.#event(task, change.event, change.signal);
  }

  #syscall(task: Task): void {
    const op = this.#ptrace.readInfo(task.tid);
    if (op === SYSCALL_OP.exit) this.#leave(task, this.#ptrace.result());
    // Any stop takes the place of the one that was asked for (Linux kernel/signal.c, ptrace_stop).
    if (!this.#isLettingGo) {
      if (op === SYSCALL_OP.entry) this.#enter(task);
      this.#go(task);
    } else if (op === SYSCALL_OP.entry) {
      // Being let go wakes the thread as a signal does, so a call that has not begun would end with EINTR; after it that is undone.
      this.#ptrace.syscall(task.tid);
      this.#ptrace.interrupt(task.tid);
    } else {
      this.#release(task, 0);
    }
  }

  #enter(task: Task): void {
    const call = { ...this.#ptrace.entry(), tid: task.tid, process: task.process };
    task.open = resumed(task, call);
    if (task.open !== undefined) return;
    const finish = this.#capture.enter(call);
    if (finish !== undefined) task.open = { call, finish };
  }

  #leave(task: Task, result: number): void {
    const { open, tid } = task;
    if (open === undefined) return;
    task.open = undefined;
    if (RESTARTS.has(result)) {
      task.interrupted.push(open);
    } else if (result === -ERRNO.EINTR && open.call.nr === NR.ioctl && this.#isOurDoing(tid)) {
      task.interrupted.push(open);
      rewind(this.#ptrace, tid, this.#registers);
    } else {
      open.finish(result);
    }
  }

  /**
   * Whether a call was broken off that would not have been without us: a traced thread is woken by signals that the
   * program ignores too (Linux kernel/signal.c, sig_ignored), and by our own stop.
   */
  #isOurDoing(tid: number): boolean {
    const { all, heard } = waitingSignals(tid);
    return heard === 0n && (all !== 0n || this.#isLettingGo);
  }

  #signal(task: Task, signal: number): void {
    if (this.#isLettingGo) this.#release(task, signal);
    else this.#go(task, signal);
  }

  #event(task: Task, event: number, signal: number): void {
    const { tid } = task;
    if (event === EVENT.seccomp) {
      this.#ptrace.readInfo(tid);
      this.#enter(task);
    } else if (event === EVENT.fork || event === EVENT.vfork || event === EVENT.clone) {
      this.#made(task, this.#ptrace.eventMessage(tid));
    } else if (event === EVENT.exec) {
      this.#replaced(task);
    } else if (event === EVENT.stop) {
      if (this.#isLettingGo) {
        this.#release(task, 0);
        return;
      }
      const { isFound } = task;
      task.isFound = false;
      if (STOPS.has(signal)) {
        this.#ptrace.listen(tid);
        return;
      }
      if (isFound) this.#undoStop(task);
    }
    this.#go(task);
  }

  #made(task: Task, tid: number): void {
    this.add(tid, task.process);
    const early = this.#early.get(tid);
    this.#early.delete(tid);
    if (this.#isLettingGo) this.#ptrace.interrupt(tid);
    if (early !== undefined) this.#take(early);
  }

  /** exec: the process has one thread left, under the process's own id. */
  #replaced({ process, tid }: Task): void {
    for (const other of [...process.tids]) {
      if (other === tid) continue;
      process.tids.delete(other);
      this.#tasks.delete(other);
    }
    this.#capture.replaced(process);
  }

  #ended(tid: number, status: number): void {
    if (tid === this.#waker) {
      this.#letGo();
      return;
    }
    const task = this.#tasks.get(tid);
    this.#early.delete(tid);
    if (tid === this.#root) this.#status = status;
    if (task === undefined) return;
    this.#forget(task);
    if (task.process.tids.size === 0) this.#capture.ended(task.process);
  }

  #forget({ process, tid }: Task): void {
    this.#tasks.delete(tid);
    process.tids.delete(tid);
  }

  /** Every thread is stopped once more, and let go there. */
  #letGo(): void {
    this.#isLettingGo = true;
    for (const { tid } of this.#tasks.values()) this.#ptrace.interrupt(tid);
  }

  #release(task: Task, signal: number): void {
    this.#undoStop(task);
    this.#ptrace.detach(task.tid, signal);
    this.#forget(task);
  }

  /** Our stop has ended a call with EINTR where the program has no signal that would have: it is made again. */
  #undoStop({ tid }: Task): void {
    if (waitingSignals(tid).heard !== 0n) return;
    rewind(this.#ptrace, tid, this.#registers, (nr, args) => BREAKING.has(nr) || isDriverCall(nr, args));
  }

  #go(task: Task, signal = 0): void {
    if (this.#mode === 'filter' && task.open === undefined) this.#ptrace.cont(task.tid, signal);
    else this.#ptrace.syscall(task.tid, signal);
  }
}

function isDriverCall(nr: number, [, op]: readonly [number, number]): boolean {
  return nr === NR.ioctl && ((op >>> 8) & 0xff) === IOCTL_TYPE;
}
