import {
  apicMode,
  apicWindow,
  offeredInterrupt,
  pendingInterruption,
  registerOf,
} from '../../engine/hypervisor/index.ts';
import type { Machine } from '../../engine/machine/machine.ts';
import type { ObjectId } from '../../engine/state/store.ts';
import type { RegisterValue } from '../../engine/trace/event.ts';
import { ApicWindow, type AskApic } from '../emulate/supervisor/apic-window.ts';
import { EngineRegisters } from '../emulate/supervisor/engine-registers.ts';
import { idlesOnHalt } from '../emulate/supervisor/halt.ts';
import { pendingOf } from '../emulate/supervisor/interruptions.ts';
import { ANSWER, VpChannel, WAITS } from '../emulate/vp/channel.ts';
import { Processor } from '../emulate/vp/processor.ts';
import { REGISTERS, registerIndex } from '../emulate/vp/registers.ts';
import type { RecordedMemory } from './memory.ts';

const RIP = registerIndex('RIP');

/** One VP that is executed again: its processor, and what stands between that and the engine. */
export class Runner {
  readonly channel = new VpChannel();
  readonly processor: Processor;
  readonly partition: bigint;
  readonly index: number;
  readonly memory: RecordedMemory;
  /** The engine's object; another one is another VP. */
  readonly id: ObjectId;
  /** What it runs with next is what the engine has. */
  isFresh = true;
  readonly #registers = new EngineRegisters();
  readonly #window: ApicWindow;
  /** The register that says what the guest takes, until the record says that it did. */
  #entering: number | undefined;

  constructor(
    machine: Machine,
    id: ObjectId,
    { partition, vp }: { readonly partition: bigint; readonly vp: number },
    memory: RecordedMemory,
    askApic: (runner: Runner) => AskApic,
  ) {
    this.id = id;
    this.partition = partition;
    this.index = vp;
    this.memory = memory;
    this.#window = new ApicWindow(askApic(this));
    this.processor = new Processor(this.channel, memory, vp, idlesOnHalt(machine, partition), this.#window);
  }

  /** The VP as messages about its exits want it. */
  get stopped() {
    return { index: this.index, register: (place: number) => this.channel.register(place) };
  }

  /** A register by its name's number; undefined for one that the processor does not hand over. */
  register(name: number): bigint | undefined {
    const place = REGISTERS.indexOf(name);
    return place < 0 ? undefined : this.channel.register(place);
  }

  /** What the engine has in a register. */
  known(machine: Machine, name: number): bigint {
    const { low, high } = registerOf(machine, this.id, name);
    return (high << 64n) | low;
  }

  get rip(): bigint {
    return this.channel.register(RIP);
  }

  /** Gives it what it asked for. */
  answer(answer: number, values: readonly number[] = []): void {
    this.channel.setWord('answer', answer);
    values.forEach((value, offset) => {
      this.channel.setWord('values', value | 0, offset);
    });
  }

  /** Before it runs: the engine's registers, memory, and what it is to take first, where they may be others than it has. */
  prepare(machine: Machine): void {
    if (!this.isFresh) return;
    this.isFresh = false;
    this.memory.follow(machine);
    this.#window.page = apicMode(machine, this.id) === 'xapic' ? apicWindow(machine, this.id) : -1;
    this.#registers.give(machine, this.id, (place, value) =>
      this.channel.setRegister('engine', place, value),
    );
    if (this.#entering === undefined || this.processor.taking !== undefined) {
      const pending = pendingOf(machine, this.id);
      this.#entering = pending?.register;
      this.processor.taking = pending?.injection;
    }
    this.answer(ANSWER.registers);
  }

  /** An interrupt that waits: the processor says when it can take it. */
  offer(machine: Machine): void {
    const offered = offeredInterrupt(machine, this.id);
    this.channel.setWord(
      'interrupt',
      offered === undefined ? WAITS.no : offered.nmi ? WAITS.nmi : WAITS.interrupt,
    );
  }

  /** It takes the interrupt that is offered; the register that says so. */
  take(machine: Machine): RegisterValue | undefined {
    const offered = offeredInterrupt(machine, this.id);
    if (offered === undefined) return undefined;
    this.processor.taking = { kind: offered.nmi ? 'nmi' : 'external', vector: offered.vector };
    return pendingInterruption(offered);
  }

  /** It has been told of, as taken. */
  took({ name }: RegisterValue): void {
    this.#entering = name;
    this.answer(ANSWER.registers);
  }

  /** What a stop says of its registers: those that it changed since its last one. */
  changedRegisters(): RegisterValue[] {
    const entered = this.processor.taking === undefined ? this.#entering : undefined;
    if (entered !== undefined) this.#entering = undefined;
    const changed = this.channel.takeChanged('engine').filter((place) => place < REGISTERS.length);
    for (const place of changed) this.#registers.changedByGuest(place);
    return [
      ...changed.map((place) => ({ name: REGISTERS[place] as number, value: this.channel.register(place) })),
      ...(entered === undefined ? [] : [{ name: entered, value: 0n }]),
    ];
  }
}
