import { constantNumber, decodeControl, fieldOf, lowHalf, readU32, readU64 } from '../../../abi/index.ts';
import type { HypercallRequest } from '../../../machine/child.ts';
import type { Context } from '../../../machine/context.ts';
import type { ObjectId } from '../../../state/store.ts';
import type { HypercallEvent } from '../../../trace/event.ts';
import type { RegionKind } from '../../cells/driver.ts';
import { hypercallCode } from '../../kernel/hypercall.ts';
import { partitionOf } from '../objects.ts';
import { LARGE_PAGES } from './chunks.ts';
import { addPresent, type Region, regionOfFrame, setRegionKind, setRegionLarge } from './regions.ts';

const MAP_GPA_PAGES = hypercallCode('MAP_GPA_PAGES');
const CODE = 0xffff;
const MAP = {
  id: fieldOf('hv_input_map_gpa_pages', 'target_partition_id'),
  base: fieldOf('hv_input_map_gpa_pages', 'target_gpa_base'),
  flags: fieldOf('hv_input_map_gpa_pages', 'map_flags'),
};
const READABLE = constantNumber('HV_MAP_GPA_READABLE');
const WRITABLE = constantNumber('HV_MAP_GPA_WRITABLE');
const NO_ACCESS = constantNumber('HV_MAP_GPA_NO_ACCESS');
const LARGE = constantNumber('HV_MAP_GPA_LARGE_PAGE');
const DEVICE = READABLE | WRITABLE | constantNumber('HV_MAP_GPA_NOT_CACHED');

/** Flags that a region is mapped with when it is given (Linux 7.2 drivers/hv/mshv_root_main.c, mshv_map_user_memory). */
export function flagsWhenGiven({ kind, flags }: Pick<Region, 'kind' | 'flags'>): number {
  if (kind === 'mmio') return DEVICE;
  return kind === 'pinned' ? flags : NO_ACCESS;
}

/** What kind of region the profile says that memory at an address becomes. */
export function kindOf({ profile }: Context, address: bigint): RegionKind {
  if (profile.backing.get(address) === 'device') return 'mmio';
  return profile.mmuNotifier ? 'movable' : 'pinned';
}

/** A call that maps frames of a region, as it stands in the driver's list. */
interface MapCall {
  readonly partition: ObjectId;
  readonly region: Region;
  readonly base: bigint;
  /** HV_MAP_GPA_… but for the size of the pages. */
  readonly flags: number;
  readonly large: boolean;
}

function mapCallOf(
  context: Context,
  { control, input }: HypercallRequest | HypercallEvent,
): MapCall | undefined {
  if ((lowHalf(control) & CODE) !== MAP_GPA_PAGES || input === undefined) return undefined;
  if (input.length < MAP.flags.offset + MAP.flags.length) return undefined;
  const partition = partitionOf(context, readU64(input, MAP.id));
  if (partition === undefined) return undefined;
  const base = readU64(input, MAP.base);
  const region = regionOfFrame(context, partition, base);
  if (region === undefined) return undefined;
  const flags = readU32(input, MAP.flags);
  return { partition, region, base, flags: (flags & ~LARGE) >>> 0, large: (flags & LARGE) !== 0 };
}

/** Calls that map a region show what is behind it, where the profile does not say it: the first what kind, each what size its pages have. */
export function regionMapped(context: Context, call: HypercallRequest | HypercallEvent): void {
  const mapped = mapCallOf(context, call);
  if (mapped === undefined) return;
  const { partition, region, flags, large } = mapped;
  if (region.kind === 'none') {
    const kinds: readonly RegionKind[] = ['movable', 'mmio', 'pinned'];
    const kind = kinds.find((each) => flagsWhenGiven({ kind: each, flags: region.flags }) === flags);
    if (kind !== undefined) setRegionKind(context, partition, region, kind);
  }
  if (flags === region.flags && large !== region.large && !context.profile.backing.has(region.address)) {
    setRegionLarge(context, partition, region, large);
  }
}

/**
 * A recorded call gives the guest pages of a movable region, and nothing in the record shows the stop of the VP that told the
 * driver to: they are there (Linux 7.2 drivers/hv/mshv_regions.c, mshv_region_handle_gfn_fault).
 */
export function pagesFollowed(context: Context, call: HypercallEvent): void {
  const mapped = mapCallOf(context, call);
  if (mapped === undefined) return;
  const { partition, region, base, flags, large } = mapped;
  if (region.kind !== 'movable' || flags !== region.flags) return;
  const pages = BigInt(decodeControl(call.control).repCount * (large ? LARGE_PAGES : 1));
  addPresent(context, partition, region, { start: base, pages, large });
}
