import { constantNumber, fieldOf, readU32, readU64 } from '../../../abi/index.ts';
import { UNMODELLED } from '../../../hypervisor/index.ts';
import type { DriverRun, Outcome } from '../../../machine/child.ts';
import type { Context } from '../../../machine/context.ts';
import type { ObjectId } from '../../../state/store.ts';
import type { IoctlEvent } from '../../../trace/event.ts';
import type { Actor } from '../../kernel/access.ts';
import { failure } from '../../kernel/errno.ts';
import type { IoctlRow } from '../ioctl-row.ts';
import { partitionOfHandle } from '../objects.ts';
import { flagsWhenGiven, kindOf } from './kind.ts';
import { LARGE_PAGES, mapFrames, unmapFrames } from './map.ts';
import { addRegion, overlaps, type Region, regionOfFrame, removeRegion, setRegionKind } from './regions.ts';

const RULE = 'Linux.mshv.set-guest-memory';
const ARG_BYTES = 32;
const ARG = {
  size: fieldOf('mshv_user_mem_region', 'size'),
  frame: fieldOf('mshv_user_mem_region', 'guest_pfn'),
  address: fieldOf('mshv_user_mem_region', 'userspace_addr'),
  flags: fieldOf('mshv_user_mem_region', 'flags'),
  reserved: fieldOf('mshv_user_mem_region', 'rsvd'),
};
const WRITABLE = constantNumber('MSHV_SET_MEM_BIT_WRITABLE');
const EXECUTABLE = constantNumber('MSHV_SET_MEM_BIT_EXECUTABLE');
const UNMAP = constantNumber('MSHV_SET_MEM_BIT_UNMAP');
const KNOWN_FLAGS = constantNumber('MSHV_SET_MEM_BIT_COUNT') - 1;
const PAGE_BYTES = 4096n;
const LARGE_BYTES = PAGE_BYTES * BigInt(LARGE_PAGES);
/** 64 GiB: the driver allocates 8 bytes a page for a region, and no machine is assumed to have more than that. */
const MAX_REGION_PAGES = 1n << 24n;

const READABLE = constantNumber('HV_MAP_GPA_READABLE');
const ADJUSTABLE = constantNumber('HV_MAP_GPA_ADJUSTABLE');
const MAP_WRITABLE = constantNumber('HV_MAP_GPA_WRITABLE');
const MAP_EXECUTABLE = constantNumber('HV_MAP_GPA_EXECUTABLE');

function regionFlags(flags: number): number {
  const writable = (flags & WRITABLE) === 0 ? 0 : MAP_WRITABLE;
  const executable = (flags & EXECUTABLE) === 0 ? 0 : MAP_EXECUTABLE;
  return READABLE | ADJUSTABLE | writable | executable;
}

function isBad(arg: Uint8Array): boolean {
  const size = readU64(arg, ARG.size);
  const reserved = arg.subarray(ARG.reserved.offset, ARG.reserved.offset + ARG.reserved.length);
  return (
    size === 0n ||
    size % PAGE_BYTES !== 0n ||
    readU64(arg, ARG.address) % PAGE_BYTES !== 0n ||
    (readU32(arg, ARG.flags) & ~KNOWN_FLAGS) !== 0 ||
    reserved.some((byte) => byte !== 0)
  );
}

function* enter(context: Context, actor: Actor, event: IoctlEvent, arg: Uint8Array): DriverRun<Outcome> {
  if (isBad(arg)) return { ret: failure('EINVAL'), rule: RULE };
  const { partition, id } = partitionOfHandle(context, event.handle);
  const address = readU64(arg, ARG.address);
  const backing = context.profile.backing.get(address);
  const region: Region = {
    start: readU64(arg, ARG.frame),
    pages: readU64(arg, ARG.size) / PAGE_BYTES,
    address,
    kind: backing === undefined ? 'none' : kindOf(context, address),
    large: backing === 'large-pages' && address % LARGE_BYTES === 0n,
    flags: regionFlags(readU32(arg, ARG.flags)),
  };
  if ((readU32(arg, ARG.flags) & UNMAP) !== 0) return yield* unmap(context, actor, partition, id, region);
  // Whether the process has memory there is not in the trace: a refusal that was recorded stands.
  if (event.ret === failure('EINVAL') || event.ret === failure('ENOMEM')) {
    return { ret: event.ret as number, rule: UNMODELLED };
  }
  if (overlaps(context, id, region.start, region.pages)) return { ret: failure('EEXIST'), rule: RULE };
  if (region.pages > MAX_REGION_PAGES) return { ret: failure('ENOMEM'), rule: RULE };
  addRegion(context, id, region);
  return { ret: yield* mapRegion(context, actor, partition, id, region), rule: RULE };
}

/**
 * Maps a region as its kind wants it: without access, with its pages, or as a device's memory. Where the profile does
 * not say what is behind it, the first call that a record has does.
 */
function* mapRegion(
  context: Context,
  actor: Actor,
  partition: bigint,
  id: ObjectId,
  region: Region,
): DriverRun<number> {
  const frames = { partition, start: region.start, pages: Number(region.pages) };
  const settled = { ...region, kind: region.kind === 'none' ? kindOf(context, region.address) : region.kind };
  const turnsOut = () => {
    const now = regionOfFrame(context, id, region.start) ?? settled;
    return flagsWhenGiven(now.kind === 'none' ? settled : now);
  };
  const large = region.large && settled.kind === 'pinned';
  const ret = yield* mapFrames(context, actor, frames, {
    flags: flagsWhenGiven(settled),
    large,
    ...(region.kind === 'none' ? { turnsOut } : {}),
  });
  // A first call that shows nothing of the kind leaves it as the profile has it.
  if (regionOfFrame(context, id, region.start)?.kind === 'none')
    setRegionKind(context, id, region, settled.kind);
  const isPinned = regionOfFrame(context, id, region.start)?.kind === 'pinned';
  // The driver looks at the failure of a pinned region in partitions with isolation alone.
  if (ret !== 0 && isPinned && context.profile.quirks['pinned-failure-swallowed']) return 0;
  if (ret !== 0) removeRegion(context, id, region);
  return ret;
}

function* unmap(
  context: Context,
  actor: Actor,
  partition: bigint,
  id: ObjectId,
  asked: Region,
): DriverRun<Outcome> {
  const region = regionOfFrame(context, id, asked.start);
  if (region === undefined) return { ret: failure('ENOENT'), rule: RULE };
  const { start, pages, address } = asked;
  if (region.start !== start || region.pages !== pages || region.address !== address) {
    return { ret: failure('EINVAL'), rule: RULE };
  }
  removeRegion(context, id, region);
  yield* unmapRegion(context, actor, partition, region);
  return { ret: 0, rule: RULE };
}

/** Unmaps a region: large pages by their own count where they are known to be there, which is where they are pinned. */
export function* unmapRegion(
  context: Context,
  actor: Actor,
  partition: bigint,
  { start, pages, kind, large }: Region,
): DriverRun<number> {
  const frames = { partition, start, pages: Number(pages) };
  return yield* unmapFrames(context, actor, frames, large && kind === 'pinned');
}

/**
 * MSHV_SET_GUEST_MEMORY (Linux 7.2 drivers/hv/mshv_root_main.c, mshv_map_user_memory and mshv_unmap_user_memory).
 * What kind of memory the process has there the trace does not show (profile `backing`).
 */
export const SET_GUEST_MEMORY_IOCTL: IoctlRow = {
  fd: 'partition',
  name: 'MSHV_SET_GUEST_MEMORY',
  argBytes: ARG_BYTES,
  enter,
};
