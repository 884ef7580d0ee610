import {
  apicMode,
  apicWindow,
  isWaitingForStart,
  nextExpiry,
  type Offered,
  offeredInterrupt,
  PARTITION,
  pendingInterruption,
  VP,
} from '../../../engine/hypervisor/index.ts';
import { mayRun } from '../../../engine/hypervisor/vp/suspend.ts';
import type { LiveMachine, LiveReturn } from '../../../engine/replay/live.ts';
import { keyOf, type ObjectId, TOP } from '../../../engine/state/store.ts';
import type { RegisterValue, TraceEvent } from '../../../engine/trace/event.ts';
import type { Handle } from '../../../engine/trace/handle.ts';
import type { TimeNs } from '../../../engine/trace/position.ts';
import { ANSWER, STOP, WAITS } from '../vp/channel.ts';
import type { ExitMessage } from '../vp/message.ts';
import { REGISTERS, registerIndex } from '../vp/registers.ts';
import { type AskHost, askedApic, askedCall, askedCpuid, askedMsr } from './asks.ts';
import { ringDoorbell } from './doorbell.ts';
import type { Eventfds } from './eventfds.ts';
import { endGuest, type Guest, handOver, makeGuest, type StartVp, showIntercept } from './guest.ts';
import { idlesOnHalt } from './halt.ts';
import { Intercepts } from './intercepts.ts';
import { pendingOf } from './interruptions.ts';
import { type LackHost, tellLacking } from './lacks.ts';
import { leavesMemory } from './leaves-memory.ts';
import { takeCleared } from './message-page.ts';
import { PartitionMemory } from './partition-memory.ts';
import { tellWritten } from './register-pages.ts';

/** What the guests need of the supervisor. */
export interface GuestHost extends LackHost {
  readonly live: LiveMachine;
  now(): TimeNs;
  returned(returns: readonly LiveReturn[]): void;
  /** Eventfds behind doorbells. */
  readonly eventfds: Pick<Eventfds, 'ringing'>;
  readonly startVp: StartVp;
}

