import { constantNumber } from '../../../abi/index.ts';
import type { DriverRun } from '../../../machine/child.ts';
import type { Context } from '../../../machine/context.ts';
import type { ObjectId } from '../../../state/store.ts';
import type { RegionKind } from '../../cells/driver.ts';
import type { Actor } from '../../kernel/access.ts';
import { agrees, type Chunk, chunksOf } from './chunks.ts';
import { flagsWhenGiven, kindOf } from './kind.ts';
import { type Learning, mapFrames, unmapFrames } from './map.ts';
import {
  addGone,
  framesBehind,
  meet,
  type ProcessMemory,
  presentOf,
  type Region,
  regionOfFrame,
  regionsOf,
  removePresent,
  removeRegion,
  setRegionKind,
  setRegionLarge,
} from './regions.ts';

const NO_ACCESS = constantNumber('HV_MAP_GPA_NO_ACCESS');

/** Whose region it is. */
interface Owner {
  readonly context: Context;
  readonly actor: Actor;
  readonly partition: bigint;
  /** The partition as the driver keeps it. */
  readonly id: ObjectId;
}

/** Linux 6.16 knows the size of a region's pages as a whole, by its first page. */
function isOld({ profile }: Context): boolean {
  return profile.kernel === 'upstream-6.16';
}

function framesOf(partition: bigint, { start, pages }: Pick<Chunk, 'start' | 'pages'>) {
  return { partition, start, pages: Number(pages) };
}

/** The first frames of a range, as they go into calls by the size of their pages. */
function firstOf(context: Context, range: Chunk): Chunk {
  if (isOld(context)) return range;
  return chunksOf([range], range.start + range.pages)[0] ?? range;
}

function sizeIsOpen({ profile }: Context, { address, start }: Region): boolean {
  return !profile.backing.has(address) && agrees(address, start);
}

/** The region as it is by now. */
function current({ context, id }: Owner, region: Region): Region {
  return regionOfFrame(context, id, region.start) ?? region;
}

/** What the first call for a range shows of the size of its pages, where nobody has said it. */
function learning(
  owner: Owner,
  region: Region,
  range: Chunk,
  own: Chunk,
  settle: () => RegionKind,
): Learning {
  const { context, id } = owner;
  const lead = firstOf(context, { ...range, large: true });
  const small = firstOf(context, { ...range, large: false });
  const others = [lead, small].filter(({ large, pages }) => large !== own.large || pages !== own.pages);
  const other = sizeIsOpen(context, region) ? others[0] : undefined;
  return {
    ...(other === undefined ? {} : { other: { pages: Number(other.pages), large: other.large } }),
    settled(reps) {
      const kind = settle();
      if (kind !== 'pinned' && region.kind === 'none') {
        return { flags: flagsWhenGiven({ ...region, kind }), pages: Number(range.pages) };
      }
      // As many small pages as come before the first of 2 MiB.
      const leads = other !== undefined && other === lead && !lead.large && reps === Number(lead.pages);
      if (leads) setRegionLarge(context, id, region, true);
      const { large } = current(owner, region);
      const chunk = firstOf(context, { ...range, large });
      return { flags: region.flags, large: chunk.large, pages: Number(chunk.pages) };
    },
  };
}

/** Maps pages that are there, one chunk after another; the first call for each may show what size its pages have. */
export function* mapBacked(owner: Owner, region: Region, from: bigint, pages: bigint): DriverRun<number> {
  const { context, actor, partition } = owner;
  const end = from + pages;
  for (let start = from; start < end; ) {
    const left = { start, pages: end - start, large: current(owner, region).large };
    const chunk = firstOf(context, left);
    const learn = learning(owner, region, left, chunk, () => 'pinned');
    const mapping = { flags: region.flags, large: chunk.large };
    const ret = yield* mapFrames(
      context,
      actor,
      framesOf(partition, chunk),
      learn.other === undefined ? mapping : { ...mapping, learn },
    );
    if (ret !== 0) return ret;
    start += firstOf(context, { ...left, large: current(owner, region).large }).pages;
  }
  return 0;
}

