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
/** Each time that holds has a sequence of its own. */
let shown = 0;

/**
 * Puts what holds now onto the reference TSC page of a guest that has one. Where its TSC counts instructions, or its reference time
 * is frozen, or one of its VPs has set its TSC, the page is not to be used, and the guest reads HV_X64_MSR_TIME_REF_COUNT.
 */
function showReferenceTime(machine: Machine, guest: Guest): void {
  const { memory, index, countsTime } = guest;
  const now = countsTime ? memory.readOverlay(index, 'REFERENCE_TSC', 0, PAGE.bytes) : undefined;
  const vp = now === undefined ? undefined : vpOf(machine, guest);
  if (now === undefined || vp === undefined) return;
  const view = new DataView(now.buffer, now.byteOffset, now.byteLength);
  const sequence = view.getUint32(PAGE.sequence, true);
  const offset = memory.tscIsSet ? undefined : referenceOffset(machine, machine.store.parent(vp));
  const put = (bytes: Uint8Array, at = 0): void => memory.writeOverlay(index, 'REFERENCE_TSC', at, bytes);
  const isSame = sequence !== UNUSED && view.getBigUint64(PAGE.offset, true) === offset;
  if (isSame || (sequence === UNUSED && offset === undefined)) return;
  view.setUint32(PAGE.sequence, UNUSED, true);
  if (offset !== undefined) {
    view.setBigUint64(PAGE.scale, SCALE, true);
    view.setBigUint64(PAGE.offset, offset, true);
  }
  // Another VP may read it meanwhile: with a sequence of 0 it does not use the rest.
  put(now);
  if (offset === undefined) return;
  shown += 1;
  view.setUint32(PAGE.sequence, shown, true);
  put(now.subarray(PAGE.sequence, PAGE.scale));
}

/** Has the guest see its memory as it is now, and in it the time. */
export function refreshMemory(machine: Machine, guest: Guest): void {
  guest.memory.refresh(machine);
  showReferenceTime(machine, guest);
}

/** The processor does an access to a register of its own: where that sets the TSC, what others read of the time is no longer to be used. */
export function noteTsc(machine: Machine, guest: Guest): void {
  const { channel, memory } = guest;
  if (channel.word('reason') !== STOP.writeMsr || channel.word('index') !== TSC || memory.tscIsSet) return;
  memory.tscIsSet = true;
  showReferenceTime(machine, guest);
}
