import {
  type Offered,
  offeredInterrupt,
  pendingInterruption,
  registerOf,
} from '../../engine/hypervisor/index.ts';
import type { Machine } from '../../engine/machine/machine.ts';
import type { ObjectId } from '../../engine/state/store.ts';
import type { RegisterValue } from '../../engine/trace/event.ts';
import { ApicWindow, type AskApic } from '../emulate/supervisor/apic-window.ts';
import { EngineRegisters } from '../emulate/supervisor/engine-registers.ts';
import { type Exchange, giveState } from '../emulate/supervisor/exchange.ts';
import { idlesOnHalt } from '../emulate/supervisor/halt.ts';
import { injectionOf, putOffered } from '../emulate/supervisor/interruptions.ts';
import { ANSWER, VpChannel } from '../emulate/vp/channel.ts';
import { Processor } from '../emulate/vp/processor.ts';
import { REGISTERS, registerIndex } from '../emulate/vp/registers.ts';
import type { RecordedMemory } from './memory.ts';

const RIP = registerIndex('RIP');

/** One VP that is executed again: its processor, and what stands between that and the engine. */
export class Runner implements Exchange {
  readonly channel = new VpChannel();
  readonly processor: Processor;
  readonly partition: bigint;
  readonly index: number;
  readonly memory: RecordedMemory;
  /** The engine's object; another one is another VP. */
  readonly id: ObjectId;
  /** What it runs with next is what the engine has. */
  isFresh = true;
  readonly registers = new EngineRegisters();
  readonly window: ApicWindow;
  /** Until the record says that it was taken. */
  entering: number | undefined;

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
    this.window = new ApicWindow(askApic(this));
    this.processor = new Processor(this.channel, memory, vp, idlesOnHalt(machine, partition), this.window);
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

  /** Before it runs: the engine's registers, memory, and what it is to take first, where they may be others than it has. */
  prepare(machine: Machine): void {
    if (!this.isFresh) return;
    this.isFresh = false;
    this.memory.follow(machine);
    giveState(machine, this.id, this);
  }

  /** An interrupt that waits: the processor says when it can take it. */
  offer(machine: Machine): void {
    putOffered(this.channel, offeredInterrupt(machine, this.id));
  }

  /** It takes the interrupt that is offered; the register that says so. */
  take(offered: Offered | undefined): RegisterValue | undefined {
    if (offered === undefined) return undefined;
    this.processor.taking = injectionOf(offered);
    return pendingInterruption(offered);
  }

  /** It has been told of, as taken. */
  took({ name }: RegisterValue): void {
    this.entering = name;
    this.channel.answer(ANSWER.registers);
  }
}
