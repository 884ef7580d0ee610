import type { Capture } from '../capture/capture.ts';
import type { Guest } from './guest.ts';

/** What a VP executes between two looks at the program's calls: about a millisecond. */
const SLICE_INSTRUCTIONS = 20_000;
/**
 * What it executes before it is another one's turn: at least so many, and up to twice that. Turns of one length would find a loop that holds a
 * lock most of the time at the same place for ever.
 */
const TURN_INSTRUCTIONS = 20_000;
/** A generator of 31 bits (Park and Miller): which lengths follow each other the recording shows. */
const MULTIPLIER = 48271;
const MODULUS = 0x7fff_ffff;
/** What a guest may ask before the program's calls are looked at. */
const MOST_ASKED = 32;
/** How long the program does not see what a guest writes that runs on and on, and how much of all time may go into showing it. */
const SHOW_MS = 10;
const SHOW_PART = 5;

/** What turns need of those who know the guests. */
export interface TurnHost {
  guests(): readonly Guest[];
  /** The registers that the engine has, and what the guest is to take first; false where the VP is gone. */
  prepare(guest: Guest): boolean;
  offer(guest: Guest): void;
  /** The guest has come to something; it goes on when `guest.answered`. */
  stopped(guest: Guest): void;
  /** The engine hears that the VP has stopped without anything to tell. */
  tellStop(guest: Guest): void;
  tellSleep(guest: Guest): void;
  expiryOf(guest: Guest): number | undefined;
  enter(guest: Guest): void;
}

/**
 * VPs that run one at a time, in the supervisor's thread, so that their run can be repeated. Between two turns, and before anything else
 * happens to the machine, the engine hears how far the last one came.
 */
export class Turns {
  readonly #host: TurnHost;
  readonly #capture: Capture;
  /** It has executed since the engine last heard of it. */
  #current: Guest | undefined;
  #last: Guest | undefined;
  #turnEnds = 0;
  #random = 1;
  #since = 0;
  #showEveryMs = SHOW_MS;

  constructor(host: TurnHost, capture: Capture) {
    this.#host = host;
    this.#capture = capture;
  }

  /** A guest that could go on waits for its turn. */
  get someWait(): boolean {
    return this.#host.guests().some(({ running }) => running);
  }

  /** Lets one of the guests that may run do so for a while. */
  take(): void {
    const ready = this.#host.guests().filter(({ running }) => running);
    const guest = this.#next(ready);
    if (guest === undefined) return;
    if (this.#current !== guest) {
      this.settle();
      if (!guest.running) return;
      this.#host.enter(guest);
      if (!this.#host.prepare(guest)) return;
      this.#current = guest;
      this.#since = performance.now();
    }
    this.#run(guest, ready.length === 1);
    if (this.#current === guest && performance.now() - this.#since >= this.#showEveryMs) this.#show();
  }

  /** The one whose turn it is, until that is over or it cannot go on. */
  #next(ready: readonly Guest[]): Guest | undefined {
    const at = this.#last === undefined ? -1 : ready.indexOf(this.#last);
    const last = ready[at];
    if (last !== undefined && (ready.length === 1 || last.processor.executed < this.#turnEnds)) return last;
    const next = ready[(at + 1) % ready.length];
    this.#last = next;
    this.#random = (this.#random * MULTIPLIER) % MODULUS;
    const length = TURN_INSTRUCTIONS + (this.#random % TURN_INSTRUCTIONS);
    this.#turnEnds = (next?.processor.executed ?? 0) + length;
    return next;
  }

  #run(guest: Guest, isAlone: boolean): void {
    const { processor } = guest;
    const { clock } = this.#capture;
    for (let asked = 0; asked < MOST_ASKED; asked++) {
      guest.answered = false;
      this.#host.offer(guest);
      const expiry = this.#host.expiryOf(guest);
      const budget = Math.min(
        SLICE_INSTRUCTIONS,
        isAlone ? SLICE_INSTRUCTIONS : Math.max(1, this.#turnEnds - processor.executed),
        expiry === undefined ? SLICE_INSTRUCTIONS : clock.until(expiry),
      );
      const hasStopped = clock.during(
        () => processor.executed,
        () => processor.run(budget),
      );
      if (!hasStopped) return;
      guest.running = false;
      this.#host.stopped(guest);
      if (!guest.answered) {
        this.#current = undefined;
        this.#host.tellSleep(guest);
        return;
      }
      guest.running = true;
    }
  }

  /** The engine hears of the guest that is in the middle of its run. */
  settle(): void {
    const guest = this.#current;
    if (guest === undefined) return;
    this.#current = undefined;
    guest.running = false;
    this.#host.tellStop(guest);
  }

  /** A guest is not to go on. */
  stop(guest: Guest): void {
    if (this.#current === guest) this.settle();
    guest.running = false;
  }

  #show(): void {
    const before = performance.now();
    this.settle();
    this.#showEveryMs = Math.max(SHOW_MS, SHOW_PART * (performance.now() - before));
  }
}
