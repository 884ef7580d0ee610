import { cellAt, isSettled, keepPageState, pageState } from '../../../hypervisor/index.ts';
import type { Context } from '../../../machine/context.ts';
import type { ObjectId } from '../../../state/store.ts';
import { MSHV_VP } from '../../cells/driver.ts';
import type { VpId } from '../pages.ts';
import { driverVp, guestVp } from '../run/vp.ts';

/**
 * State of a VP that travels in pages of the program; its place in `given` is the type of the ioctl. What the hypervisor's side
 * keeps of it counts; `given` has what lies behind it in the pages, and XSAVE.
 */

const XSAVE = 1;
/** The hypervisor's number of each type, in the order of the ioctl's. */
export const HYPERVISOR_TYPES = [0x8000_0000, 0x8000_0001, 0x8000_0002, 0x8000_0003, 4] as const;
const { given, certain } = MSHV_VP.slots;

/** A type of state of a VP, and when it is asked for or given. */
export interface StateOf {
  readonly vp: VpId;
  readonly type: number;
  readonly tNs: number;
}

/** The legacy area of XSAVE after reset (Intel SDM 1, 10.5.1, 8.1): FCW 0x40, MXCSR 0x1f80. */
function resetXsave(): Uint8Array {
  const area = new Uint8Array(576);
  const view = new DataView(area.buffer);
  view.setUint16(0, 0x40, true);
  view.setUint32(24, 0x1f80, true);
  return area;
}

/** Takes over what the program gives. */
export function keepState(context: Context, { vp, type, tNs }: StateOf, bytes: Uint8Array): void {
  const { store } = context;
  const [own, guest] = [driverVp(context, vp), guestVp(context, vp)];
  store.set(cellAt(own, given.first + type), store.intern(bytes));
  store.set(cellAt(own, certain), store.number(cellAt(own, certain)) | (1 << type));
  const number = HYPERVISOR_TYPES[type];
  if (guest !== undefined && number !== undefined) keepPageState(context, guest, number, bytes, tNs);
}

/** The guest runs: nothing is certain of its state any more. */
export function doubtState({ store }: Context, vp: ObjectId): void {
  if (store.number(cellAt(vp, certain)) !== 0) store.set(cellAt(vp, certain), 0);
}

/** The state as the machine has it, `size` bytes of it. */
function ownState(context: Context, { vp, type, tNs }: StateOf, size: number): Uint8Array {
  const { store } = context;
  const blob = store.number(cellAt(driverVp(context, vp), given.first + type));
  const own = new Uint8Array(size);
  if (blob !== 0) own.set(store.blob(blob).subarray(0, size));
  else if (type === XSAVE) own.set(resetXsave().subarray(0, size));
  const guest = guestVp(context, vp);
  const number = HYPERVISOR_TYPES[type];
  const kept =
    guest === undefined || number === undefined ? undefined : pageState(context, guest, number, tNs);
  if (kept !== undefined) own.set(kept.subarray(0, size));
  return own;
}

/** The state, `size` bytes of it; what the guest and the hypervisor made of it unseen is taken from the record. */
export function currentState(
  context: Context,
  state: StateOf,
  size: number,
  recorded: Uint8Array | undefined,
): Uint8Array {
  const { vp, type } = state;
  const { store } = context;
  const own = ownState(context, state, size);
  const guest = guestVp(context, vp);
  const isKnown = ((store.number(cellAt(driverVp(context, vp), certain)) >> type) & 1) === 1;
  if (isKnown && (type === XSAVE || guest === undefined || isSettled(context, guest))) return own;
  context.bind('vp-state', recorded === undefined ? undefined : 1n, 0n);
  const data = recorded ?? own;
  keepState(context, state, data);
  return data;
}
