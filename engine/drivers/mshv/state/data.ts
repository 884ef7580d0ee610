import { cellAt, lapicAtReset } from '../../../hypervisor/index.ts';
import type { Context } from '../../../machine/context.ts';
import type { ObjectId } from '../../../state/store.ts';
import { MSHV_VP } from '../../cells/driver.ts';

/** State of a VP that travels in pages of the program; its place in `given` is the type of the ioctl. */

const LAPIC = 0;
const XSAVE = 1;
const { given, certain } = MSHV_VP.slots;

/** The legacy area of XSAVE after reset (Intel SDM 1, 10.5.1, 8.1): FCW 0x40, MXCSR 0x1f80. */
function resetXsave(): Uint8Array {
  const area = new Uint8Array(576);
  const view = new DataView(area.buffer);
  view.setUint16(0, 0x40, true);
  view.setUint32(24, 0x1f80, true);
  return area;
}

function atReset(type: number, index: number): Uint8Array {
  if (type === LAPIC) return lapicAtReset(index);
  return type === XSAVE ? resetXsave() : new Uint8Array(0);
}

/** Takes over what the program gives. */
export function keepState({ store }: Context, vp: ObjectId, type: number, bytes: Uint8Array): void {
  store.set(cellAt(vp, given.first + type), store.intern(bytes));
  store.set(cellAt(vp, certain), store.number(cellAt(vp, certain)) | (1 << type));
}

/** The guest runs: nothing is certain of its state any more. */
export function doubtState({ store }: Context, vp: ObjectId): void {
  if (store.number(cellAt(vp, certain)) !== 0) store.set(cellAt(vp, certain), 0);
}

/** The state, `size` bytes of it; what the guest and the hypervisor made of it is taken from the record. */
export function currentState(
  context: Context,
  vp: ObjectId,
  type: number,
  size: number,
  recorded: Uint8Array | undefined,
): Uint8Array {
  const { store } = context;
  const blob = store.number(cellAt(vp, given.first + type));
  const known = blob === 0 ? atReset(type, Number(store.key(vp))) : store.blob(blob);
  const own = new Uint8Array(size);
  own.set(known.subarray(0, size));
  if (((store.number(cellAt(vp, certain)) >> type) & 1) === 1) return own;
  context.bind('vp-state', recorded === undefined ? undefined : 1n, 0n);
  const data = recorded ?? own;
  keepState(context, vp, type, data);
  return data;
}
