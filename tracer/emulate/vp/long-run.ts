import { GuestCpu } from '../../../engine/cpu/index.ts';
import { type VpChannel, WAITS } from './channel.ts';
import { HandOver } from './hand-over.ts';
import type { MappedMemory } from './memory-map.ts';

/** Between two looks at whether it shall stop: about a millisecond of the guest. */
const BUDGET_INSTRUCTIONS = 20_000;

/**
 * Goes on with a guest that runs for longer than the supervisor has time for. It stops before the first instruction
 * that needs somebody else, without saying why: the supervisor's processor comes to the same instruction next.
 */
export class LongRun {
  readonly #channel: VpChannel;
  readonly #memory: MappedMemory;
  readonly #cpu: GuestCpu;
  readonly #handOver: HandOver;
  #isNew = true;

  constructor(channel: VpChannel, memory: MappedMemory, clock?: () => number) {
    this.#channel = channel;
    this.#memory = memory;
    this.#cpu = new GuestCpu(memory, undefined, clock);
    this.#handOver = new HandOver(channel, 'long', this.#cpu);
  }

  run(): void {
    this.#look();
    this.#handOver.take(this.#isNew);
    this.#isNew = false;
    while (this.#cpu.run(BUDGET_INSTRUCTIONS).kind === 'budget' && !this.#channel.isToldToStop) this.#look();
    this.#handOver.put();
    this.#handOver.putInnerState();
  }

  #look(): void {
    const waits = this.#channel.word('interrupt');
    this.#cpu.wantInterruptWindow = waits !== WAITS.no;
    this.#cpu.wantsNmi = waits === WAITS.nmi;
    if (this.#memory.refresh()) this.#cpu.memoryChanged();
  }
}