/** The first call for a region of which nobody knows what is behind it shows that; how far it has come then. */
function* mapUnknown(owner: Owner, region: Region, own: RegionKind): DriverRun<number> {
  const { context, actor, partition, id } = owner;
  const whole = { start: region.start, pages: region.pages, large: false };
  const chunk = own === 'pinned' ? firstOf(context, whole) : whole;
  const settle = () => {
    const { kind } = current(owner, region);
    // A first call that shows nothing of the kind leaves it as the profile has it.
    if (kind === 'none') setRegionKind(context, id, region, own);
    return kind === 'none' ? own : kind;
  };
  const learn = learning(owner, region, whole, chunk, settle);
  const flags = flagsWhenGiven({ ...region, kind: own });
  return yield* mapFrames(context, actor, framesOf(partition, chunk), { flags, learn });
}

/** Maps a region as its kind wants it: without access, with its pages, or as a device's memory. */
export function* mapRegion(owner: Owner, region: Region): DriverRun<number> {
  const { context, actor, partition, id } = owner;
  const isOpen = region.kind === 'none';
  let ret = 0;
  let { start } = region;
  if (isOpen) {
    ret = yield* mapUnknown(owner, region, kindOf(context, region.address));
    const { kind, large } = current(owner, region);
    const done = firstOf(context, { start, pages: region.pages, large }).pages;
    start += kind === 'pinned' ? done : region.pages;
  }
  const now = current(owner, region);
  if (now.kind === 'pinned') {
    if (ret === 0) ret = yield* mapBacked(owner, now, start, region.start + region.pages - start);
  } else if (!isOpen) {
    ret = yield* mapFrames(context, actor, framesOf(partition, region), { flags: flagsWhenGiven(now) });
  }
  // The driver looks at the failure of a pinned region in partitions with isolation alone.
  if (ret !== 0 && now.kind === 'pinned' && context.profile.quirks['pinned-failure-swallowed']) return 0;
  if (ret !== 0) removeRegion(context, id, region);
  return ret;
}

/** Unmaps what is there of a region; Linux 6.16 all of it, whatever is behind it (mshv_region_unmap). */
export function* unmapRegion({ context, actor, partition, id }: Owner, region: Region): DriverRun<void> {
  if (isOld(context)) {
    yield* unmapFrames(context, actor, framesOf(partition, region), region.large);
    return;
  }
  for (const chunk of chunksOf(presentOf(context, id, region), region.start + region.pages))
    yield* unmapFrames(context, actor, framesOf(partition, chunk), chunk.large);
}

/**
 * The memory of a process goes: what is there of its movable regions is mapped without access, in the order of their addresses
 * (mshv_region_interval_invalidate). Regions whose process is not known stay as they are.
 */
export function* invalidate(owner: Owner, pid: number): DriverRun<void> {
  const { context, actor, partition, id } = owner;
  const regions = regionsOf(context, id)
    .filter((region) => region.kind === 'movable' && region.pid === pid)
    .sort((a, b) => (a.address < b.address ? -1 : 1));
  for (const region of regions) {
    for (const chunk of chunksOf(presentOf(context, id, region), region.start + region.pages)) {
      const { large } = chunk;
      yield* mapFrames(context, actor, framesOf(partition, chunk), { flags: NO_ACCESS, large });
    }
    removePresent(context, id, region);
  }
}

/**
 * A process gives up a part of its memory: of its movable regions what is there of it is mapped without access, and cannot be faulted in
 * any more (mshv_region_interval_invalidate; hmm_range_fault fails where nothing is mapped).
 */
export function* giveUp(owner: Owner, memory: ProcessMemory): DriverRun<void> {
  const { context, actor, partition, id } = owner;
  for (const region of regionsOf(context, id).sort((a, b) => (a.address < b.address ? -1 : 1))) {
    const gone = framesBehind(region, memory);
    if (gone === undefined) continue;
    const there = presentOf(context, id, region).flatMap((run) => {
      const part = meet(run, gone);
      return part === undefined ? [] : [{ ...run, ...part }];
    });
    for (const chunk of chunksOf(there, gone.start + gone.pages)) {
      const { large } = chunk;
      yield* mapFrames(context, actor, framesOf(partition, chunk), { flags: NO_ACCESS, large });
    }
    addGone(context, id, region, gone);
  }
}
