import { fieldOf, readU32, readU64 } from '../../abi/index.ts';
import type { DriverRun, Outcome } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { IoctlEvent } from '../../trace/event.ts';
import type { Actor } from '../kernel/access.ts';
import { failure } from '../kernel/errno.ts';
import type { IoctlRow } from '../mshv/ioctl-row.ts';
import { mapFrames, unmapFrames } from '../mshv/memory/map.ts';
import { addRegion, overlaps, type Region, regionsOf, removeRegion } from '../mshv/memory/regions.ts';
import { partitionOfHandle } from '../mshv/objects.ts';

const RULE = 'Linux.rfc2020.guest-memory';
const ARG = {
  bytes: 32,
  size: fieldOf('rfc2020_mshv_user_mem_region', 'size'),
  frame: fieldOf('rfc2020_mshv_user_mem_region', 'guest_pfn'),
  address: fieldOf('rfc2020_mshv_user_mem_region', 'userspace_addr'),
  flags: fieldOf('rfc2020_mshv_user_mem_region', 'flags'),
};
const PAGE_BYTES = 4096n;
/** Memory slots of a partition. */
const SLOTS = 64;
/** 64 GiB, as for the upstream driver: no machine is assumed to have more. */
const MAX_PAGES = 1n << 24n;

function regionOf(arg: Uint8Array, pid = 0): Region | undefined {
  const [size, address] = [readU64(arg, ARG.size), readU64(arg, ARG.address)];
  if (size === 0n || size % PAGE_BYTES !== 0n || address % PAGE_BYTES !== 0n) return undefined;
  const start = readU64(arg, ARG.frame);
  return {
    start,
    pages: size / PAGE_BYTES,
    address,
    kind: 'pinned',
    large: false,
    flags: readU32(arg, ARG.flags),
    pid,
  };
}

function sharesAddresses(a: Region, b: Region): boolean {
  return a.address < b.address + b.pages * PAGE_BYTES && b.address < a.address + a.pages * PAGE_BYTES;
}

function* map(context: Context, actor: Actor, event: IoctlEvent, arg: Uint8Array): DriverRun<Outcome> {
  const region = regionOf(arg, event.pid);
  if (region === undefined) return { ret: failure('EINVAL'), rule: RULE };
  const { partition, id } = partitionOfHandle(context, event.handle);
  const regions = regionsOf(context, id);
  if (regions.length >= SLOTS) return { ret: failure('ENOSPC'), rule: RULE };
  const taken = overlaps(context, id, region.start, region.pages);
  if (taken || regions.some((other) => sharesAddresses(region, other))) {
    return { ret: failure('EEXIST'), rule: RULE };
  }
  if (region.pages > MAX_PAGES) return { ret: failure('ENOMEM'), rule: RULE };
  addRegion(context, id, region);
  const frames = { partition, start: region.start, pages: Number(region.pages) };
  const ret = yield* mapFrames(context, actor, frames, { flags: region.flags });
  if (ret === 0) return { ret, rule: RULE };
  removeRegion(context, id, region);
  return { ret: failure('EBADFD'), rule: RULE };
}

/** Only what was mapped, as it was mapped. */
function* unmap(context: Context, actor: Actor, event: IoctlEvent, arg: Uint8Array): DriverRun<Outcome> {
  const asked = regionOf(arg);
  const { partition, id } = partitionOfHandle(context, event.handle);
  const region = regionsOf(context, id).find(
    ({ start, pages, address }) =>
      start === asked?.start && pages === asked.pages && address === asked.address,
  );
  if (region === undefined) return { ret: failure('EINVAL'), rule: RULE };
  removeRegion(context, id, region);
  const frames = { partition, start: region.start, pages: Number(region.pages) };
  return { ret: yield* unmapFrames(context, actor, frames), rule: RULE };
}

/** Guest memory of the RFC of 2020: pinned when it is given. */
export const MEMORY_IOCTLS: readonly IoctlRow[] = [
  { fd: 'partition', name: 'MSHV_MAP_GUEST_MEMORY', argBytes: ARG.bytes, enter: map },
  { fd: 'partition', name: 'MSHV_UNMAP_GUEST_MEMORY', argBytes: ARG.bytes, enter: unmap },
];
