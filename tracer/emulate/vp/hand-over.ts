import type { GuestCpu } from '../../../engine/cpu/index.ts';
import type { Holder, VpChannel } from './channel.ts';
import { HANDED, placeOf, REGISTERS } from './registers.ts';

/** What a processor that runs a VP for a while takes of the others, and leaves to them. */
export class HandOver {
  readonly #channel: VpChannel;
  readonly #holder: Holder;
  readonly #cpu: GuestCpu;
  /** The word `translations` as it was when this processor last heard of it, and its own count then. */
  #translations = 0;
  #forgotten: number;

  constructor(channel: VpChannel, holder: Holder, cpu: GuestCpu) {
    this.#channel = channel;
    this.#holder = holder;
    this.#cpu = cpu;
    this.#forgotten = cpu.translationsForgotten;
  }

  /** Takes the registers that others have changed since it ran; what it makes of a value is put back. */
  take(every = false): void {
    const channel = this.#channel;
    const cpu = this.#cpu;
    const changed = channel.takeChanged(this.#holder);
    for (const place of every ? HANDED.keys() : changed) {
      const name = HANDED[place] as number;
      cpu.setRegister(name, channel.register(place));
      channel.setRegister(this.#holder, place, cpu.getRegister(name));
    }
    // From here on it is the guest that changes them, also where it comes back to a value from before.
    cpu.changedRegisters();
    this.#takeTranslations();
  }

  /** What the guest had forgotten while another processor ran it: INVLPG changes no register. */
  #takeTranslations(): void {
    const now = this.#channel.word('translations');
    if (now === this.#translations) return;
    this.#translations = now;
    this.#cpu.forgetTranslations();
    // The others need not hear of that.
    this.#forgotten += 1;
  }

  /** Puts the registers that changed where others take them. */
  put(): void {
    for (const name of this.#cpu.changedRegisters())
      this.#channel.setRegister(this.#holder, placeOf(name), this.#cpu.getRegister(name));
  }

  /** Puts what only another processor needs, beside the registers. */
  putInnerState(): void {
    const channel = this.#channel;
    const cpu = this.#cpu;
    for (let place = REGISTERS.length; place < HANDED.length; place++)
      channel.setRegister(this.#holder, place, cpu.getRegister(HANDED[place] as number));
    if (cpu.translationsForgotten === this.#forgotten) return;
    this.#forgotten = cpu.translationsForgotten;
    this.#translations = (this.#translations + 1) | 0;
    channel.setWord('translations', this.#translations);
  }
}
