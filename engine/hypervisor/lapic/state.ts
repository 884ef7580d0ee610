import { fieldOf, readU32, sizeOfStruct, writeField } from '../../abi/index.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import { cellAt } from '../cells/place.ts';
import { VP } from '../cells/vp.ts';
import { LVT_MASKED } from './lvt.ts';
import { currentCount, startTimer } from './timer.ts';

export const LAPIC_BYTES = sizeOfStruct('hv_local_interrupt_controller_state');
const { lapic, interrupt } = VP.slots;
const { content, certain } = lapic;
const field = (name: string) => fieldOf('hv_local_interrupt_controller_state', `apic_${name}`);
/** Where the state has the words of vectors that are in service, level-triggered and requested. */
const VECTORS = (['isr', 'tmr', 'irr'] as const).map((name) => ({
  cells: interrupt[name],
  field: field(name),
}));
const LVT_NAMES = ['timer', 'thermal', 'perfmon', 'lint0', 'lint1', 'error', 'cmci'];
const DFR_RESET = 0xffff_ffff;
const SVR_RESET = 0xff;
/** Registers of one word, with their value at reset (Intel SDM 3, 12.4.7). */
const WORDS: readonly (readonly [slot: number, field: ReturnType<typeof field>, reset: number])[] = [
  [lapic.ldr, field('ldr'), 0],
  [lapic.dfr, field('dfr'), DFR_RESET],
  [lapic.svr, field('spurious'), SVR_RESET],
  [lapic.esr, field('esr'), 0],
  [lapic.icrHigh, field('icr_high'), 0],
  [lapic.icrLow, field('icr_low'), 0],
  ...LVT_NAMES.map((name, i) => [lapic.lvt.first + i, field(`lvt_${name}`), LVT_MASKED] as const),
  [lapic.initialCount, field('initial_count'), 0],
  [lapic.divide, field('divide_configuration'), 0],
];
const ID = field('id');
const VERSION = field('version');
const COUNTER = field('counter_value');
/** Version 0x14 with six entries in its vector table: what KVM and Hyper-V show (Linux 7.2 arch/x86/kvm/lapic.h). */
export const LAPIC_VERSION = 0x0005_0014;

function put({ store }: Context, vp: ObjectId, slot: number, value: number): void {
  if (store.low(cellAt(vp, slot)) >>> 0 !== value >>> 0) store.set(cellAt(vp, slot), value >>> 0);
}

/** The state of a LAPIC after reset. */
function lapicAtReset(index: number): Uint8Array {
  const state = new Uint8Array(LAPIC_BYTES);
  writeField(state, ID, index);
  writeField(state, VERSION, LAPIC_VERSION);
  for (const [, at, reset] of WORDS) writeField(state, at, reset);
  return state;
}

/** INIT: all but the id is as after a reset (Intel SDM 3, 12.4.7.3). */
export function resetLapic(context: Context, vp: ObjectId): void {
  for (const [slot, , reset] of WORDS) put(context, vp, slot, reset);
  for (const { cells } of VECTORS) for (let i = 0; i < cells.count; i++) put(context, vp, cells.first + i, 0);
  for (const slot of [lapic.errors, lapic.due, interrupt.nmi]) put(context, vp, slot, 0);
}

/** Takes over a state that a call carries. */
export function keepLapic(context: Context, vp: ObjectId, state: Uint8Array, tNs: number): void {
  const { store } = context;
  store.set(cellAt(vp, content), store.intern(state.slice(0, LAPIC_BYTES)));
  for (const { cells, field } of VECTORS)
    for (let i = 0; i < cells.count; i++) put(context, vp, cells.first + i, readU32(state, field, i));
  for (const [slot, at] of WORDS) put(context, vp, slot, readU32(state, at));
  put(context, vp, lapic.id, readU32(state, ID));
  const left = readU32(state, COUNTER);
  if (left !== currentCount(context, vp, tNs)) startTimer(context, vp, left, tNs);
  if (store.low(cellAt(vp, certain)) === 0) store.set(cellAt(vp, certain), 1);
}

/** The state with the registers as they stand now. */
export function currentLapic(context: Context, vp: ObjectId, tNs: number): Uint8Array {
  const { store } = context;
  const blob = store.number(cellAt(vp, content));
  const state = blob === 0 ? lapicAtReset(0) : store.blob(blob).slice();
  for (const { cells, field } of VECTORS)
    for (let i = 0; i < cells.count; i++) writeField(state, field, store.low(cellAt(vp, cells.first + i)), i);
  for (const [slot, at] of WORDS) writeField(state, at, store.low(cellAt(vp, slot)) >>> 0);
  writeField(state, ID, store.low(cellAt(vp, lapic.id)) >>> 0);
  if (store.number(cellAt(vp, lapic.due)) !== 0) writeField(state, COUNTER, currentCount(context, vp, tNs));
  return state;
}

/** The state; what the guest made of it since it runs is taken from the record. */
export function lapicOf(
  context: Context,
  vp: ObjectId,
  recorded: Uint8Array | undefined,
  tNs: number,
): Uint8Array {
  const { store } = context;
  const own = currentLapic(context, vp, tNs);
  if (store.low(cellAt(vp, certain)) === 1) return own;
  context.bind('vp-state', recorded === undefined ? undefined : 1n, 0n);
  const state = recorded?.slice(0, LAPIC_BYTES) ?? own;
  keepLapic(context, vp, state, tNs);
  return state;
}

/** The guest runs: nothing is certain any more. */
export function doubtLapic({ store }: Context, vp: ObjectId): void {
  if (store.low(cellAt(vp, certain)) === 1) store.set(cellAt(vp, certain), 0);
}
