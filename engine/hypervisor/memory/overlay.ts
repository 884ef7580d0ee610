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

/** A page that lies over a frame of the guest. */
export interface PlacedOverlay {
  readonly name: Overlay;
  readonly frame: bigint;
}

/** The pages that lie over the memory of a VP, the one that is seen before those that it hides. */
export function overlaysOf({ store }: Context, vp: ObjectId): PlacedOverlay[] {
  return OVERLAYS.flatMap(([name, slot]) => {
    const cell = cellAt(vp, slot);
    return (store.low(cell) & ENABLE) === 0 ? [] : [{ name, frame: store.get(cell) >> PAGE_SHIFT }];
  });
}

/** What hides a frame of the guest from a VP; what lies below is seen again when the register is disabled. */
export function overlayAt(context: Context, vp: ObjectId, frame: bigint): Overlay | undefined {
  return overlaysOf(context, vp).find((overlay) => overlay.frame === frame)?.name;
}
