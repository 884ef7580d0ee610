import { constantNumber, messageTypes } from '../../engine/abi/index.ts';
import { APIC_WINDOW, ringEvent, SINT_INTERCEPT, vpOfRef } from '../../engine/hypervisor/index.ts';
import type { Machine } from '../../engine/machine/machine.ts';
import { ioctlRowOf } from '../../engine/trace/dialect.ts';
import type {
  HypercallEvent,
  InterceptEvent,
  IoctlEvent,
  MsrEvent,
  RegisterValue,
  TraceEvent,
} from '../../engine/trace/event.ts';
import { putParts } from '../emulate/capture/delta.ts';
import { deedOf } from '../emulate/supervisor/deed.ts';
import { takeRegisters } from '../emulate/supervisor/exchange.ts';
import { resultWord } from '../emulate/supervisor/hypercall.ts';
import { Intercepts } from '../emulate/supervisor/intercepts.ts';
import { leavesMemory } from '../emulate/supervisor/leaves-memory.ts';
import { memoryCall } from '../emulate/supervisor/memory-call.ts';
import { showMessage } from '../emulate/supervisor/message-page.ts';
import { giveSynicPage } from '../emulate/supervisor/synic-pages.ts';
import { ANSWER, halves } from '../emulate/vp/channel.ts';
import { OVERLAY_MSRS } from '../emulate/vp/overlays.ts';
import { pageOf } from '../emulate/vp/processor-memory.ts';
import { differentBytes, differentRegister, type Found, isInterruption } from './differences.ts';
import {
  describe,
  type GuestRef,
  guestOf,
  isAccess,
  isMemory,
  isOfGuest,
  isSameAccess,
  isStamped,
  type Stamped,
  sameGuest,
  type Told,
  wordsOf,
} from './events.ts';
import { RecordedMemory } from './memory.ts';
import type { Difference, Executed, ReplayHost } from './report.ts';
import { Runner } from './runner.ts';
import { Written } from './written.ts';

const NO_MESSAGE = messageTypes.number('HVMSG_NONE');
const DOORBELL_SINT = constantNumber('HV_SYNIC_DOORBELL_SINT_INDEX');
const SIMP_SLOT_BYTES = 256;
const TYPE_BYTES = 4;
const PAGE_BYTES = 4096;
const U32 = 0xffff_ffffn;

/** Leaves the middle of an instruction where the record goes another way. */
class Parted extends Error {}
const PARTED = new Parted('the guest and the record have parted');

/** Guests that are executed again between the events of a replay, up to the first difference. */
export class Execution {
  readonly #host: ReplayHost;
  readonly #machine: Machine;
  readonly #intercepts = new Intercepts();
  readonly #memories = new Map<bigint, RecordedMemory>();
  readonly #runners = new Map<string, Runner>();
  /** Of VPs that are gone. */
  #executedBefore = 0;
  #vps = 0;
  #compared = 0;
  #bytes = 0;
  #difference: Difference | undefined;
  /** Guest memory that is being compared. */
  #written: Written | undefined;

  constructor(host: ReplayHost) {
    this.#host = host;
    this.#machine = host.machine;
  }

  get hasEnded(): boolean {
    return this.#difference !== undefined;
  }

