import { referenceOffset } from '../../../engine/hypervisor/index.ts';
import type { Machine } from '../../../engine/machine/machine.ts';
import { STOP } from '../vp/channel.ts';
import { type Guest, vpOf } from './guest.ts';

/**
 * The reference TSC page (TLFS, partition reference TSC mechanism): its sequence (0: not to be used), scale and offset. Reference
 * time is the upper half of TSC * scale, and the offset, in 100 ns; the TSC counts nanoseconds.
 */
const PAGE = { sequence: 0, scale: 8, offset: 16, bytes: 24 };
const NS_PER_TICK = 100n;
/** Rounded up: a whole number of ticks is not to become one less. */
const SCALE = (1n << 64n) / NS_PER_TICK + 1n;
const UNUSED = 0;
const TSC = 0x10;

/** The reference TSC page of a partition: nobody else writes it, so what stands there need not be read. */
export class ReferenceTimePage {
  /** The last one: each time that holds has a sequence of its own. */
  #sequence = 0;
  /** What the page says; undefined: it is not to be used. */
  #offset: bigint | undefined;
  /** A VP has set its TSC, which no longer is the partition's time. */
  tscIsSet = false;

  /**
   * Puts there what holds now, where the guest has the page. Where its TSC counts instructions, or its reference time is frozen, or
   * a VP has set its TSC, the page is not to be used, and the guest reads HV_X64_MSR_TIME_REF_COUNT.
   */
  show(machine: Machine, guest: Guest): void {
    const { memory, index, countsTime } = guest;
    if (!countsTime || !memory.hasOverlay(index, 'REFERENCE_TSC')) return;
    const vp = vpOf(machine, guest);
    if (vp === undefined) return;
    const offset = this.tscIsSet ? undefined : referenceOffset(machine, machine.store.parent(vp));
    if (offset === this.#offset) return;
    this.#offset = offset;
    const view = new DataView(new ArrayBuffer(PAGE.bytes));
    const put = (from: number, to: number): void =>
      memory.writeOverlay(index, 'REFERENCE_TSC', from, new Uint8Array(view.buffer.slice(from, to)));
    // Another VP may read it meanwhile: with a sequence of 0 it does not use the rest.
    view.setUint32(PAGE.sequence, UNUSED, true);
    put(PAGE.sequence, PAGE.scale);
    if (offset === undefined) return;
    view.setBigUint64(PAGE.scale, SCALE, true);
    view.setBigUint64(PAGE.offset, offset, true);
    put(PAGE.scale, PAGE.bytes);
    this.#sequence += 1;
    view.setUint32(PAGE.sequence, this.#sequence, true);
    put(PAGE.sequence, PAGE.scale);
  }
}

/** Has the guest see its memory as it is now, and in it the time. */
export function refreshMemory(machine: Machine, guest: Guest): void {
  guest.memory.refresh(machine);
  guest.memory.referenceTime.show(machine, guest);
}

/** The processor does an access to a register of its own: where that sets the TSC, what others read of the time is no longer to be used. */
export function noteTsc(machine: Machine, guest: Guest): void {
  const { channel, memory } = guest;
  const { referenceTime } = memory;
  if (channel.word('reason') !== STOP.writeMsr || channel.word('index') !== TSC) return;
  referenceTime.tscIsSet = true;
  referenceTime.show(machine, guest);
}
