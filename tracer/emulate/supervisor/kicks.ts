import { allIoctls } from '../../../engine/abi/index.ts';
import { Arena } from '../../native/arena.ts';
import { syscall } from '../../native/libc.ts';
import { NR } from '../../native/numbers.ts';
import type { Listener } from '../notify/listener.ts';
import type { Call } from './host.ts';
import type { Waits } from './waits.ts';

/** Calls that signal a thread, and which of their arguments says which one; the signal comes after it. */
export const SIGNALS: ReadonlyMap<number, number> = new Map([
  [NR.tkill, 0],
  [NR.tgkill, 1],
]);
/** Numbers of MSHV_RUN_VP, which differ between interfaces. */
const RUNS: ReadonlySet<number> = new Set(
  allIoctls().flatMap(({ name, number }) => (name === 'MSHV_RUN_VP' ? (number ?? []) : [])),
);
/** How long a signal is held back until its thread runs a VP, and until it makes any call or none at all. */
const FOR_A_RUN_MS = 20;
const FOR_ANY_MS = 25;
/** The C library's own signals: it looks at who sent them. */
const LIBRARY_SIGNALS: ReadonlySet<number> = new Set([32, 33]);
const LAST_SIGNAL = 64;

/** siginfo_t: signal, si_code, the sender. */
const INFO = { bytes: 128, signal: 0, code: 8, pid: 16, uid: 20 };
/** Another process may not say SI_TKILL (Linux kernel/signal.c, do_rt_tgsigqueueinfo). */
const SI_QUEUE = -1;

/** A signal that is held back. */
interface Kick {
  readonly pid: number;
  readonly target: number;
  readonly signal: number;
  readonly since: number;
}

/**
 * Signals by which the program's threads end each other's MSHV_RUN_VP. A signal that comes before a call of its thread was received takes the
 * thread out of it with EINTR (Linux kernel/seccomp.c, seccomp_do_user_notification; WAIT_KILLABLE_RECV holds from then on), and most
 * of the driver's calls know no EINTR: a VMM gives up. So such a signal is sent from here, once its thread is in a call that was received,
 * by preference in MSHV_RUN_VP. Who sends it goes on at once: it may hold a lock that its thread needs to come there.
 */
export class Kicks {
  readonly #listener: Listener;
  readonly #waits: Waits;
  readonly #info = new Arena(INFO.bytes);
  #held: Kick[] = [];

  constructor(listener: Listener, waits: Waits) {
    this.#listener = listener;
    this.#waits = waits;
  }

  /** Some signals are held back. */
  get some(): boolean {
    return this.#held.length > 0;
  }

  /** A call that signals a thread: only those that have run a VP are kept from it. */
  take({ id, nr, tid, args, process: { pid, runners } }: Call): void {
    const [target = 0, signal = 0] = args.slice(SIGNALS.get(nr) ?? 0);
    const isKick = target !== tid && runners.has(target) && !LIBRARY_SIGNALS.has(signal);
    // What is no signal, or for a thread that has ended, the kernel refuses.
    if (!isKick || signal < 1 || signal > LAST_SIGNAL || syscall(NR.tgkill, pid, target, 0) < 0) {
      this.#listener.proceed(id);
      return;
    }
    const kick = { pid, target, signal, since: performance.now() };
    if (this.#waits.has(target)) this.#send(kick);
    else this.#held.push(kick);
    this.#listener.answer(id, 0);
  }

  /** A call was received, and is to be handled next: signals to its thread come now. */
  meet({ tid, args, nr }: Call): void {
    if (!this.some) return;
    const runs = nr === NR.ioctl && RUNS.has(args[1] % 2 ** 32);
    const now = performance.now();
    this.#letGo(({ target, since }) => target === tid && (runs || now - since >= FOR_A_RUN_MS));
  }

  /** No call waits to be received: signals to threads that make none come all the same. */
  letGo(): void {
    if (!this.some) return;
    const now = performance.now();
    this.#letGo(({ since }) => now - since >= FOR_ANY_MS);
  }

  #letGo(which: (kick: Kick) => boolean): void {
    const due = this.#held.filter(which);
    this.#held = this.#held.filter((kick) => !due.includes(kick));
    for (const kick of due) this.#send(kick);
  }

  #send({ pid, target, signal }: Kick): void {
    const { view, address } = this.#info;
    view.setInt32(INFO.signal, signal, true);
    view.setInt32(INFO.code, SI_QUEUE, true);
    view.setInt32(INFO.pid, pid, true);
    view.setUint32(INFO.uid, process.getuid?.() ?? 0, true);
    syscall(NR.rt_tgsigqueueinfo, pid, target, signal, address);
    this.#waits.kick(target);
  }
}