  report(): Executed {
    const running = [...this.#runners.values()].reduce((sum, { processor }) => sum + processor.executed, 0);
    return {
      vps: this.#vps,
      instructions: this.#executedBefore + running,
      compared: this.#compared,
      bytes: this.#bytes,
      difference: this.#difference,
    };
  }

  /** Takes note of what the engine did. */
  observe(event: TraceEvent): void {
    if (event.kind === 'message' && event.vp?.partition !== undefined)
      showMessage({ machine: this.#machine }, this.#memoryOf(event.vp.partition), event);
    if (event.kind !== 'hypercall' || leavesMemory(event)) return;
    this.#intercepts.note(event);
    for (const memory of this.#memories.values()) memory.changed();
  }

  /** Comes to the next event: a guest's own is what the guest comes to, all others happen to it. */
  step(event: TraceEvent): void {
    const guest = guestOf(event);
    if (isStamped(event) && guest !== undefined) this.#attempt(() => this.#stamped(event, guest));
    else if (guest !== undefined && isAccess(event)) this.#attempt(() => this.#accessed(event, guest));
    else this.#happens();
  }

  #attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof Parted)) throw error;
    }
  }

  /** It comes from outside. */
  #happens(): void {
    const event = this.#host.feed();
    if (event.kind === 'ioctl' && event.ret === 0) this.#ended(event);
  }

  /** A call that gives memory to a guest, takes it, or puts a page of a VP's SynIC. */
  #ended(event: IoctlEvent): void {
    const { handle, arg, in: input } = event;
    const { kind } = handle;
    if (kind !== 'partition' && kind !== 'vp') return;
    const row = ioctlRowOf(event, this.#machine.profile);
    const bytes = {
      ...(arg === undefined ? {} : { arg }),
      ...(input === undefined ? {} : { in: input }),
    };
    giveSynicPage(this.#machine, event.t, (partition) => this.#memoryOf(partition), { handle }, row, bytes);
    const call = memoryCall(row, arg);
    if (call === undefined || kind !== 'partition' || handle.partition === undefined) return;
    const memory = this.#memoryOf(handle.partition);
    const pages = call.size / PAGE_BYTES;
    if (call.gives) memory.given.give({ page: call.page, pages, address: call.address });
    else memory.given.take(call.page, pages);
    memory.changed();
  }

  /** An event that says how far its VP had come. */
  #stamped(event: Stamped, guest: GuestRef): void {
    const runner = this.#runnerOf(guest);
    if (runner === undefined) {
      this.#happens();
      return;
    }
    this.#reach(runner, event, event.instructions);
    this.#compareMemory(runner, event);
    if (isMemory(event)) {
      if (!isOfGuest(event))
        putParts(runner.memory.behind(pageOf(event.gpa ?? 0n)) ?? new Uint8Array(0), event.bytes ?? []);
      this.#host.feed();
    } else if (event.kind === 'intercept') this.#stops(runner, event);
    else if (event.kind === 'msr') this.#accesses(runner, event);
    else if (event.kind === 'hypercall') this.#calls(runner, event);
    else if (event.kind === 'message' && event.what === 'clear') this.#clears(runner, event);
    else this.#happens();
  }

  /** Has a VP execute until it has come so far. */
  #reach(runner: Runner, event: TraceEvent, instructions: number): void {
    const { processor } = runner;
    if (processor.executed > instructions) {
      const [expected, found] = [`instruction ${instructions}`, `instruction ${processor.executed}`];
      this.#differs(runner, event, { what: 'stop', expected, found });
    }
    if (processor.executed === instructions) return;
    this.#host.settle();
    runner.prepare(this.#machine);
    while (processor.executed < instructions) {
      const deed = this.#run(runner, instructions);
      // Its last instruction may be HLT, after which it sleeps.
      const isThere = processor.executed === instructions;
      if (deed === undefined || (deed.kind === 'idle' && isThere)) continue;
      const expected = `nothing before instruction ${instructions}`;
      this.#differs(runner, event, { what: 'stop', expected, found: describe(deed) });
    }
  }

  /** Runs on until it has executed so many instructions; what it came to before. Undefined too where it has been answered, and goes on. */
  #run(runner: Runner, instructions: number): Told | undefined {
    runner.offer(this.#machine);
    if (!runner.processor.runUntil(instructions)) return undefined;
    const deed = deedOf(this.#machine, runner, this.#intercepts);
    if (deed.kind === 'answer') runner.channel.answer(deed.answer, deed.values);
    else if (deed.kind === 'window' && deed.offered === undefined) runner.channel.answer(ANSWER.registers);
    else return deed;
    return undefined;
  }

  /** What it comes to with its next instruction, which has no effect yet. */
  #deed(runner: Runner, event: TraceEvent): Told {
    this.#host.settle();
    runner.prepare(this.#machine);
    const deed = this.#run(runner, runner.processor.executed + 1);
    this.#compared++;
    if (deed !== undefined) return deed;
    const expected = event.kind === 'intercept' ? 'a stop' : `what event ${event.seq} says`;
    return this.#differs(runner, event, { what: 'stop', expected, found: 'it goes on' });
  }

  /** What it wrote up to here against the events that tell of it. */
  #compareMemory(runner: Runner, event: TraceEvent): void {
    this.#written ??= new Written(runner.memory);
    runner.processor.forgetWrites();
    if (isMemory(event) && isOfGuest(event)) {
      for (const { bytes } of event.bytes ?? []) this.#bytes += bytes.length;
      this.#check(runner, event, this.#written.differentUpTo(event));
      return;
    }
    this.#check(runner, event, this.#written.different());
    this.#written = undefined;
  }

  #stops(runner: Runner, event: InterceptEvent): void {
    if (event.type === SINT_INTERCEPT) {
      this.#rings(runner, event);
      return;
    }
    const told = event.registers ?? [];
    const taken = event.type === NO_MESSAGE ? told.find(isInterruption) : undefined;
    if (taken !== undefined) {
      const deed = this.#deed(runner, event);
      const pending = deed.kind === 'window' ? runner.take(deed.offered) : undefined;
      if (pending === undefined)
        this.#differs(runner, event, { what: 'stop', expected: 'an interrupt', found: describe(deed) });
      this.#compareRegisters(runner, event, pending === undefined ? [] : [pending]);
      this.#host.feed();
      if (pending !== undefined) runner.took(pending);
      return;
    }
    if (event.type !== NO_MESSAGE) {
      const deed = this.#deed(runner, event);
      if (deed.kind !== 'intercept' || deed.message.type !== event.type) {
        const expected = `a stop of type 0x${event.type.toString(16)}`;
        this.#differs(runner, event, { what: 'stop', expected, found: describe(deed) });
      } else this.#check(runner, event, differentBytes('message', event.payload, deed.message.payload));
    }
    this.#compareRegisters(runner, event, []);
    this.#host.feed();
    runner.isFresh = true;
  }

