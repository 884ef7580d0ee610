import { constantNumber, fieldOf, readU32, readU64 } from '../../../abi/index.ts';
import { UNMODELLED } from '../../../hypervisor/index.ts';
import type { DriverRun, Outcome } from '../../../machine/child.ts';
import type { Context } from '../../../machine/context.ts';
import type { ObjectId } from '../../../state/store.ts';
import type { IoctlEvent } from '../../../trace/event.ts';
import type { Actor } from '../../kernel/access.ts';
import { failure } from '../../kernel/errno.ts';
import { isUserRange } from '../../kernel/user-memory.ts';
import type { IoctlRow } from '../ioctl-row.ts';
import { partitionOfHandle } from '../objects.ts';
import { agrees, LARGE_PAGES } from './chunks.ts';
import { kindOf } from './kind.ts';
import { mapRegion, unmapRegion } from './region-calls.ts';
import { addRegion, overlaps, type Region, regionOfFrame, regionsOf, removeRegion } from './regions.ts';

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

/** Linux 6.16 looked at the memory of the process alone. */
function liesRight({ profile }: Context, address: bigint, frame: bigint): boolean {
  return agrees(address, profile.kernel === 'upstream-6.16' ? 0n : frame);
}

/**
 * The region meets one that is there: in guest frames. Linux 6.16 asked where it begins and ends alone, but of the addresses of
 * the process too.
 */
function meets(context: Context, id: ObjectId, { start, pages, address }: Region): boolean {
  if (context.profile.kernel !== 'upstream-6.16') return overlaps(context, id, start, pages);
  const ends = (first: bigint) => [first, first + pages - 1n];
  return regionsOf(context, id).some((other) => {
    const has = (first: bigint, frame: bigint) => first <= frame && frame < first + other.pages;
    return (
      ends(start).some((frame) => has(other.start, frame)) ||
      ends(address / PAGE_BYTES).some((page) => has(other.address / PAGE_BYTES, page))
    );
  });
}

/**
 * Linux 6.16 takes a pinned region for one of 2 MiB pages throughout when its first page is one, and refuses it before any call
 * where its size is no multiple of that.
 */
function isCutShort({ profile }: Context, { kind, large, pages }: Region): boolean {
  const isOfOneSize = profile.kernel === 'upstream-6.16' && kind === 'pinned' && large;
  return isOfOneSize && pages % BigInt(LARGE_PAGES) !== 0n && !profile.quirks['pinned-failure-swallowed'];
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
    large: backing === 'large-pages' && liesRight(context, address, readU64(arg, ARG.frame)),
    flags: regionFlags(readU32(arg, ARG.flags)),
    pid: event.pid ?? 0,
  };
  if ((readU32(arg, ARG.flags) & UNMAP) !== 0) return yield* unmap(context, actor, partition, id, region);
  if (!isUserRange(address, region.pages * PAGE_BYTES)) return { ret: failure('EINVAL'), rule: RULE };
  // Whether the process has memory there is not in the trace: a refusal that was recorded stands, where the hypervisor was not asked.
  if (event.ret === failure('EINVAL') && context.nextBelow(event.seq) === undefined)
    return { ret: event.ret, rule: UNMODELLED };
  if (meets(context, id, region)) return { ret: failure('EEXIST'), rule: RULE };
  if (region.pages > MAX_REGION_PAGES) return { ret: failure('ENOMEM'), rule: RULE };
  if (isCutShort(context, region)) return { ret: failure('EINVAL'), rule: RULE };
  addRegion(context, id, region);
  return { ret: yield* mapRegion({ context, actor, partition, id }, region), rule: RULE };
}

function* unmap(
  context: Context,
  actor: Actor,
  partition: bigint,
  id: ObjectId,
  asked: Region,
): DriverRun<Outcome> {
  const region = regionOfFrame(context, id, asked.start);
  const isOld = context.profile.kernel === 'upstream-6.16';
  if (region === undefined) return { ret: failure(isOld ? 'EINVAL' : 'ENOENT'), rule: RULE };
  const { start, pages, address } = asked;
  if (region.start !== start || region.pages !== pages || region.address !== address) {
    return { ret: failure('EINVAL'), rule: RULE };
  }
  yield* unmapRegion({ context, actor, partition, id }, region);
  removeRegion(context, id, region);
  return { ret: 0, rule: RULE };
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
