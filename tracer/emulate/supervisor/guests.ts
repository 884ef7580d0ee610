import { decodeControl, hypercalls } from '../../../engine/abi/index.ts';
import {
  isWaitingForStart,
  type Offered,
  offeredInterrupt,
  pendingInterruption,
} from '../../../engine/hypervisor/index.ts';
import { mayRun } from '../../../engine/hypervisor/vp/suspend.ts';
import type { ObjectId } from '../../../engine/state/store.ts';
import type { RegisterValue, TraceEvent } from '../../../engine/trace/event.ts';
import type { Handle } from '../../../engine/trace/handle.ts';
import type { TimeNs } from '../../../engine/trace/position.ts';
import type { Capture } from '../capture/capture.ts';
import { ANSWER, STOP } from '../vp/channel.ts';
import type { ExitMessage } from '../vp/message.ts';
import { registerIndex } from '../vp/registers.ts';
import { type AskHost, askedApic, askedCall, askedMsr, type Stamped, tellBefore } from './asks.ts';
import { deedOf } from './deed.ts';
import { ringDoorbell } from './doorbell.ts';
import { giveRegisters, giveState } from './exchange.ts';
import {
  endGuest,
  expiryOf,
  type Guest,
  giveAnswer,
  handOver,
  makeGuest,
  offer,
  showIntercept,
  vpOf,
} from './guest.ts';
import type { GuestHost } from './guest-host.ts';
import { GuestMemories } from './guest-memories.ts';
import { idlesOnHalt } from './halt.ts';
import { Intercepts } from './intercepts.ts';
import { injectionOf, putOffered } from './interruptions.ts';
import { tellLacking } from './lacks.ts';
import { leavesMemory } from './leaves-memory.ts';
import type { PartitionMemory } from './partition-memory.ts';
import { noteTsc, refreshMemory } from './reference-time-page.ts';
import { showVectors, tellWritten } from './register-pages.ts';
import { feedStop } from './stop-event.ts';
import { type TurnHost, Turns } from './turns.ts';

const DELETE_PARTITION = hypercalls.number('HVCALL_DELETE_PARTITION');
const RIP = registerIndex('RIP');
const RFLAGS = registerIndex('RFLAGS');
const INTERRUPT_FLAG = 0x200n;
/** HVMSG_NONE: the guest was stopped without anything to tell. */
const NOTHING_TOLD: ExitMessage = { type: 0, payload: new Uint8Array(0) };
/**
 * What a guest runs in the supervisor's thread, where the program's other calls wait for it: about 0.1 ms. A change of
 * threads and back costs as much.
 */
const SHORT_INSTRUCTIONS = 2000;
/** How often VPs that wake each other are let go before the program's calls are looked at again. */
const MOST_ROUNDS = 8;
/** What a guest may ask before the program's calls are looked at again. */
const MOST_ASKED = 32;

/** Runs guests: a VP that the engine lets run does so here for short, else in its thread; what stops it the engine gets. */
export class Guests {
  readonly #host: GuestHost;
  readonly #intercepts = new Intercepts();
  readonly #asks: AskHost;
  readonly #memories: GuestMemories;
  /** Where the recording is to be executed again: VPs run one at a time. */
  readonly turns: Turns | undefined;
  #guests: Guest[] = [];
  /** A guest's instruction is in the middle of an access to its APIC. */
  #isInAccess = false;
  /** A partition may be gone. */
  #someGone = false;

