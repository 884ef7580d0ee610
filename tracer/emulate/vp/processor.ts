import { type CpuExit, GuestCpu } from '../../../engine/cpu/index.ts';
import { ANSWER, STOP, type VpChannel } from './channel.ts';
import { type MappedMemory, OVERLAY, PAGE_BYTES } from './memory-map.ts';
import { exitMessage } from './message.ts';
import { REGISTERS } from './registers.ts';

/** Between two looks at whether it shall stop: about a millisecond of the guest. */
const BUDGET_INSTRUCTIONS = 20_000;
const UD_VECTOR = 6;
const GP_VECTOR = 13;

/** A guest processor that takes its state from a channel and puts there why it stopped. */
export class Processor {
  readonly #channel: VpChannel;
  readonly #memory: MappedMemory;
  readonly #cpu: GuestCpu;
  readonly #index: number;
  #isNew = true;
  /** The exit that the supervisor was asked about. */
  #asked: CpuExit | undefined;

  constructor(channel: VpChannel, memory: MappedMemory, index: number) {
    this.#channel = channel;
    this.#memory = memory;
    this.#cpu = new GuestCpu(memory);
    this.#index = index;
  }

  /** Runs the guest until something needs the supervisor. */
  run(): void {
    if (this.#memory.refresh()) this.#cpu.memoryChanged();
    // The first time all of them: a register that is 0 does not count as changed.
    const changed = this.#channel.takeChanged('hypervisor');
    for (const place of this.#isNew ? REGISTERS.keys() : changed) {
      this.#cpu.setRegister(REGISTERS[place] as number, this.#channel.register(place));
    }
    this.#isNew = false;
    const stopped = this.#takeAnswer() ?? this.#go();
    REGISTERS.forEach((name, place) => {
      this.#channel.setRegister('guest', place, this.#cpu.getRegister(name));
    });
    this.#post(stopped);
  }

  /** What the supervisor said about the last exit; an exit of its own when that could not be done. */
  #takeAnswer(): CpuExit | undefined {
    const asked = this.#asked;
    this.#asked = undefined;
    const answer = this.#channel.word('answer');
    if (answer === ANSWER.registers || asked === undefined) return undefined;
    // A hypercall that is not allowed is an instruction that is not there (TLFS, legal hypercall environments).
    if (answer === ANSWER.fault)
      return asked.kind === 'hypercall' ? this.#cpu.raise(UD_VECTOR) : this.#cpu.raise(GP_VECTOR, 0);
    const value = (offset: number) => this.#channel.word('values', offset);
    switch (asked.kind) {
      case 'cpuid':
        this.#cpu.completeCpuid(asked, { eax: value(0), ebx: value(1), ecx: value(2), edx: value(3) });
        break;
      case 'rdmsr':
        this.#cpu.completeRdmsr(asked, wide(value(0), value(1)));
        break;
      case 'wrmsr':
        this.#cpu.completeWrmsr(asked);
        break;
      case 'hypercall':
        this.#cpu.completeHypercall(asked, wide(value(0), value(1)));
        break;
    }
    return undefined;
  }

  #go(): CpuExit {
    for (;;) {
      const exit = this.#writesOverlay(this.#cpu.run(BUDGET_INSTRUCTIONS));
      if (exit === undefined) continue;
      if (exit.kind !== 'budget' || this.#channel.isToldToStop) return exit;
      if (this.#memory.refresh()) this.#cpu.memoryChanged();
    }
  }

  /** Writing to the hypercall page raises #GP (TLFS); undefined where that was done. */
  #writesOverlay(exit: CpuExit): CpuExit | undefined {
    if (exit.kind !== 'memory' || exit.access !== 'write' || !exit.mapped) return exit;
    const page = this.#memory.page(Math.floor(exit.gpa / PAGE_BYTES));
    return ((page?.permissions ?? 0) & OVERLAY) === 0 ? exit : this.#cpu.raise(GP_VECTOR, 0);
  }

  #post(exit: CpuExit): void {
    const channel = this.#channel;
    const message = exitMessage({ index: this.#index, register: (place) => channel.register(place) }, exit);
    if (message !== undefined) {
      channel.setWord('reason', STOP.intercept);
      channel.setWord('messageType', message.type | 0);
      channel.setWord('payloadBytes', message.payload.length);
      channel.payload.set(message.payload);
      return;
    }
    this.#asked = exit;
    if ('instructionLength' in exit) channel.setWord('instructionLength', exit.instructionLength);
    switch (exit.kind) {
      case 'cpuid':
        channel.setWord('reason', STOP.cpuid);
        channel.setWord('index', exit.leaf | 0);
        channel.setWord('subleaf', exit.subleaf | 0);
        break;
      case 'rdmsr':
      case 'wrmsr':
        channel.setWord('reason', exit.kind === 'rdmsr' ? STOP.readMsr : STOP.writeMsr);
        channel.setWord('index', exit.msr | 0);
        if (exit.kind === 'wrmsr') {
          channel.setWord('values', Number(exit.value & 0xffff_ffffn) | 0);
          channel.setWord('values', Number(exit.value >> 32n) | 0, 1);
        }
        break;
      case 'hypercall':
        channel.setWord('reason', STOP.hypercall);
        break;
      default:
        channel.setWord('reason', STOP.told);
    }
  }
}

/** 64 bits of two signed halves. */
function wide(low: number, high: number): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}
