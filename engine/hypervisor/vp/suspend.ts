import { registers } from '../../abi/index.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import { PARTITION } from '../cells/partition.ts';
import { cellAt } from '../cells/place.ts';
import { VP } from '../cells/vp.ts';
import { doubtLapic } from '../lapic/state.ts';
import { forgetMemory } from '../memory/contents.ts';
import { doubtExtint } from './extint.ts';
import { isImpossible } from './impossible.ts';
import { takeWritten } from './register-page-written.ts';

const { suspend, signals, ran } = VP.slots;
const { internalActivity } = VP.slots.reg;
const STARTUP = 1;

/** Registers that say whether a VP runs, and how often it was signalled; the guest has no part in them. */
export const CONTROL_SLOTS: ReadonlyMap<number, number> = new Map([
  [registers.number('EXPLICIT_SUSPEND'), suspend.explicit],
  [registers.number('INTERCEPT_SUSPEND'), suspend.intercept],
  [registers.number('DISPATCH_SUSPEND'), suspend.dispatch],
  [registers.number('VP_ROOT_SIGNAL_COUNT'), signals],
]);

/** The VP does nothing until a start-up interrupt comes. */
export function isWaitingForStart({ store }: Context, vp: ObjectId): boolean {
  return (store.low(cellAt(vp, internalActivity)) & STARTUP) !== 0;
}

/** It waits for a start-up interrupt, or does not any more. */
export function waitForStart({ store }: Context, vp: ObjectId, waits: boolean): void {
  const cell = cellAt(vp, internalActivity);
  const was = store.low(cell);
  const now = waits ? was | STARTUP : was & ~STARTUP;
  if (now !== was) store.set(cell, now);
}

/** Nothing holds the VP: the guest runs. */
export function mayRun(context: Context, vp: ObjectId): boolean {
  const { store } = context;
  return (
    !isWaitingForStart(context, vp) &&
    store.low(cellAt(vp, suspend.explicit)) === 0 &&
    store.low(cellAt(vp, suspend.intercept)) === 0 &&
    store.low(cellAt(vp, suspend.dispatch)) === 0
  );
}

/** Holds a VP or lets it go; once nothing holds it, its registers are the guest's. */
export function setControl(context: Context, vp: ObjectId, slot: number, value: bigint): void {
  const { store } = context;
  store.set(cellAt(vp, slot), value);
  letGo(context, vp);
}

/** Once nothing holds it, it takes what its register page has for it, and its registers are the guest's; one that cannot run with them keeps them. */
export function letGo(context: Context, vp: ObjectId): void {
  const { store } = context;
  if (!mayRun(context, vp)) return;
  takeWritten(context, vp);
  if (isImpossible(context, vp)) return;
  const certain = cellAt(store.parent(vp), PARTITION.slots.accessCertain);
  if (store.low(certain) === 1) store.set(certain, 0);
  forgetMemory(context, store.parent(vp));
  doubtLapic(context, vp);
  doubtExtint(context, vp);
  if (store.low(cellAt(vp, ran)) === 0) store.set(cellAt(vp, ran), 1);
}
