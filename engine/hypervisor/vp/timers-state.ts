import { fieldOf, readU64, registers, sizeOfStruct, writeField } from '../../abi/index.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import { STIMER_COUNT } from '../cells/cpu.ts';
import { cellAt } from '../cells/place.ts';
import { VP } from '../cells/vp.ts';
import { armTimer } from '../synic/expire.ts';
import { isSettled } from './page-state.ts';
import { isFresh, registerOf, setRegister } from './values.ts';

const BYTES = sizeOfStruct('hv_synthetic_timers_state');
const { timers } = VP.slots.given;
const REGISTERS = Array.from({ length: STIMER_COUNT }, (_, index) =>
  (['config', 'count'] as const).map((name) => ({
    index,
    field: fieldOf('hv_synthetic_timers_state', `timers.${name}`),
    register: registers.number(`STIMER${index}_${name.toUpperCase()}`),
  })),
).flat();

/** Takes over the state of the timers of a VP as a call carries it; those that are enabled run from then on. */
export function keepTimers(context: Context, vp: ObjectId, state: Uint8Array, tNs: number): void {
  const { store } = context;
  const all = new Uint8Array(BYTES);
  all.set(state.subarray(0, BYTES));
  store.set(cellAt(vp, timers), store.intern(all));
  for (const { register, field, index } of REGISTERS)
    setRegister(context, vp, register, { low: readU64(all, field, index), high: 0n });
  for (let i = 0; i < STIMER_COUNT; i++) armTimer(context, vp, i, tNs);
}

/**
 * The state of the timers (hv_synthetic_timers_state): registers as they stand, what else there is as it was last given. Of
 * timers that the guest may have written to unseen, or that run, the record is taken.
 */
export function timersOf(
  context: Context,
  vp: ObjectId,
  recorded: Uint8Array | undefined,
  tNs: number,
): Uint8Array {
  const { store } = context;
  const blob = store.number(cellAt(vp, timers));
  const own = blob === 0 ? new Uint8Array(BYTES) : store.blob(blob).slice();
  for (const { register, field, index } of REGISTERS)
    writeField(own, field, registerOf(context, vp, register).low, index);
  if (isSettled(context, vp) && REGISTERS.every(({ register }) => isFresh(context, vp, register))) return own;
  context.bind('vp-state', recorded === undefined ? undefined : 1n, 0n);
  if (recorded === undefined) return own;
  if (recorded.some((byte, at) => byte !== own[at])) keepTimers(context, vp, recorded, tNs);
  return recorded.slice(0, BYTES);
}
