import { hexOf } from '../../abi/text.ts';
import { MSHV_PARTITION, MSHV_REGION, REGION_KINDS } from '../../drivers/cells/driver.ts';
import { GPA, PARTITION } from '../../hypervisor/index.ts';
import { decodeCell } from '../../state/display.ts';
import type { ObjectRow } from '../../state/store.ts';
import { compareAddresses, formatAddress } from '../../trace/position.ts';
import type { GpaMapView, MachineRequests, MappedView, RegionView } from '../api-machine.ts';
import { cellIn, isOwn, type MachineGround, numberIn } from './ground.ts';
import { changedAt, lastEntry } from './lives.ts';
import { cpuOverlays, vpOverlays } from './overlays.ts';

const PAGE_SHIFT = 12n;

/** Guest memory of every partition that exists, and of those whose memory the event at the cursor took away. */
export function gpaMaps(ground: MachineGround): MachineRequests['gpaMap']['out'] {
  const maps: GpaMapView[] = [];
  const drivers = new Map(ground.objects.all(MSHV_PARTITION).map((row) => [row.key, row]));
  for (const partition of ground.objects.all(PARTITION)) {
    if (!ground.image.exists(partition)) continue;
    const own = isOwn(ground, partition);
    const driver = drivers.get(partition.key);
    const runs = shown(ground, ground.objects.below(GPA, partition));
    const regions = driver === undefined ? [] : shown(ground, ground.objects.below(MSHV_REGION, driver));
    const views = regions.map((row) => regionView(ground, row, runs));
    const inRegions = new Set(views.flatMap(({ mapped }) => mapped.map(({ from }) => from)));
    const others = runs.map((row) => mappedView(ground, row)).filter(({ from }) => !inRegions.has(from));
    maps.push({
      partition: String(partition.key),
      own,
      regions: views,
      others,
      overlays: own ? cpuOverlays(ground) : vpOverlays(ground, partition),
    });
  }
  return { at: formatAddress(ground.at), maps };
}

/** Objects that exist, and those that the event at the cursor ended; by place. */
function shown(ground: MachineGround, rows: readonly ObjectRow[]): ObjectRow[] {
  return rows
    .filter((row) => ground.image.exists(row) || isGone(ground, row))
    .sort((a, b) => (BigInt(a.key) < BigInt(b.key) ? -1 : 1));
}

function isGone({ history, image, at }: MachineGround, row: ObjectRow): boolean {
  if (at.seq === 0 || image.exists(row)) return false;
  const last = history.lastWrite(cellIn(row, 0), image.offset);
  return last !== undefined && compareAddresses(last.at, at) === 0;
}

function regionView(ground: MachineGround, row: ObjectRow, runs: readonly ObjectRow[]): RegionView {
  const { pages: pageSlot, address, kind, flags } = MSHV_REGION.slots;
  const first = BigInt(row.key);
  const pages = before(ground, row, pageSlot);
  const inside = runs.filter(({ key }) => BigInt(key) >= first && BigInt(key) < first + pages);
  return {
    ...placed(ground, row, pages),
    flags: flagNames(before(ground, row, flags)),
    address: hexOf(before(ground, row, address)),
    kind: REGION_KINDS[Number(before(ground, row, kind))] ?? '?',
    mapped: inside.map((run) => mappedView(ground, run)),
  };
}

function mappedView(ground: MachineGround, row: ObjectRow): MappedView {
  const { pages, flags } = GPA.slots;
  return {
    ...placed(ground, row, before(ground, row, pages)),
    flags: flagNames(before(ground, row, flags)),
  };
}

/** What a cell held; of an object that the event at the cursor ended, what it held until then. */
function before(ground: MachineGround, row: ObjectRow, slot: number): bigint {
  const { history, image } = ground;
  if (image.exists(row)) return BigInt(numberIn(ground, row, slot));
  const last = history.lastWrite(cellIn(row, slot), image.offset);
  if (last === undefined) return 0n;
  return compareAddresses(last.at, ground.at) === 0 ? last.old : last.now;
}

function placed(ground: MachineGround, row: ObjectRow, pages: bigint): Omit<MappedView, 'flags'> {
  const { history, image, at, deeds } = ground;
  const from = BigInt(row.key) << PAGE_SHIFT;
  return {
    from: hexOf(from),
    to: hexOf(from + (pages << PAGE_SHIFT) - 1n),
    pages: Number(pages),
    deed: deeds.ofEntry(history, lastEntry(history, row, image)),
    changed: changedAt(history, row, image, at),
    gone: !image.exists(row),
  };
}

/** Names of map flags; those of a region are the ones that its pages get (HV_MAP_GPA_…). */
function flagNames(value: bigint): string[] {
  const { hint } = GPA.info[GPA.slots.flags] as (typeof GPA.info)[number];
  return (decodeCell(hint, value).set ?? '').split(' ').filter((name) => name !== '');
}
