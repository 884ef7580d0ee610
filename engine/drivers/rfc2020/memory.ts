import { fieldOf, readU32, readU64, statuses } from '../../abi/index.ts';
import type { DriverRun, HypercallAnswer, Outcome } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { IoctlEvent } from '../../trace/event.ts';
import type { Actor } from '../kernel/access.ts';
import { errnoOf, failure } from '../kernel/errno.ts';
import { isUserRange } from '../kernel/user-memory.ts';
import { deposit } from '../mshv/deposit.ts';
import type { IoctlRow } from '../mshv/ioctl-row.ts';
import { DEPOSIT_PAGES, type GuestFrames, MAX_DEPOSITS, mapOnce, unmapOnce } from '../mshv/memory/map.ts';
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
/** Pages of one call, to map or to unmap: HV_MAP_GPA_BATCH_SIZE divides a page by the 24 bytes of the header and by 8. */
const BATCH = Math.floor(Math.floor(4096 / 24) / 8);
const INSUFFICIENT_MEMORY = statuses.number('INSUFFICIENT_MEMORY');

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

/** The errno of a batch that failed; where a part of it was done, that something is wrong is all that is said. */
function failedBatch({ result }: HypercallAnswer, ret: number): number {
  return result.reps > 0 ? failure('EBADFD') : ret;
}

/** Maps a region; what was mapped before a failure stays so (hv_call_map_gpa_pages). */
function* mapAll(context: Context, actor: Actor, frames: GuestFrames, flags: number): DriverRun<number> {
  let deposits = 0;
  for (let done = 0; done < frames.pages; ) {
    const count = Math.min(frames.pages - done, BATCH);
    const batch = { base: frames.start + BigInt(done), count, flags, unit: 1 };
    const answer = yield* mapOnce(context, actor, frames.partition, batch);
    const { status, reps } = answer.result;
    let ret = errnoOf(answer, context.profile);
    if (status === INSUFFICIENT_MEMORY && deposits++ < MAX_DEPOSITS)
      ret = yield* deposit(context, actor, frames.partition, DEPOSIT_PAGES);
    // A call that succeeded and did nothing would be made for ever.
    if (ret !== 0 || (status === 0 && reps === 0)) return failedBatch(answer, ret);
    done += reps;
  }
  return 0;
}

/** The same for unmapping (hv_call_unmap_gpa_pages). */
function* unmapAll(context: Context, actor: Actor, frames: GuestFrames): DriverRun<number> {
  for (let done = 0; done < frames.pages; ) {
    const count = Math.min(frames.pages - done, BATCH);
    const batch = { base: frames.start + BigInt(done), count, flags: 0 };
    const answer = yield* unmapOnce(actor, frames.partition, batch);
    const ret = errnoOf(answer, context.profile);
    if (ret !== 0 || answer.result.reps === 0) return failedBatch(answer, ret);
    done += answer.result.reps;
  }
  return 0;
}

function* map(context: Context, actor: Actor, event: IoctlEvent, arg: Uint8Array): DriverRun<Outcome> {
  const { partition, id } = partitionOfHandle(context, event.handle);
  const regions = regionsOf(context, id);
  if (regions.length >= SLOTS) return { ret: failure('ENOSPC'), rule: RULE };
  const region = regionOf(arg, event.pid);
  if (region === undefined || !isUserRange(region.address, region.pages * PAGE_BYTES))
    return { ret: failure('EINVAL'), rule: RULE };
  const taken = overlaps(context, id, region.start, region.pages);
  if (taken || regions.some((other) => sharesAddresses(region, other))) {
    return { ret: failure('EEXIST'), rule: RULE };
  }
  if (region.pages > MAX_PAGES) return { ret: failure('ENOMEM'), rule: RULE };
  const frames = { partition, start: region.start, pages: Number(region.pages) };
  const ret = yield* mapAll(context, actor, frames, region.flags);
  if (ret === 0) addRegion(context, id, region);
  return { ret, rule: RULE };
}

/** Only what was mapped, as it was mapped; what cannot be unmapped keeps its slot. */
function* unmap(context: Context, actor: Actor, event: IoctlEvent, arg: Uint8Array): DriverRun<Outcome> {
  const asked = regionOf(arg);
  const { partition, id } = partitionOfHandle(context, event.handle);
  const region = regionsOf(context, id).find(
    ({ start, pages, address }) =>
      start === asked?.start && pages === asked.pages && address === asked.address,
  );
  if (region === undefined) return { ret: failure('EINVAL'), rule: RULE };
  const frames = { partition, start: region.start, pages: Number(region.pages) };
  const ret = yield* unmapAll(context, actor, frames);
  if (ret === 0) removeRegion(context, id, region);
  return { ret, rule: RULE };
}

/** Guest memory of the RFC of 2020 (patch 07/18): pinned when it is given. */
export const MEMORY_IOCTLS: readonly IoctlRow[] = [
  { fd: 'partition', name: 'MSHV_MAP_GUEST_MEMORY', argBytes: ARG.bytes, enter: map },
  { fd: 'partition', name: 'MSHV_UNMAP_GUEST_MEMORY', argBytes: ARG.bytes, enter: unmap },
];
