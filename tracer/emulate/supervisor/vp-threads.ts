import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { ANSWER } from '../vp/channel.ts';
import type { VpData, VpThreadData } from '../vp/messages.ts';
import type { Guest } from './guest.ts';

/**
 * How many VPs keep the thread that ran them, with what it has decoded of their guests. With more, a thread goes from a VP that
 * waits for its program to one that is to run: each takes some 25 MiB.
 */
const KEPT = 4;

/** A thread that runs a VP, or waits for one. */
export class VpThread {
  /** Whose it is. */
  owner: Guest | undefined;
  readonly #port: MessagePort;
  readonly #gate: Int32Array<SharedArrayBuffer>;

  constructor(port: MessagePort, gate: Int32Array<SharedArrayBuffer>) {
    this.#port = port;
    this.#gate = gate;
  }

  /** Gives it a VP, once it has left the one before; nothing: it ends. */
  give(data: VpData | undefined): void {
    this.#port.postMessage(data);
    Atomics.add(this.#gate, 0, 1);
    Atomics.notify(this.#gate, 0);
    if (data === undefined) this.#port.close();
  }
}

/** The threads of VPs: one that its VP leaves takes the next that needs one, since starting one takes long, and much memory. */
export class VpThreads {
  readonly #start: (data: VpThreadData) => void;
  readonly #wake: number;
  readonly #began: bigint;
  readonly #threads: VpThread[] = [];

  /** `start` starts a thread, `wake` is the eventfd by which threads say that they have handed a VP back; `began`: the guests' time. */
  constructor(start: (data: VpThreadData) => void, wake: number, began: bigint) {
    this.#start = start;
    this.#wake = wake;
    this.#began = began;
  }

  /** Sees to it that a VP has a thread, which waits for it. */
  serve(guest: Guest): void {
    if (guest.thread !== undefined) return;
    const thread = this.#free() ?? this.#make();
    thread.owner = guest;
    guest.thread = thread;
    thread.give({ memory: guest.memory.map.shared, channel: guest.channel.shared });
  }

  /** A VP gives its thread up; it does not run. */
  leave(guest: Guest): void {
    const { thread, channel } = guest;
    if (thread === undefined) return;
    channel.setWord('answer', ANSWER.quit);
    channel.ask();
    channel.waitForEnd();
    guest.thread = undefined;
    thread.owner = undefined;
  }

  /** No VP is left: all threads end. */
  end(): void {
    for (const thread of this.#threads) thread.give(undefined);
  }

  #free(): VpThread | undefined {
    const free = this.#threads.find(({ owner }) => owner === undefined);
    if (free !== undefined || this.#threads.length < KEPT) return free;
    const idle = this.#threads.find(({ owner }) => owner?.running === false);
    if (idle?.owner !== undefined) this.leave(idle.owner);
    return idle;
  }

  #make(): VpThread {
    const { port1, port2 } = new MessageChannel();
    const gate = new Int32Array(new SharedArrayBuffer(4));
    this.#start({ port: port2, gate: gate.buffer, wake: this.#wake, start: this.#began });
    const thread = new VpThread(port1, gate);
    this.#threads.push(thread);
    return thread;
  }
}