const RIP = registerIndex('RIP');
const RFLAGS = registerIndex('RFLAGS');
const INTERRUPT_FLAG = 0x200n;
/** HVMSG_NONE: the guest was stopped without anything to tell. */
const NO_MESSAGE = 0;
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
  readonly #memories = new Map<bigint, PartitionMemory>();
  #guests: Guest[] = [];

  constructor(host: GuestHost) {
    this.#host = host;
    this.#asks = {
      live: host.live,
      intercepts: this.#intercepts,
      now: () => host.now(),
      returned: (returns) => host.returned(returns),
      find: (guest) => this.#find(guest),
      intercept: (guest, message) => this.#intercept(guest, message),
      answer: (guest, answer, values) => this.#answer(guest, answer, values),
      stopOthers: (guest) => {
        for (const other of this.#guests)
          if (other !== guest && other.partition === guest.partition) this.#stopNow(other);
      },
    };
  }

  memoryOf(partition: bigint): PartitionMemory {
    let memory = this.#memories.get(partition);
    if (memory === undefined) {
      memory = new PartitionMemory(partition);
      this.#memories.set(partition, memory);
    }
    return memory;
  }

  /** A VP was made; `memfd` holds the pages that the program may map. */
  add(handle: Handle, memfd: number): void {
    if (handle.kind !== 'vp' || handle.partition === undefined || handle.vp === undefined) return;
    const memory = this.memoryOf(handle.partition);
    const idles = idlesOnHalt(this.#host.live.machine, handle.partition);
    const parts = { memory, memfd, idlesOnHalt: idles, clock: () => this.#host.now() };
    const guest: Guest = makeGuest(handle.partition, handle.vp, parts, (offset, value) => {
      const answer = askedApic(this.#asks, guest, offset, value);
      this.#offer(guest);
      guest.processor.watchInterrupt();
      return answer;
    });
    this.#guests.push(guest);
  }

  /** Takes note of what the engine did. */
  observe(event: TraceEvent): void {
    if (event.kind !== 'hypercall' || leavesMemory(event)) return;
    this.#intercepts.note(event);
    for (const memory of this.#memories.values()) memory.changed();
  }

  /** Lets go every VP that the engine lets run now, those too that others wake on the way, and ends those that are gone. */
  step(): void {
    for (let round = 0; round < MOST_ROUNDS; round++) {
      let some = false;
      for (const guest of this.#guests) some = this.#stepOne(guest) || some;
      if (!some) break;
    }
    this.#showVectors();
  }

  /** Where the root schedules, the driver puts interrupts on the register pages of VPs. */
  #showVectors(): void {
    const { machine } = this.#host.live;
    if (machine.profile.scheduler !== 'root') return;
    for (const guest of this.#guests) {
      const vp = this.#find(guest);
      if (vp !== undefined) guest.registerPage.showVectors(machine, vp);
    }
  }

  /** Whether it ran. */
  #stepOne(guest: Guest): boolean {
    const { machine } = this.#host.live;
    let ran = false;
    while (!guest.running) {
      const vp = this.#find(guest);
      if (vp === undefined) this.#remove(guest);
      else if (isWaitingForStart(machine, vp)) guest.asleep = 'no';
      if (vp === undefined || !mayRun(machine, vp)) return ran;
      if (guest.asleep !== 'no' && !this.#wakes(guest, vp)) return ran;
      this.#run(guest, vp);
      ran = true;
    }
    this.#offer(guest);
    return ran;
  }

  /** When the next timer of a VP that runs or sleeps expires. */
  nextExpiry(): number | undefined {
    let first: number | undefined;
    for (const guest of this.#guests) {
      const at = this.#expiryOf(guest);
      if (at !== undefined && (first === undefined || at < first)) first = at;
    }
    return first;
  }

  /** Timers have expired: a VP that sleeps hears of it now, one that runs is stopped for it. */
  expire(now: TimeNs): void {
    for (const guest of this.#guests) {
      const at = this.#expiryOf(guest);
      if (at === undefined || at > now) continue;
      if (guest.running) guest.channel.stop();
      else {
        guest.asleep = 'told';
        this.#intercept(guest, { type: NO_MESSAGE, payload: new Uint8Array(0) });
      }
    }
  }

  /** One whose thread was told to stop for it already says itself when it has. */
  #expiryOf(guest: Guest): number | undefined {
    if (guest.running ? guest.channel.isToldToStop : guest.asleep === 'no') return undefined;
    const vp = this.#find(guest);
    return vp === undefined ? undefined : nextExpiry(this.#host.live.machine, vp);
  }

  /** Takes over what the threads have handed back. */
  collect(): void {
    for (const guest of this.#guests) {
      if (!guest.running || !guest.channel.isIdle) continue;
      this.#handedBack(guest);
    }
  }

  isRunning(handle: Handle): boolean {
    return this.of(handle)?.running === true;
  }

  /** Has the guest of a VP stopped; false when it was not running. Its stop comes through {@link collect}. */
  stop(handle: Handle): boolean {
    const guest = this.of(handle);
    if (guest !== undefined) this.#tellSleep(guest);
    if (guest?.running !== true) return false;
    guest.channel.stop();
    return true;
  }

  /** Has the guest of a VP stopped and takes over what it did, now. */
  stopNow(handle: Handle): void {
    const guest = this.of(handle);
    if (guest !== undefined) this.#stopNow(guest);
  }

  #stopNow(guest: Guest): void {
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
  }

  of(handle: Handle): Guest | undefined {
    if (handle.kind !== 'vp') return undefined;
    return this.#guests.find(({ partition, index }) => partition === handle.partition && index === handle.vp);
  }

  #find({ partition, index }: Guest): ObjectId | undefined {
    const { store } = this.#host.live.machine;
    const id = store.find(TOP, PARTITION, keyOf(partition));
    return id === undefined ? undefined : store.find(id, VP, index);
  }

  #remove(guest: Guest): void {
    this.#guests = this.#guests.filter((other) => other !== guest);
    endGuest(guest);
  }

  /** A sleeping VP is stopped: the engine hears of its registers, and it sleeps on once it is let go. */
  #tellSleep(guest: Guest): void {
    if (guest.asleep !== 'untold') return;
    guest.asleep = 'told';
    this.#intercept(guest, { type: NO_MESSAGE, payload: new Uint8Array(0) });
  }

  /** An interrupt ends the sleep of a VP, and so does a VMM that puts it somewhere else (a reset). */
  #wakes(guest: Guest, vp: ObjectId): boolean {
    const mayTake = (guest.channel.register(RFLAGS) & INTERRUPT_FLAG) !== 0n;
    const offered = offeredInterrupt(this.#host.live.machine, vp);
    if (offered !== undefined && (mayTake || offered.nmi)) return true;
    if (guest.asleep !== 'told') return false;
    const before = guest.channel.register(RIP);
    this.#giveRegisters(guest, vp);
    return guest.channel.register(RIP) !== before;
  }

  #giveRegisters(guest: Guest, vp: ObjectId): void {
    const { machine } = this.#host.live;
    guest.registers.give(machine, vp, (place, value) => guest.channel.setRegister('engine', place, value));
  }

  #run(guest: Guest, vp: ObjectId): void {
    guest.asleep = 'no';
    const { machine } = this.#host.live;
    guest.memory.refresh(machine);
    guest.window.page = apicMode(machine, vp) === 'xapic' ? apicWindow(machine, vp) : -1;
    guest.registerPage.runs(machine, vp);
    this.#giveRegisters(guest, vp);
    // What it has taken, and the engine has not been told of yet, it does not take again.
    if (guest.entering === undefined || guest.processor.taking !== undefined) {
      const pending = pendingOf(machine, vp);
      guest.entering = pending?.register;
      guest.processor.taking = pending?.injection;
    }
    this.#answer(guest, ANSWER.registers);
    this.#goOn(guest);
  }

  /** Gives a guest what it asked for. */
  #answer(guest: Guest, answer: number, values: readonly number[] = []): void {
    guest.channel.setWord('answer', answer);
    values.forEach((value, offset) => {
      guest.channel.setWord('values', value | 0, offset);
    });
    guest.answered = true;
  }

  /** An interrupt that waits: the processor says when the guest can take it. */
  #offer(guest: Guest): Offered | undefined {
    const vp = this.#find(guest);
    const offered = vp === undefined ? undefined : offeredInterrupt(this.#host.live.machine, vp);
    const waits = offered === undefined ? WAITS.no : offered.nmi ? WAITS.nmi : WAITS.interrupt;
    guest.channel.setWord('interrupt', waits);
    return offered;
  }

  /** The guest takes its interrupt: the engine hears of it as of a stop, after which it goes on in the handler. */
  #take(guest: Guest): void {
    const offered = this.#offer(guest);
    if (offered !== undefined) {
      guest.processor.taking = { kind: offered.nmi ? 'nmi' : 'external', vector: offered.vector };
      const pending = pendingInterruption(offered);
      this.#intercept(guest, { type: NO_MESSAGE, payload: new Uint8Array(0) }, [pending]);
      guest.entering = pending.name;
    }
    this.#answer(guest, ANSWER.registers);
  }

  /** Goes on with a guest that has its answer: here until it stops, in its thread once that takes long. */
  #goOn(guest: Guest): void {
    for (let asked = 0; asked < MOST_ASKED; asked++) {
      guest.answered = false;
      this.#offer(guest);
      if (!guest.processor.run(SHORT_INSTRUCTIONS)) break;
      this.#stopped(guest);
      if (!guest.answered) return;
    }
    handOver(guest, this.#host.startVp);
  }

  /** The thread has stopped before what it could not do, or because it was told to. */
  #handedBack(guest: Guest): void {
    guest.running = false;
    if (!guest.channel.isToldToStop) this.#goOn(guest);
    // It may have come to an exit all the same: then the next instruction is the one.
    else if (!guest.processor.run(1))
      this.#intercept(guest, { type: NO_MESSAGE, payload: new Uint8Array(0) });
    else {
      this.#stopped(guest);
      if (guest.answered) this.#goOn(guest);
      else this.#tellSleep(guest);
    }
  }

  #stopped(guest: Guest): void {
    const { channel, partition, index } = guest;
    switch (channel.word('reason')) {
      case STOP.intercept:
        if (ringDoorbell(this.#host, { partition, vp: index }, guest.processor.stored)) {
          this.#answer(guest, ANSWER.done);
        } else {
          tellLacking(this.#host, guest);
          const payload = channel.payload.slice(0, channel.word('payloadBytes'));
          this.#intercept(guest, { type: channel.word('messageType') >>> 0, payload });
        }
        break;
      case STOP.cpuid:
        askedCpuid(this.#asks, guest);
        break;
      case STOP.readMsr:
        askedMsr(this.#asks, guest, 'read');
        break;
      case STOP.writeMsr:
        askedMsr(this.#asks, guest, 'write');
        break;
      case STOP.hypercall:
        askedCall(this.#asks, guest);
        break;
      case STOP.window:
        this.#take(guest);
        break;
      case STOP.idle:
        guest.asleep = 'untold';
        break;
    }
  }

  /** The hypervisor stops the VP: what the guest did to its registers is known from here. */
  #intercept(guest: Guest, { type, payload }: ExitMessage, inner: readonly RegisterValue[] = []): void {
    takeCleared(this.#asks, guest);
    if (guest.registerPage.isMarked) tellWritten(this.#host, guest);
    const { channel } = guest;
    const entered = guest.processor.taking === undefined ? guest.entering : undefined;
    if (entered !== undefined) guest.entering = undefined;
    const changed = channel.takeChanged('engine').filter((place) => place < REGISTERS.length);
    for (const place of changed) guest.registers.changedByGuest(place);
    const registers = [
      ...changed.map((place) => ({ name: REGISTERS[place] as number, value: channel.register(place) })),
      ...(entered === undefined ? [] : [{ name: entered, value: 0n }]),
      ...inner,
    ];
    const result = this.#host.live.feed({
      kind: 'intercept',
      t: this.#host.now(),
      provenance: 'emulated',
      component: 'hypervisor',
      vp: { partition: guest.partition, vp: guest.index },
      type,
      payload,
      registers,
    });
    showIntercept(this.#host.live.machine, guest);
    this.#host.returned(result.returned);
  }
}
