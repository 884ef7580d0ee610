import { type CpuExit, type DevicePage, GuestCpu, type Injection } from '../../../engine/cpu/index.ts';
import { ANSWER, halves, STOP, type VpChannel, WAITS } from './channel.ts';
import { HandOver } from './hand-over.ts';
import { exitMessage } from './message.ts';
import { OVERLAY, PAGE_BYTES, type ProcessorMemory } from './processor-memory.ts';
import { type Stored, storedBy } from './store.ts';

const UD_VECTOR = 6;
const GP_VECTOR = 13;

/**
 * The guest processor in the supervisor's thread: most exits come within a few instructions of the last one, and a
 * change of threads costs more than these. Takes its state from a channel and puts there why it stopped.
 */
export class Processor {
  readonly #channel: VpChannel;
  readonly #memory: ProcessorMemory;
  readonly #cpu: GuestCpu;
  readonly #handOver: HandOver;
  readonly #index: number;
  readonly #idlesOnHalt: boolean;
  #memoryVersion = -1;
  #isNew = true;
  /** The exit that the supervisor was asked about. */
  #asked: CpuExit | undefined;
  /** The interrupt that the guest takes before it goes on. */
  taking: Injection | undefined;
  /** What the last exit was to store: a doorbell may wait for it, and then the store is done. */
  stored: Stored | undefined;
  /** What the last exit was for that this processor does not have. */
  lacking: string | undefined;

  /** `idlesOnHalt`: HLT is not the VMM's affair, see ../supervisor/halt.ts. `device`: the window of its APIC. `clock`: see ./clock.ts. */
  constructor(
    channel: VpChannel,
    memory: ProcessorMemory,
    index: number,
    idlesOnHalt = false,
    device?: DevicePage,
    clock?: () => number,
  ) {
    this.#channel = channel;
    this.#memory = memory;
    this.#cpu = new GuestCpu(memory, device, clock);
    this.#handOver = new HandOver(channel, 'short', this.#cpu);
    this.#index = index;
    this.#idlesOnHalt = idlesOnHalt;
  }

  /** Runs the guest for at most so many instructions; true once it has come to something that the supervisor answers. */
  run(budgetInstructions: number): boolean {
    return this.#run(() => budgetInstructions);
  }

  /** As {@link run}, until it has executed so many in all; what its last exit still has to do counts. */
  runUntil(executed: number): boolean {
    return this.#run(() => executed - this.#cpu.executed);
  }

  #run(budgetInstructions: () => number): boolean {
    this.#look();
    // The first time all of them: a register that is 0 does not count as changed.
    this.#handOver.take(this.#isNew);
    this.#isNew = false;
    const stopped =
      this.#takeAnswer() ?? this.#enter() ?? this.#writesOverlay(this.#cpu.run(budgetInstructions()));
    const idles = stopped?.kind === 'halt' && this.#idlesOnHalt;
    if (idles) this.#cpu.skip(stopped);
    this.#handOver.put();
    if (stopped === undefined || stopped.kind === 'budget') return false;
    if (idles) this.#channel.setWord('reason', STOP.idle);
    else if (stopped.kind === 'interrupt-window') this.#channel.setWord('reason', STOP.window);
    else this.#post(stopped);
    return true;
  }

  /** Instructions that this processor has executed. */
  get executed(): number {
    return this.#cpu.executed;
  }

  /** Its memory hears again of each page before it is written. */
  forgetWrites(): void {
    this.#cpu.forgetWrites();
  }

  /** True for a model-specific register that is the processor's own affair. */
  ownsMsr(msr: number): boolean {
    return this.#cpu.isProcessorMsr(msr);
  }

  /** Makes ready for the VP's thread to go on. */
  handOver(): void {
    this.#handOver.putInnerState();
  }

  /** Takes over what changed of the memory, which the processors of a partition have in common here. */
  #look(): void {
    this.#memory.refresh();
    if (this.#memoryVersion === this.#memory.version) return;
    this.#memoryVersion = this.#memory.version;
    this.#cpu.memoryChanged();
  }

  /** Takes over whether an interrupt waits, and which: between two instructions, or while one writes to a device. */
  watchInterrupt(): void {
    const waits = this.#channel.word('interrupt');
    this.#cpu.wantInterruptWindow = waits !== WAITS.no;
    this.#cpu.wantsNmi = waits === WAITS.nmi;
  }

  /** Lets the guest take its interrupt; an exit where that could not be done. */
  #enter(): CpuExit | undefined {
    this.watchInterrupt();
    if (this.taking === undefined) return undefined;
    const entered = this.#cpu.inject(this.taking);
    if (entered === 'refused') return undefined;
    if (entered !== 'delivered') return entered;
    this.taking = undefined;
    return undefined;
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
    if (answer === ANSWER.own && (asked.kind === 'rdmsr' || asked.kind === 'wrmsr'))
      return this.#cpu.performMsr(asked);
    const value = (offset: number) => this.#channel.word('values', offset);
    switch (asked.kind) {
      case 'cpuid':
        this.#cpu.completeCpuid(asked, { eax: value(0), ebx: value(1), ecx: value(2), edx: value(3) });
        break;
      case 'rdmsr':
        this.#cpu.completeRdmsr(asked, this.#channel.wideValue);
        break;
      case 'wrmsr':
        this.#cpu.completeWrmsr(asked);
        break;
      case 'memory':
        this.#cpu.skip(asked);
        break;
      case 'hypercall':
        this.#cpu.completeHypercall(asked, this.#channel.wideValue);
        break;
    }
    return undefined;
  }

  /** Writing to the hypercall page raises #GP (TLFS); undefined where that was done. */
  #writesOverlay(exit: CpuExit): CpuExit | undefined {
    if (exit.kind !== 'memory' || exit.access !== 'write' || !exit.mapped) return exit;
    const page = this.#memory.page(Math.floor(exit.gpa / PAGE_BYTES));
    return ((page?.permissions ?? 0) & OVERLAY) === 0 ? exit : this.#cpu.raise(GP_VECTOR, 0);
  }

  #post(exit: CpuExit): void {
    const channel = this.#channel;
    this.stored = storedBy(exit);
    this.lacking = exit.kind === 'unsupported' ? `the guest processor lacks ${exit.what}` : undefined;
    const message = exitMessage({ index: this.#index, channel }, exit);
    if (message !== undefined) {
      channel.setWord('reason', STOP.intercept);
      channel.setWord('messageType', message.type | 0);
      channel.setWord('payloadBytes', message.payload.length);
      channel.payload.set(message.payload);
      if (this.stored !== undefined) this.#asked = exit;
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
        if (exit.kind === 'wrmsr') channel.setValues(halves(exit.value));
        break;
      case 'hypercall':
        channel.setWord('reason', STOP.hypercall);
        break;
    }
  }
}
