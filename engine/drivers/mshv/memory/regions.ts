import { cellAt } from '../../../hypervisor/index.ts';
import type { Context } from '../../../machine/context.ts';
import { keyOf, type ObjectId } from '../../../state/store.ts';
import { MSHV_PRESENT, MSHV_REGION, REGION_KINDS, type RegionKind } from '../../cells/driver.ts';
import type { Backed } from './chunks.ts';

/** Guest memory that a process gave a partition. */
export interface Region {
  /** First guest page frame. */
  readonly start: bigint;
  readonly pages: bigint;
  readonly address: bigint;
  /** `none`: it is not known yet. */
  readonly kind: RegionKind;
  /** Its pages are of 2 MiB. */
  readonly large: boolean;
  /** HV_MAP_GPA_… flags of its pages once they are there. */
  readonly flags: number;
  /** The process whose memory it is; 0: not known. */
  readonly pid: number;
}

function regionAt({ store }: Context, id: ObjectId): Region {
  const { pages, address, kind, large, flags, pid } = MSHV_REGION.slots;
  return {
    start: BigInt(store.key(id)),
    pages: store.get(cellAt(id, pages)),
    address: store.get(cellAt(id, address)),
    kind: REGION_KINDS[store.low(cellAt(id, kind))] ?? 'none',
    large: store.low(cellAt(id, large)) === 1,
    flags: store.low(cellAt(id, flags)),
    pid: store.number(cellAt(id, pid)),
  };
}

/** Regions of a partition, the one that was given last first, as the driver's list has them. */
export function regionsOf(context: Context, partition: ObjectId): Region[] {
  return context.store
    .children(partition, MSHV_REGION)
    .map((id) => regionAt(context, id))
    .reverse();
}

export function regionOfFrame(context: Context, partition: ObjectId, frame: bigint): Region | undefined {
  return regionsOf(context, partition).find(({ start, pages }) => start <= frame && frame < start + pages);
}

export function overlaps(context: Context, partition: ObjectId, start: bigint, pages: bigint): boolean {
  return regionsOf(context, partition).some(
    (region) => region.start < start + pages && start < region.start + region.pages,
  );
}

export function addRegion(context: Context, partition: ObjectId, region: Region): void {
  const { store } = context;
  const id = store.create(partition, MSHV_REGION, keyOf(region.start));
  store.set(cellAt(id, MSHV_REGION.slots.pages), region.pages);
  store.set(cellAt(id, MSHV_REGION.slots.address), region.address);
  store.set(cellAt(id, MSHV_REGION.slots.kind), REGION_KINDS.indexOf(region.kind));
  if (region.large) store.set(cellAt(id, MSHV_REGION.slots.large), 1);
  store.set(cellAt(id, MSHV_REGION.slots.flags), region.flags);
  if (region.pid !== 0) store.set(cellAt(id, MSHV_REGION.slots.pid), region.pid);
}

/** What kind of region it has turned out to be. */
export function setRegionKind(
  { store }: Context,
  partition: ObjectId,
  region: Region,
  kind: RegionKind,
): void {
  const id = store.find(partition, MSHV_REGION, keyOf(region.start));
  if (id !== undefined) store.set(cellAt(id, MSHV_REGION.slots.kind), REGION_KINDS.indexOf(kind));
}

/** What size its pages have turned out to have. */
export function setRegionLarge(
  { store }: Context,
  partition: ObjectId,
  region: Region,
  large: boolean,
): void {
  const id = store.find(partition, MSHV_REGION, keyOf(region.start));
  if (id !== undefined) store.set(cellAt(id, MSHV_REGION.slots.large), large ? 1 : 0);
}

/** Pages of a region that are there, in the order of their frames: of a pinned one all, of a device's none. */
export function presentOf({ store }: Context, partition: ObjectId, region: Region): Backed[] {
  if (region.kind === 'pinned') return [{ start: region.start, pages: region.pages, large: region.large }];
  const id = store.find(partition, MSHV_REGION, keyOf(region.start));
  if (id === undefined) return [];
  const { pages, large } = MSHV_PRESENT.slots;
  return store
    .children(id, MSHV_PRESENT)
    .map((run) => ({
      start: BigInt(store.key(run)),
      pages: store.get(cellAt(run, pages)),
      large: store.low(cellAt(run, large)) === 1,
    }))
    .sort((a, b) => (a.start < b.start ? -1 : 1));
}

/** Pages of a movable region have come. */
export function addPresent({ store }: Context, partition: ObjectId, region: Region, backed: Backed): void {
  const id = store.find(partition, MSHV_REGION, keyOf(region.start));
  if (id === undefined) return;
  const key = keyOf(backed.start);
  const run = store.find(id, MSHV_PRESENT, key) ?? store.create(id, MSHV_PRESENT, key);
  store.set(cellAt(run, MSHV_PRESENT.slots.pages), backed.pages);
  store.set(cellAt(run, MSHV_PRESENT.slots.large), backed.large ? 1 : 0);
}

/** Its pages have gone. */
export function removePresent({ store }: Context, partition: ObjectId, region: Region): void {
  const id = store.find(partition, MSHV_REGION, keyOf(region.start));
  for (const run of id === undefined ? [] : store.children(id, MSHV_PRESENT)) store.destroy(run);
}

export function removeRegion({ store }: Context, partition: ObjectId, region: Region): void {
  const id = store.find(partition, MSHV_REGION, keyOf(region.start));
  if (id !== undefined) store.destroy(id);
}
