import { constant } from '../../abi/index.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import { cellAt } from '../cells/place.ts';
import { VP } from '../cells/vp.ts';

const { reg, synic } = VP.slots;
const ENABLE = 1;
const PAGE_SHIFT = constant('HV_HYP_PAGE_SHIFT');

/** Registers of a VP that place a page over its memory, by address: where two lie over one frame the first is seen. */
const OVERLAYS = [
  ['HYPERCALL', reg.hypercall],
  ['REFERENCE_TSC', reg.referenceTsc],
  ['VP_ASSIST_PAGE', reg.vpAssist],
  ['SIEFP', synic.siefp],
  ['SIMP', synic.simp],
] as const;

/** The name of the MSR by which a page of the hypervisor's hides a frame of the guest (TLFS, overlay pages). */
export type Overlay = (typeof OVERLAYS)[number][0];

/** What hides a frame of the guest from a VP; what lies below is seen again when the register is disabled. */
export function overlayAt({ store }: Context, vp: ObjectId, frame: bigint): Overlay | undefined {
  for (const [name, slot] of OVERLAYS) {
    const cell = cellAt(vp, slot);
    if ((store.low(cell) & ENABLE) !== 0 && store.get(cell) >> PAGE_SHIFT === frame) return name;
  }
  return undefined;
}
