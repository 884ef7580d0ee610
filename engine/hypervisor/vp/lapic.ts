import { fieldOf, readU32, sizeOfStruct, writeField } from '../../abi/index.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import { cellAt } from '../cells/place.ts';
import { VP } from '../cells/vp.ts';

export const LAPIC_BYTES = sizeOfStruct('hv_local_interrupt_controller_state');
const { content, certain } = VP.slots.lapic;
/** Where the state has the words of vectors that are in service, level-triggered and requested. */
const VECTORS = (['isr', 'tmr', 'irr'] as const).map((name) => ({
  cells: VP.slots.interrupt[name],
  field: fieldOf('hv_local_interrupt_controller_state', `apic_${name}`),
}));

/** hv_local_interrupt_controller_state after reset (Intel SDM 3, 12.4.7): id, version, DFR, SVR, masked LVTs. */
export function resetLapic(index: number): Uint8Array {
  const state = new Uint8Array(LAPIC_BYTES);
  const view = new DataView(state.buffer);
  view.setUint32(0, index, true);
  view.setUint32(4, 0x0005_0014, true);
  view.setUint32(12, 0xffff_ffff, true);
  view.setUint32(16, 0xff, true);
  for (let at = 128; at <= 148; at += 4) view.setUint32(at, 0x1_0000, true);
  return state;
}

/** Takes over a state that a call carries. */
export function keepLapic({ store }: Context, vp: ObjectId, state: Uint8Array): void {
  store.set(cellAt(vp, content), store.intern(state.slice(0, LAPIC_BYTES)));
  for (const { cells, field } of VECTORS) {
    for (let i = 0; i < cells.count; i++) {
      const cell = cellAt(vp, cells.first + i);
      const word = readU32(state, field, i);
      if (store.low(cell) !== word) store.set(cell, word);
    }
  }
  if (store.low(cellAt(vp, certain)) === 0) store.set(cellAt(vp, certain), 1);
}

/** The state with the vectors as they stand now. */
function current({ store }: Context, vp: ObjectId): Uint8Array {
  const blob = store.number(cellAt(vp, content));
  const state = blob === 0 ? resetLapic(Number(store.key(vp))) : store.blob(blob).slice();
  for (const { cells, field } of VECTORS) {
    for (let i = 0; i < cells.count; i++) writeField(state, field, store.low(cellAt(vp, cells.first + i)), i);
  }
  return state;
}

/** The state; what the guest made of it since it runs is taken from the record. */
export function lapicOf(context: Context, vp: ObjectId, recorded: Uint8Array | undefined): Uint8Array {
  const { store } = context;
  const own = current(context, vp);
  if (store.low(cellAt(vp, certain)) === 1) return own;
  context.bind('vp-state', recorded === undefined ? undefined : 1n, 0n);
  const state = recorded?.slice(0, LAPIC_BYTES) ?? own;
  keepLapic(context, vp, state);
  return state;
}

/** The guest runs: nothing is certain any more. */
export function doubtLapic({ store }: Context, vp: ObjectId): void {
  if (store.low(cellAt(vp, certain)) === 1) store.set(cellAt(vp, certain), 0);
}
