import type { LiveMachine, LiveReturn } from '../../../engine/replay/live.ts';
import type { Handle } from '../../../engine/trace/handle.ts';
import type { Seq, TimeNs } from '../../../engine/trace/position.ts';
import type { Guests } from './guests.ts';
import type { Call, Give } from './host.ts';
import { type ClientProcess, hasSignal } from './process.ts';

/** How long a signal waits before it ends a wait: the kernel tells nobody that one has come. */
export const SIGNAL_MS = 1;

/** A call that has not returned. */
export interface Wait {
  readonly call: Call;
  readonly vp: Handle;
  readonly finish: (ended: LiveReturn) => void;
  readonly give: Give;
}

interface Waiting extends Wait {
  /** A signal has come; the guest was told to stop. */
  interrupted: boolean;
}

/** What waits need of the supervisor. */
export interface WaitHost {
  readonly live: LiveMachine;
  readonly guests: Guests;
  now(): TimeNs;
}

/** The program's calls that wait for something of the machine: MSHV_RUN_VP, most of all. A signal to their thread ends them. */
export class Waits {
  readonly #host: WaitHost;
  readonly #waiting = new Map<Seq, Waiting>();
  /** Threads whose next call that waits a signal ends at once: it came while the call was made. */
  readonly #kicked = new Set<number>();
  /** Threads whose last call that waited ended so: their next one runs its guest first, or that would never run. */
  readonly #endedAtOnce = new Set<number>();
  #lookedAt = 0;

  constructor(host: WaitHost) {
    this.#host = host;
  }

  get some(): boolean {
    return this.#waiting.size > 0;
  }

  add(seq: Seq, wait: Wait): void {
    wait.call.process.runners.add(wait.call.tid);
    this.#waiting.set(seq, { ...wait, interrupted: false });
  }

  /** Where a call that waits wants its answers. */
  giveOf(seq: Seq): Give | undefined {
    return this.#waiting.get(seq)?.give;
  }

  /** Whether a thread is in a call that waits. */
  has(tid: number): boolean {
    return [...this.#waiting.values()].some(({ call }) => call.tid === tid);
  }

  /** Calls that returned; those of them that waited end. */
  returned(returns: readonly LiveReturn[]): void {
    for (const ended of returns) {
      const waiting = this.#waiting.get(ended.seq);
      this.#waiting.delete(ended.seq);
      waiting?.finish(ended);
    }
  }

  /** Calls of a process that was killed: each ends before its files close. */
  abandon(client: ClientProcess): void {
    for (const [seq, { call, vp }] of [...this.#waiting]) {
      if (call.process !== client) continue;
      this.#host.guests.stopNow(vp);
      if (this.#waiting.has(seq)) this.#end(seq);
    }
  }

  /** A signal has come to a thread that is in a call, which may not have been handled yet. */
  kick(tid: number): void {
    if (this.has(tid)) this.#interrupt(({ call }) => call.tid === tid && hasSignal(tid));
    else this.#kicked.add(tid);
  }

  /** A call was handled: one that waits, to whose thread a signal had come, is over before its guest runs. */
  endKicked({ tid, id }: Call): void {
    const ranNot = this.#endedAtOnce.delete(tid);
    if (!this.#kicked.delete(tid) || ranNot || !this.has(tid) || !hasSignal(tid)) return;
    this.#endedAtOnce.add(tid);
    this.#interrupt(({ call }) => call.id === id);
  }

  /** Signals end waits. A thread that was killed has nobody left who could be told. */
  lookForSignals(): void {
    if (!this.some) return;
    const now = performance.now();
    if (now - this.#lookedAt < SIGNAL_MS) return;
    this.#lookedAt = now;
    this.#interrupt(({ call }) => hasSignal(call.tid));
  }

  /** A guest that runs is stopped first: the engine has to know its registers, and it may have an intercept to tell. */
  #interrupt(which: (waiting: Waiting) => boolean): void {
    for (const [seq, waiting] of [...this.#waiting]) {
      if (!which(waiting)) continue;
      if (this.#host.guests.stop(waiting.vp)) waiting.interrupted = true;
      else this.#end(seq);
    }
    this.#host.guests.step();
  }

  /** Calls that a signal is to end and whose guest has stopped by now. */
  endStopped(): void {
    for (const [seq, waiting] of [...this.#waiting]) {
      if (!waiting.interrupted || this.#host.guests.of(waiting.vp)?.running === true) continue;
      waiting.interrupted = false;
      this.#end(seq);
    }
    this.#host.guests.step();
  }

  #end(seq: Seq): void {
    this.returned(this.#host.live.interrupt(seq, this.#host.now()));
  }
}
