import { constantNumber, fieldOf, lowHalf, readU32, readU64 } from '../../../abi/index.ts';
import type { HypercallRequest } from '../../../machine/child.ts';
import type { Context } from '../../../machine/context.ts';
import type { HypercallEvent } from '../../../trace/event.ts';
import type { RegionKind } from '../../cells/driver.ts';
import { hypercallCode } from '../../kernel/hypercall.ts';
import { partitionOf } from '../objects.ts';
import { type Region, regionOfFrame, setRegionKind, setRegionLarge } from './regions.ts';

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

/** Calls that map a region show what is behind it, where the profile does not say it: the first what kind, each what size its pages have. */
export function regionMapped(context: Context, { control, input }: HypercallRequest | HypercallEvent): void {
  if ((lowHalf(control) & CODE) !== MAP_GPA_PAGES || input === undefined) return;
  if (input.length < MAP.flags.offset + MAP.flags.length) return;
  const partition = partitionOf(context, readU64(input, MAP.id));
  if (partition === undefined) return;
  const region = regionOfFrame(context, partition, readU64(input, MAP.base));
  if (region === undefined) return;
  const flags = readU32(input, MAP.flags);
  const plain = (flags & ~LARGE) >>> 0;
  if (region.kind === 'none') {
    const kinds: readonly RegionKind[] = ['movable', 'mmio', 'pinned'];
    const kind = kinds.find((each) => flagsWhenGiven({ kind: each, flags: region.flags }) === plain);
    if (kind !== undefined) setRegionKind(context, partition, region, kind);
  }
  const large = (flags & LARGE) !== 0;
  if (plain === region.flags && large !== region.large && !context.profile.backing.has(region.address)) {
    setRegionLarge(context, partition, region, large);
  }
}
