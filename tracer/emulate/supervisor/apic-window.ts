import type { DevicePage } from '../../../engine/cpu/index.ts';

/** Registers stand 16 bytes apart, 32 bits each (Intel SDM 3, 12.4.1). */
const STRIDE = 16;
const WORD = 4;

/** Reads or writes the register at an offset; a write gives nothing back. */
export type AskApic = (offset: number, value?: number) => number;

/** The registers of a VP's local APIC where its guest has them in memory. */
export class ApicWindow implements DevicePage {
  page = -1;
  readonly #ask: AskApic;

  constructor(ask: AskApic) {
    this.#ask = ask;
  }

  /** Parts of a register can be read; between registers is nothing. */
  load(offset: number, size: number): number {
    const within = offset % STRIDE;
    if (within + size > WORD) return 0;
    const value = this.#ask(offset - within);
    if (size === WORD) return value | 0;
    return (value >>> (8 * within)) & (size === 1 ? 0xff : 0xffff);
  }

  /** Whole registers alone are written (Linux 7.2 arch/x86/kvm/lapic.c, apic_mmio_write). */
  store(offset: number, size: number, value: number): void {
    if (size === WORD && offset % STRIDE === 0) this.#ask(offset, value >>> 0);
  }
}
