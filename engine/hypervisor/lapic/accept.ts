import { constantNumber } from '../../abi/index.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import { cellAt } from '../cells/place.ts';
import { VP } from '../cells/vp.ts';
import { requestInterrupt } from '../vp/request.ts';
import { initRegisters, startRegisters } from '../vp/reset.ts';
import { isWaitingForStart } from '../vp/suspend.ts';
import { resetLapic } from './state.ts';
import { lowestPriority } from './targets.ts';

const type = (name: string) => constantNumber(`HV_X64_INTERRUPT_TYPE_${name}`);
/** Delivery modes: the hypervisor's types are numbered as the APIC's are (Intel SDM 3, 12.6.1). */
export const MODE = {
  fixed: type('FIXED'),
  lowestPriority: type('LOWESTPRIORITY'),
  nmi: type('NMI'),
  init: type('INIT'),
  sipi: type('SIPI'),
  extint: type('EXTINT'),
} as const;

const SOFTWARE_ENABLED = 1 << 8;
const { lapic, interrupt } = VP.slots;

/** An interrupt that a destination is to get. */
export interface Interrupt {
  readonly mode: number;
  readonly vector: number;
  readonly level: boolean;
}

/**
 * A LAPIC that its software has switched off takes no fixed interrupts (Intel SDM 3, 12.4.7.2). One whose guest's accesses
 * are not in the trace is taken to be on.
 */
function takesFixed({ store }: Context, vp: ObjectId): boolean {
  if (store.low(cellAt(vp, lapic.seen)) === 0) return true;
  return (store.low(cellAt(vp, lapic.svr)) & SOFTWARE_ENABLED) !== 0;
}

function acceptOne(context: Context, vp: ObjectId, { mode, vector, level }: Interrupt): void {
  const { store } = context;
  switch (mode) {
    case MODE.fixed:
    case MODE.lowestPriority:
      if (takesFixed(context, vp)) requestInterrupt(context, vp, vector, level);
      break;
    case MODE.nmi:
      if (store.low(cellAt(vp, interrupt.nmi)) === 0) store.set(cellAt(vp, interrupt.nmi), 1);
      break;
    case MODE.init:
      initRegisters(context, vp);
      resetLapic(context, vp);
      break;
    case MODE.sipi:
      // Whoever does not wait for it does not hear it (Intel SDM 3, 9.4.1).
      if (isWaitingForStart(context, vp)) startRegisters(context, vp, vector);
      break;
  }
}

/**
 * VPs get an interrupt: fixed ones are requested, an NMI waits until it is taken, INIT resets the VP and, but for the first
 * one, has it wait for a start-up interrupt, which begins at its vector * 4096 in real mode (Intel SDM 3, 9.4 and 12.6).
 */
export function acceptInterrupts(context: Context, reached: readonly ObjectId[], given: Interrupt): void {
  const vps = given.mode === MODE.lowestPriority ? lowestPriority(context, reached) : reached;
  for (const vp of vps) acceptOne(context, vp, given);
}