  constructor(host: GuestHost) {
    this.#host = host;
    this.#memories = new GuestMemories(host.live.machine, host.memory, host.capture);
    this.#asks = {
      live: host.live,
      now: () => host.now(),
      returned: (returns) => host.returned(returns),
      find: (guest) => vpOf(this.#host.live.machine, guest),
      answer: giveAnswer,
      tell: (guest) => this.#tell(guest),
      stopOthers: (guest) => this.stopAll(guest.partition, guest),
    };
    const { capture } = host;
    this.turns = capture === undefined ? undefined : new Turns(this.#asTurns(capture), capture);
  }

  memoryOf(partition: bigint): PartitionMemory {
    return this.#memories.of(partition);
  }

  /** The program gave a partition memory, or took it back: those of its VPs that run hear of it now. */
  memoryChanged(partition: bigint): void {
    this.memoryOf(partition).refresh(this.#host.live.machine);
    this.#memories.settle(partition, this.#guests);
  }

  /** Partitions are gone: so is what ran their guests. */
  #sweep(): void {
    this.#someGone = false;
    for (const partition of this.#memories.gone()) {
      for (const guest of this.#guests) if (guest.partition === partition) this.#remove(guest);
      this.#memories.end(partition);
      this.#intercepts.forget(partition);
    }
  }

  /** A VP was made; `memfd` holds the pages that the program may map. */
  add(handle: Handle, memfd: number): void {
    if (handle.kind !== 'vp' || handle.partition === undefined || handle.vp === undefined) return;
    const idles = idlesOnHalt(this.#host.live.machine, handle.partition);
    const clock = this.#host.capture === undefined ? () => this.#host.now() : undefined;
    const parts = { memory: this.memoryOf(handle.partition), memfd, idlesOnHalt: idles, clock };
    const guest: Guest = makeGuest(handle.partition, handle.vp, parts, (offset, value) => {
      this.#isInAccess = true;
      const answer = askedApic(this.#asks, guest, offset, value);
      this.#isInAccess = false;
      offer(this.#host.live.machine, guest);
      guest.processor.watchInterrupt();
      return answer;
    });
    this.#guests.push(guest);
  }

  /** Takes note of what the engine did. */
  observe(event: TraceEvent): void {
    if (event.kind !== 'hypercall' || leavesMemory(event)) return;
    this.#intercepts.note(event);
    if (decodeControl(event.control).code === DELETE_PARTITION) this.#someGone = true;
    this.#memories.changed();
  }

  /** Lets go every VP that the engine lets run now, those too that others wake on the way, and ends those that are gone. */
  step(): void {
    let some = true;
    for (let round = 0; some && round < MOST_ROUNDS; round++) {
      some = false;
      for (const guest of this.#guests) some = this.#stepOne(guest) || some;
    }
    showVectors(this.#host.live.machine, this.#guests);
    if (this.#someGone) this.#sweep();
  }

  /** Whether it ran. */
  #stepOne(guest: Guest): boolean {
    const { machine } = this.#host.live;
    let ran = false;
    while (!guest.running) {
      const vp = vpOf(this.#host.live.machine, guest);
      if (vp === undefined) this.#remove(guest);
      else if (isWaitingForStart(machine, vp)) guest.asleep = 'no';
      if (vp === undefined || !mayRun(machine, vp)) return ran;
      if (guest.asleep !== 'no' && !this.#wakes(guest, vp)) return ran;
      this.#run(guest, vp);
      ran = true;
    }
    offer(this.#host.live.machine, guest);
    return ran;
  }

  /** When the next timer of a VP that runs or sleeps expires. */
  nextExpiry(): number | undefined {
    let next: number | undefined;
    for (const guest of this.#guests) {
      const at = expiryOf(this.#host.live.machine, guest);
      if (at !== undefined && (next === undefined || at < next)) next = at;
    }
    return next;
  }

  /** Timers have expired: a VP that sleeps hears of it now, one that runs is stopped for it. */
  expire(now: TimeNs): void {
    for (const guest of this.#guests) {
      const at = expiryOf(this.#host.live.machine, guest);
      if (at === undefined || at > now) continue;
      if (guest.running && this.turns === undefined) guest.channel.stop();
      else if (guest.running) this.turns?.stop(guest);
      else {
        guest.asleep = 'told';
        this.#intercept(guest, NOTHING_TOLD);
      }
    }
  }

  /** Takes over what the threads have handed back. */
  collect(): void {
    for (const guest of this.turns === undefined ? this.#guests : []) {
      if (!guest.running || !guest.channel.isIdle) continue;
      this.#handedBack(guest);
      this.#memories.settle(guest.partition, this.#guests);
    }
  }

  /** Has the guest of a VP stopped; false when it was not running. Its stop comes through {@link collect}. */
  stop(handle: Handle): boolean {
    const guest = this.of(handle);
    if (guest === undefined) return false;
    this.#tellSleep(guest);
    this.turns?.stop(guest);
    if (!guest.running) return false;
    guest.channel.stop();
    return true;
  }

  /** The same, and takes over what it did, now. */
  stopNow(handle: Handle): void {
    const guest = this.of(handle);
    if (guest !== undefined) this.#stopNow(guest);
  }

  /** VPs of a partition are about to be reset: what they did is taken over first. */
  stopAll(partition: bigint, but?: Guest): void {
    for (const guest of this.#guests)
      if (guest !== but && guest.partition === partition) this.#stopNow(guest);
  }

  #stopNow(guest: Guest): void {
    this.turns?.stop(guest);
    // What it asks on its way out (an MSR, CPUID) is answered, and it is stopped again.
    while (guest.running) {
      guest.channel.stop();
      guest.channel.waitForEnd();
      this.#handedBack(guest);
    }
    this.#tellSleep(guest);
  }

  /** Ends all threads. */
  end(): void {
    for (const guest of [...this.#guests]) this.#remove(guest);
    this.#host.threads.end();
  }

  of(handle: Handle): Guest | undefined {
    if (handle.kind !== 'vp') return undefined;
    return this.#guests.find(({ partition, index }) => partition === handle.partition && index === handle.vp);
  }

  #remove(guest: Guest): void {
    this.#guests = this.#guests.filter((other) => other !== guest);
    endGuest(guest, this.#host.threads);
  }

  /** A sleeping VP is stopped: the engine hears of its registers, and it sleeps on once it is let go. */
  #tellSleep(guest: Guest): void {
    if (guest.asleep !== 'untold') return;
    guest.asleep = 'told';
    this.#intercept(guest, NOTHING_TOLD);
  }

  /** An interrupt ends the sleep of a VP, and so does a VMM that puts it somewhere else (a reset). */
  #wakes(guest: Guest, vp: ObjectId): boolean {
    const mayTake = (guest.channel.register(RFLAGS) & INTERRUPT_FLAG) !== 0n;
    const offered = offeredInterrupt(this.#host.live.machine, vp);
    if (offered !== undefined && (mayTake || offered.nmi)) return true;
    if (guest.asleep !== 'told') return false;
    const before = guest.channel.register(RIP);
    giveRegisters(this.#host.live.machine, vp, guest);
    return guest.channel.register(RIP) !== before;
  }

  #asTurns(capture: Capture): TurnHost {
    return {
      guests: () => this.#guests,
      prepare: (guest) => {
        const vp = vpOf(this.#host.live.machine, guest);
        if (vp !== undefined) this.#prepare(guest, vp);
        return vp !== undefined;
      },
      offer: (guest) => offer(this.#host.live.machine, guest),
      stopped: (guest) => this.#stopped(guest),
      tellStop: (guest) => this.#intercept(guest, NOTHING_TOLD),
      tellSleep: (guest) => this.#tellSleep(guest),
      expiryOf: (guest) => expiryOf(this.#host.live.machine, guest),
      enter: (guest) => capture.enter(this.#host, guest),
    };
  }

  #tell(guest: Guest): Stamped {
    const { capture } = this.#host;
    if (capture === undefined || this.#isInAccess) return {};
    return capture.tell(this.#host, guest);
  }

  #run(guest: Guest, vp: ObjectId): void {
    guest.asleep = 'no';
    if (this.turns === undefined) {
      this.#prepare(guest, vp);
      this.#goOn(guest);
    } else guest.running = true;
  }

  #prepare(guest: Guest, vp: ObjectId): void {
    const { machine } = this.#host.live;
    refreshMemory(machine, guest);
    guest.registerPage.runs(machine, vp);
    giveState(machine, vp, guest);
  }

  /** The guest takes its interrupt: the engine hears of it as of a stop, after which it goes on in the handler. */
  #take(guest: Guest, offered: Offered | undefined): void {
    putOffered(guest.channel, offered);
    if (offered !== undefined) {
      guest.processor.taking = injectionOf(offered);
      const pending = pendingInterruption(offered);
      this.#intercept(guest, NOTHING_TOLD, [pending]);
      guest.entering = pending.name;
      // It goes on with what was told, and changes it again: none of that is the engine's to give later.
      const vp = vpOf(this.#host.live.machine, guest);
      if (vp !== undefined) giveRegisters(this.#host.live.machine, vp, guest);
    }
    giveAnswer(guest, ANSWER.registers);
  }

  /** Goes on with a guest that has its answer: here until it stops, in its thread once that takes long. */
  #goOn(guest: Guest): void {
    for (let asked = 0; asked < MOST_ASKED; asked++) {
      guest.answered = false;
      offer(this.#host.live.machine, guest);
      if (!guest.processor.run(SHORT_INSTRUCTIONS)) break;
      this.#stopped(guest);
      if (!guest.answered) return;
    }
    handOver(guest, this.#host.threads);
  }

  /** The thread has stopped before what it could not do, or because it was told to. */
  #handedBack(guest: Guest): void {
    guest.running = false;
    if (!guest.channel.isToldToStop) this.#goOn(guest);
    // It may have come to an exit all the same. What it asks there is answered and done: a guest that always asks stops too.
    else if (this.#comes(guest, 1) && (!guest.answered || this.#comes(guest, 0)) && !guest.answered)
      this.#tellSleep(guest);
    else this.#intercept(guest, NOTHING_TOLD);
  }

  /** Whether the guest comes to something within so many instructions. */
  #comes(guest: Guest, instructions: number): boolean {
    guest.answered = false;
    const comes = guest.processor.run(instructions);
    if (comes) this.#stopped(guest);
    return comes;
  }

  #stopped(guest: Guest): void {
    const { machine } = this.#host.live;
    // A call reads memory that what is told before it may change.
    const isCall = guest.channel.word('reason') === STOP.hypercall;
    const stamped = isCall ? tellBefore(this.#asks, guest) : {};
    const deed = deedOf(machine, guest, this.#intercepts);
    switch (deed.kind) {
      case 'intercept':
        tellLacking(this.#host, guest);
        this.#intercept(guest, deed.message);
        break;
      case 'ring':
        ringDoorbell(this.#host, guest, deed.port, this.#tell(guest));
        giveAnswer(guest, ANSWER.done);
        break;
      case 'msr':
        askedMsr(this.#asks, guest, deed);
        break;
      case 'hypercall':
        askedCall(this.#asks, guest, deed.call, stamped);
        break;
      case 'window':
        this.#take(guest, deed.offered);
        break;
      case 'idle':
        guest.asleep = 'untold';
        break;
      case 'answer':
        if (deed.answer === ANSWER.own) noteTsc(machine, guest);
        giveAnswer(guest, deed.answer, deed.values);
        break;
    }
  }

  /** The hypervisor stops the VP: what the guest did to its registers is known from here. */
  #intercept(guest: Guest, message: ExitMessage, inner: readonly RegisterValue[] = []): void {
    const stamped = tellBefore(this.#asks, guest);
    if (guest.registerPage.isMarked) tellWritten(this.#host, guest, stamped);
    const { returned } = feedStop(this.#host, guest, stamped, message, inner);
    showIntercept(this.#host.live.machine, guest);
    this.#host.returned(returned);
  }
}