  #rings(runner: Runner, event: InterceptEvent): void {
    const deed = this.#deed(runner, event);
    if (deed.kind !== 'ring') {
      this.#differs(runner, event, { what: 'stop', expected: 'a doorbell', found: describe(deed) });
      return;
    }
    const { payload } = ringEvent(event.vp, DOORBELL_SINT, deed.port);
    this.#check(runner, event, differentBytes('message', event.payload, payload));
    this.#host.feed();
    runner.channel.answer(ANSWER.done);
  }

  #compareRegisters(runner: Runner, event: InterceptEvent, inner: readonly RegisterValue[]): void {
    const found = [...takeRegisters(runner), ...inner];
    const now = (name: number) => runner.register(name);
    const before = (name: number) => runner.known(this.#machine, name);
    this.#check(runner, event, differentRegister(event.registers ?? [], found, now, before));
  }

  #accesses(runner: Runner, event: MsrEvent): void {
    const deed = this.#deed(runner, event);
    if (deed.kind !== 'msr' || !isSameAccess(event, deed)) this.#otherwise(runner, event, deed);
    const { fault, value = 0n, msr } = this.#host.feed() as MsrEvent;
    if (event.dir === 'write' && OVERLAY_MSRS.has(msr)) {
      runner.memory.changed();
      runner.memory.follow(this.#machine);
    }
    if (fault === true) runner.channel.answer(ANSWER.fault);
    else runner.channel.answer(ANSWER.done, halves(value));
  }

  #calls(runner: Runner, event: HypercallEvent): void {
    const deed = this.#deed(runner, event);
    if (deed.kind !== 'hypercall' || deed.call.control !== event.control) {
      this.#otherwise(runner, event, deed);
      return;
    }
    const { call } = deed;
    this.#check(runner, event, differentBytes('input', event.input, call.input));
    if (call.inputGpa !== event.inputGpa || call.outputGpa !== event.outputGpa)
      this.#otherwise(runner, event, deed);
    const { fault, output, result } = this.#host.feed() as HypercallEvent;
    if (fault === true) {
      runner.channel.answer(ANSWER.fault);
      return;
    }
    if (output !== undefined && call.outputGpa !== undefined) runner.memory.write(call.outputGpa, output);
    runner.channel.answer(ANSWER.done, halves(resultWord(result)));
  }

  /** The guest has freed a slot of its message page. */
  #clears(runner: Runner, event: Extract<TraceEvent, { kind: 'message' }>): void {
    const { index, memory } = runner;
    const type = memory.readOverlay(index, 'SIMP', event.sint * SIMP_SLOT_BYTES, TYPE_BYTES);
    if (type?.some((byte) => byte !== 0) === true) {
      const slot = `slot ${event.sint} of its message page`;
      this.#differs(runner, event, { what: 'stop', expected: `${slot} free`, found: `${slot} in use` });
    }
    this.#host.feed();
  }

  /** An access to a register of the APIC in memory, in the middle of an instruction: the VP comes to it on its way. */
  #accessed(event: TraceEvent, guest: GuestRef): void {
    const runner = this.#runnerOf(guest);
    const until = this.#host.find((next) => isStamped(next) && sameGuest(next, guest));
    if (runner === undefined || until?.instructions === undefined) {
      // The recording ends in the middle of the guest's run.
      this.#happens();
      return;
    }
    this.#reach(runner, event, until.instructions);
    if (this.#host.peek() !== event) return;
    this.#differs(runner, event, { what: 'stop', expected: wordsOf(event), found: 'it goes on' });
  }

  #access(runner: Runner, offset: number, value: number | undefined): number {
    const written = value === undefined ? {} : { value: BigInt(value) };
    const found = {
      dir: value === undefined ? 'read' : 'write',
      msr: APIC_WINDOW + offset,
      ...written,
    } as const;
    for (;;) {
      const next = this.#host.peek();
      const isNext = next !== undefined && sameGuest(next, { partition: runner.partition, vp: runner.index });
      if (next === undefined || !isNext || !isAccess(next)) {
        const at = next ?? this.#host.feed();
        return this.#differs(runner, at, {
          what: 'stop',
          expected: 'no access',
          found: describe({ kind: 'msr', ...found }),
        });
      }
      if (next.kind === 'msr' && !isSameAccess(next, found))
        this.#otherwise(runner, next, { kind: 'msr', ...found });
      const event = this.#host.feed();
      if (event.kind !== 'msr') continue;
      runner.offer(this.#machine);
      runner.processor.watchInterrupt();
      return Number((event.value ?? 0n) & U32);
    }
  }

  #otherwise(runner: Runner, event: MsrEvent | HypercallEvent, deed: Told): never {
    return this.#differs(runner, event, { what: 'stop', expected: wordsOf(event), found: describe(deed) });
  }

  #check(runner: Runner, event: TraceEvent, found: Found | undefined): void {
    if (found !== undefined) this.#differs(runner, event, found);
  }

  #differs(runner: Runner, event: TraceEvent, found: Found): never {
    const { partition, index: vp, processor, rip } = runner;
    this.#difference ??= {
      at: event.seq,
      vp: { partition, vp },
      instructions: processor.executed,
      rip,
      found,
    };
    throw PARTED;
  }

  #memoryOf(partition: bigint): RecordedMemory {
    let memory = this.#memories.get(partition);
    if (memory === undefined) {
      memory = new RecordedMemory(partition);
      this.#memories.set(partition, memory);
    }
    return memory;
  }

  #runnerOf(guest: GuestRef): Runner | undefined {
    const key = `${guest.partition}.${guest.vp}`;
    const known = this.#runners.get(key);
    const id = vpOfRef(this.#machine, guest);
    if (id === undefined || known?.id === id) return known;
    this.#executedBefore += known?.processor.executed ?? 0;
    this.#vps++;
    const runner = new Runner(
      this.#machine,
      id,
      guest,
      this.#memoryOf(guest.partition),
      (made) => (offset, value) => this.#access(made, offset, value),
    );
    this.#runners.set(key, runner);
    return runner;
  }
}
