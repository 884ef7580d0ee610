import { cellAt, GPA, type Overlay, overlaysOf, PARTITION, VP } from '../../../engine/hypervisor/index.ts';
import type { Machine } from '../../../engine/machine/machine.ts';
import { keyOf, type ObjectId, TOP } from '../../../engine/state/store.ts';
import type { Piece } from '../capture/given.ts';
import type { GuestRegion } from '../vp/memory-map.ts';
import { OVERLAY_PERMISSIONS } from '../vp/overlays.ts';
import { PAGE_BYTES, permissionsOf } from '../vp/processor-memory.ts';

/** A range of guest pages; pages of the hypervisor may have places that are no addresses. */
export type Region<Place = number> = Omit<GuestRegion, 'address'> & { readonly address: number | Place };

/**
 * What a partition's guest sees: pages of the hypervisor, then those of the program's pieces that the engine has mapped. The first region of
 * a page counts. `place` says where a page of the hypervisor is, and is asked for each that is there, seen or not.
 */
export function guestRegions<Place>(
  machine: Machine,
  partition: bigint,
  pieces: readonly Piece[],
  place: (vp: number, name: Overlay) => Place,
): Region<Place>[] {
  const id = machine.store.find(TOP, PARTITION, keyOf(partition));
  if (id === undefined) return [];
  return [...overlayRegions(machine, id, place), ...mappedRegions(machine, id, pieces)];
}

/** Pages of the hypervisor hide what the guest has at their place, which is seen again when they go; the first one of a page counts. */
function overlayRegions<Place>(
  machine: Machine,
  partition: ObjectId,
  place: (vp: number, name: Overlay) => Place,
): Iterable<Region<Place>> {
  const regions = new Map<number, Region<Place>>();
  for (const id of machine.store.children(partition, VP)) {
    const vp = Number(machine.store.key(id));
    for (const { name, frame } of overlaysOf(machine, id)) {
      const address = place(vp, name);
      const page = Number(frame);
      if (!regions.has(page))
        regions.set(page, { page, pages: 1, address, permissions: OVERLAY_PERMISSIONS[name] });
    }
  }
  return regions.values();
}

function* mappedRegions(
  { store }: Machine,
  partition: ObjectId,
  pieces: readonly Piece[],
): Iterable<GuestRegion> {
  for (const id of store.children(partition, GPA)) {
    const start = Number(store.key(id));
    const end = start + store.number(cellAt(id, GPA.slots.pages));
    const permissions = permissionsOf(store.low(cellAt(id, GPA.slots.flags)));
    for (const piece of pieces) {
      const page = Math.max(start, piece.page);
      const pages = Math.min(end, piece.page + piece.pages) - page;
      if (pages <= 0) continue;
      yield { page, pages, address: piece.address + (page - piece.page) * PAGE_BYTES, permissions };
    }
  }
}

/** The region that a page of the guest is in. */
export function regionAt<Place>(
  regions: readonly Region<Place>[],
  gpaPage: number,
): Region<Place> | undefined {
  return regions.find(({ page, pages }) => gpaPage >= page && gpaPage < page + pages);
}
