import { EVENT, OPTION, Ptrace } from '../../ptrace/ptrace.ts';
import { RemoteCalls } from '../../ptrace/remote-calls.ts';

/**
 * Makes a thread of the program do system calls of our choosing, once, at the end of the call in which it waits.
 * All is done from one thread, as ptrace demands.
 */
export class Detour {
  readonly #tid: number;
  readonly #ptrace: Ptrace;
  readonly #calls: RemoteCalls;

  private constructor(ptrace: Ptrace, pid: number, tid: number) {
    this.#tid = tid;
    this.#ptrace = ptrace;
    this.#calls = new RemoteCalls(ptrace, pid, tid);
  }

  /** Takes hold of a thread that waits in a call; undefined where that is not permitted (it is traced already). */
  static seize(pid: number, tid: number): Detour | undefined {
    const ptrace = new Ptrace();
    return ptrace.seize(tid, OPTION.sysgood) < 0 ? undefined : new Detour(ptrace, pid, tid);
  }

  /** Lets the call end by `answer` and stops the thread before it goes on. False when it has died. */
  stopAfter(answer: () => void): boolean {
    this.#ptrace.interrupt(this.#tid);
    answer();
    const change = this.#ptrace.wait(this.#tid);
    const isStopped = change?.kind === 'event' && change.event === EVENT.stop;
    if (isStopped && this.#calls.save()) return true;
    this.#letGo();
    return false;
  }

  /** A system call of the thread; its result, or a negative errno. */
  call(nr: number, ...args: readonly number[]): number {
    return this.#calls.call(nr, ...args);
  }

  /** Lets the thread go on as if nothing had been; `result` replaces what its own call returned. */
  release(result?: number): void {
    this.#calls.restore(result);
    this.#letGo();
    this.#calls.sendLate();
  }

  /** A thread that is killed while it is held is for who holds it to wait for first: its parent waits in vain until then (ptrace(2)). */
  #letGo(): void {
    while (this.#ptrace.detach(this.#tid) < 0) {
      const change = this.#ptrace.wait(this.#tid);
      if (change === undefined || change.kind === 'ended') return;
    }
  }
}
