import { constant } from '../../../abi/index.ts';
import { cellAt } from '../../../hypervisor/index.ts';
import type { Context } from '../../../machine/context.ts';
import { keyOf, type ObjectId } from '../../../state/store.ts';
import { MSHV_GONE, MSHV_PRESENT, MSHV_REGION, REGION_KINDS, type RegionKind } from '../../cells/driver.ts';
import type { Backed } from './chunks.ts';

const PAGE_SHIFT = constant('HV_HYP_PAGE_SHIFT');

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

/** A run of guest page frames. */
export type Frames = Pick<Region, 'start' | 'pages'>;

/** The frames that two runs have in common. */
export function meet(one: Frames, other: Frames): Frames | undefined {
  const start = one.start > other.start ? one.start : other.start;
  const [a, b] = [one.start + one.pages, other.start + other.pages];
  const pages = (a < b ? a : b) - start;
  return pages > 0n ? { start, pages } : undefined;
}

/** Memory of a process. */
export interface ProcessMemory {
  readonly pid: number;
  readonly address: bigint;
  readonly bytes: bigint;
}

/** The frames of a region that memory of its process stands for, where it is movable. */
export function framesBehind(region: Region, { pid, address, bytes }: ProcessMemory): Frames | undefined {
  if (region.kind !== 'movable' || region.pid !== pid) return undefined;
  const start = region.start + ((address - region.address) >> PAGE_SHIFT);
  return meet(region, { start, pages: bytes >> PAGE_SHIFT });
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

/** The process has no memory behind some pages of a movable region any more. */
export function addGone(context: Context, partition: ObjectId, region: Region, gone: Frames): void {
  const { store } = context;
  const id = store.find(partition, MSHV_REGION, keyOf(region.start));
  if (id === undefined) return;
  const present = presentOf(context, partition, region);
  removePresent(context, partition, region);
  const end = gone.start + gone.pages;
  for (const run of present) {
    const to = run.start + run.pages;
    const before = { ...run, pages: (to < gone.start ? to : gone.start) - run.start };
    const from = run.start > end ? run.start : end;
    for (const left of [before, { ...run, start: from, pages: to - from }])
      if (left.pages > 0n) addPresent(context, partition, region, left);
  }
  const key = keyOf(gone.start);
  const known = store.find(id, MSHV_GONE, key) ?? store.create(id, MSHV_GONE, key);
  const cell = cellAt(known, MSHV_GONE.slots.pages);
  if (store.get(cell) < gone.pages) store.set(cell, gone.pages);
}

/** Whether some of these pages of a region have no memory behind them any more. */
export function someGone({ store }: Context, partition: ObjectId, region: Region, frames: Frames): boolean {
  const id = store.find(partition, MSHV_REGION, keyOf(region.start));
  return (
    id !== undefined &&
    store.children(id, MSHV_GONE).some((gone) => {
      const start = BigInt(store.key(gone));
      const pages = store.get(cellAt(gone, MSHV_GONE.slots.pages));
      return meet({ start, pages }, frames) !== undefined;
    })
  );
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
