import { msrs } from '../../../engine/abi/index.ts';
import {
  hearsGuest,
  interceptMessage,
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
import { ANSWER, STOP } from '../vp/channel.ts';
import { cpuidMessage, type ExitMessage, hypercallMessage, msrMessage } from '../vp/message.ts';
import type { VpData } from '../vp/messages.ts';
import { REGISTERS, registerIndex } from '../vp/registers.ts';
import { ringDoorbell } from './doorbell.ts';
import type { Eventfds } from './eventfds.ts';
import { type Guest, halves, makeGuest, stopped, stoppedAt } from './guest.ts';
import { idlesOnHalt } from './halt.ts';
import { callWords, readGuestCall, resultWord } from './hypercall.ts';
import { Intercepts } from './intercepts.ts';
import { leavesMemory } from './leaves-memory.ts';
import { PartitionMemory } from './partition-memory.ts';

/** What the guests need of the supervisor. */
export interface GuestHost {
  readonly live: LiveMachine;
  now(): TimeNs;
  returned(returns: readonly LiveReturn[]): void;
  /** Eventfds behind doorbells. */
  readonly eventfds: Pick<Eventfds, 'ringing'>;
  /** Starts the thread of a VP. */
  startVp(data: Omit<VpData, 'wake'>): void;
}

const INTERCEPT_PAGE_AT = 4096;
const MESSAGE_BYTES = 256;
const RIP = registerIndex('RIP');
const RFLAGS = registerIndex('RFLAGS');
const INTERRUPT_FLAG = 0x200n;
/** HVMSG_NONE: the guest was stopped without anything to tell. */
const NO_MESSAGE = 0;
const OVERLAY_MSRS: ReadonlySet<number> = new Set(
  ['HYPERCALL', 'GUEST_OS_ID'].map((name) => msrs.number(name)),
);
/**
 * What a guest runs in the supervisor's thread, where the program's other calls wait for it: about 0.1 ms. A change of
 * threads and back costs as much.
 */
const SHORT_INSTRUCTIONS = 2000;
/** What a guest may ask before the program's calls are looked at again. */
const MOST_ASKED = 32;

/** Runs guests: a VP that the engine lets run does so here for short, else in its thread; what stops it the engine gets. */
export class Guests {
  readonly #host: GuestHost;
  readonly #intercepts = new Intercepts();
  readonly #memories = new Map<bigint, PartitionMemory>();
  #guests: Guest[] = [];

  constructor(host: GuestHost) {
    this.#host = host;
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
    const guest = makeGuest(handle.partition, handle.vp, memory, memfd, idles);
    this.#guests.push(guest);
    this.#host.startVp({ memory: memory.map.shared, channel: guest.channel.shared });
  }

  /** Takes note of what the engine did. */
  observe(event: TraceEvent): void {
    if (event.kind !== 'hypercall' || leavesMemory(event)) return;
    this.#intercepts.note(event);
    for (const memory of this.#memories.values()) memory.changed();
  }

  /** Lets go every VP that the engine lets run now, and ends those that are gone. */
  step(): void {
    const { machine } = this.#host.live;
    for (const guest of this.#guests) {
      while (!guest.running) {
        const vp = this.#find(guest);
        if (vp === undefined) this.#remove(guest);
        if (vp === undefined || !mayRun(machine, vp)) break;
        if (guest.asleep !== 'no' && !this.#wakes(guest, vp)) break;
        this.#run(guest, vp);
      }
      if (guest.running) this.#offer(guest);
    }
  }

  /** Takes over what the threads have handed back. */
  collect(): void {
    for (const guest of this.#guests) {
      if (!guest.running || !guest.channel.isIdle) continue;
      this.#handedBack(guest);
    }
  }

  isRunning(handle: Handle): boolean {
    return this.#of(handle)?.running === true;
  }

  /** Has the guest of a VP stopped; false when it was not running. Its stop comes through {@link collect}. */
  stop(handle: Handle): boolean {
    const guest = this.#of(handle);
    if (guest !== undefined) this.#tellSleep(guest);
    if (guest?.running !== true) return false;
    guest.channel.stop();
    return true;
  }

  /** Has the guest of a VP stopped and takes over what it did, now. */
  stopNow(handle: Handle): void {
    const guest = this.#of(handle);
    if (guest === undefined) return;
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

  #of(handle: Handle): Guest | undefined {
    if (handle.kind !== 'vp') return undefined;
    return this.#guests.find(({ partition, index }) => partition === handle.partition && index === handle.vp);
  }

  #find({ partition, index }: Guest): ObjectId | undefined {
    const { store } = this.#host.live.machine;
    const id = store.find(TOP, PARTITION, keyOf(partition));
    return id === undefined ? undefined : store.find(id, VP, index);
  }

  /** A thread that still runs a guest leaves it first: it looks at the answer when it is asked again. */
  #remove(guest: Guest): void {
    this.#guests = this.#guests.filter((other) => other !== guest);
    if (guest.running) guest.channel.stop();
    guest.channel.setWord('answer', ANSWER.quit);
    guest.channel.ask();
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
    if (mayTake && offeredInterrupt(this.#host.live.machine, vp) !== undefined) return true;
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
    guest.memory.refresh(this.#host.live.machine);
    this.#giveRegisters(guest, vp);
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
  #offer(guest: Guest): number | undefined {
    const vp = this.#find(guest);
    const vector = vp === undefined ? undefined : offeredInterrupt(this.#host.live.machine, vp);
    guest.channel.setWord('interrupt', vector === undefined ? 0 : 1);
    return vector;
  }

  /** The guest takes its interrupt: the engine hears of it as of a stop, after which it goes on in the handler. */
  #take(guest: Guest): void {
    const vector = this.#offer(guest);
    if (vector !== undefined) {
      guest.processor.taking = vector;
      this.#intercept(guest, { type: NO_MESSAGE, payload: new Uint8Array(0) }, [pendingInterruption(vector)]);
      guest.entering = true;
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
    guest.processor.handOver();
    guest.running = true;
    guest.channel.ask();
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
          this.#intercept(guest, {
            type: channel.word('messageType') >>> 0,
            payload: channel.payload.slice(0, channel.word('payloadBytes')),
          });
        }
        break;
      case STOP.cpuid:
        this.#cpuid(guest);
        break;
      case STOP.readMsr:
        this.#msr(guest, 'read');
        break;
      case STOP.writeMsr:
        this.#msr(guest, 'write');
        break;
      case STOP.hypercall:
        this.#hypercall(guest);
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
    const { channel } = guest;
    const entered = guest.entering && guest.processor.taking === undefined;
    if (entered) guest.entering = false;
    const changed = channel.takeChanged('engine').filter((place) => place < REGISTERS.length);
    for (const place of changed) guest.registers.changedByGuest(place);
    const registers = [
      ...changed.map((place) => ({ name: REGISTERS[place] as number, value: channel.register(place) })),
      ...(entered ? [pendingInterruption(undefined)] : []),
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
    this.#showMessage(guest);
    this.#host.returned(result.returned);
  }

  /** The message as the hypervisor leaves it in the VP's intercept message page. */
  #showMessage(guest: Guest): void {
    const vp = this.#find(guest);
    if (vp === undefined) return;
    const message = interceptMessage(this.#host.live.machine, vp);
    guest.pages.set(message, INTERCEPT_PAGE_AT);
    guest.pages.fill(0, INTERCEPT_PAGE_AT + message.length, INTERCEPT_PAGE_AT + MESSAGE_BYTES);
  }

  #cpuid(guest: Guest): void {
    const { channel, partition } = guest;
    const leaf = channel.word('index') >>> 0;
    const row = this.#host.live.machine.profile.cpuid.get(leaf);
    const { eax, ebx, ecx, edx } = row ?? { eax: 0, ebx: 0, ecx: 0, edx: 0 };
    if (this.#intercepts.takesCpuid(partition, leaf)) {
      const exit = { instructionLength: channel.word('instructionLength') };
      this.#intercept(guest, cpuidMessage(stopped(guest), exit, [eax, ecx, edx, ebx]));
    } else this.#answer(guest, ANSWER.done, [eax, ebx, ecx, edx]);
  }

  /** The hypervisor answers a call, unless the VMM asked to see them or its memory is not there. */
  #hypercall(guest: Guest): void {
    const { channel, partition, index, memory } = guest;
    const { live } = this.#host;
    const vp = { partition, vp: index };
    const isHeard = hearsGuest(live.machine, vp);
    if (isHeard && this.#intercepts.takesHypercalls(partition)) {
      this.#intercept(guest, hypercallMessage(stopped(guest), channel.word('instructionLength')));
      return;
    }
    const words = callWords((place) => channel.register(place));
    const call = isHeard ? readGuestCall(memory, words) : { control: words.control };
    if ('access' in call) {
      this.#intercept(guest, stoppedAt(guest, call));
      return;
    }
    const { event, returned } = live.feed({
      kind: 'hypercall',
      t: this.#host.now(),
      provenance: 'emulated',
      component: 'guest',
      vp,
      ...call,
    });
    this.#host.returned(returned);
    if (event.kind !== 'hypercall' || event.fault === true) {
      this.#answer(guest, ANSWER.fault);
      return;
    }
    if (event.output !== undefined && call.outputGpa !== undefined)
      memory.write(call.outputGpa, event.output);
    this.#answer(guest, ANSWER.done, halves(resultWord(event.result)));
  }

  #msr(guest: Guest, dir: 'read' | 'write'): void {
    const { channel, partition, index } = guest;
    const msr = channel.word('index') >>> 0;
    const value = (BigInt(channel.word('values', 1) >>> 0) << 32n) | BigInt(channel.word('values') >>> 0);
    if (this.#intercepts.takesMsr(partition, msr, dir)) {
      const kind = dir === 'read' ? 'rdmsr' : 'wrmsr';
      const instructionLength = channel.word('instructionLength');
      this.#intercept(guest, msrMessage(stopped(guest), { kind, msr, instructionLength }));
      return;
    }
    const { event, returned } = this.#host.live.feed({
      kind: 'msr',
      t: this.#host.now(),
      provenance: 'emulated',
      component: 'guest',
      vp: { partition, vp: index },
      dir,
      msr,
      ...(dir === 'write' ? { value } : {}),
    });
    this.#host.returned(returned);
    // It may have placed, or taken away, the hypercall page.
    if (dir === 'write' && OVERLAY_MSRS.has(msr)) {
      guest.memory.changed();
      guest.memory.refresh(this.#host.live.machine);
    }
    if (event.kind !== 'msr' || event.fault === true) this.#answer(guest, ANSWER.fault);
    else this.#answer(guest, ANSWER.done, halves(event.value ?? 0n));
  }
}
