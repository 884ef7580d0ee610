import { constantNumber, type FieldHandle, fieldOf, readU32, readU64 } from '../../abi/index.ts';
import type { HypercallAnswer } from '../../machine/child.ts';
import { type CellId, type ObjectId, TOP } from '../../state/store.ts';
import { type Call, type CallRow, failed, succeeded, unmodelledCall } from '../call/call.ts';
import { STATUS } from '../call/status.ts';
import { HYPERVISOR, PROCESSOR } from '../cells/host.ts';
import { OWN_VP, PARTITION } from '../cells/partition.ts';
import { cellAt } from '../cells/place.ts';
import { VP } from '../cells/vp.ts';
import { frameOutput, providedFrame } from './frame.ts';
import { PHASES } from './phases.ts';
import { findPartition, findVp, isOwn, RESERVED, reservedSet, wrongState } from './target.ts';

const TYPE = fieldOf('hv_input_map_stats_page', 'type');
const PADDING = fieldOf('hv_input_map_stats_page', 'padding');
const OBJECT_VP = constantNumber('HV_STATS_OBJECT_VP');
const VP_ID = fieldOf('hv_input_map_stats_page', 'identity.vp.partition_id');
const VP_INDEX = fieldOf('hv_input_map_stats_page', 'identity.vp.vp_index');
const PARTITION_ID = fieldOf('hv_input_map_stats_page', 'identity.partition.partition_id');
/** The same byte in every form of the identity. */
const AREA = fieldOf('hv_input_map_stats_page', 'identity.vp.stats_area_type');
const OUTPUT = fieldOf('hv_output_map_stats_page', 'map_location');
const LOCATION = fieldOf('hv_input_map_stats_page2', 'map_location');

const LP_INDEX = fieldOf('hv_input_map_stats_page', 'identity.lp.lp_index');

const OBJECT_HYPERVISOR = constantNumber('HV_STATS_OBJECT_HYPERVISOR');
const OBJECT_PROCESSOR = constantNumber('HV_STATS_OBJECT_LOGICAL_PROCESSOR');
const OBJECT_PARTITION = constantNumber('HV_STATS_OBJECT_PARTITION');
/** What of the identity must be zero, by the type that chooses its form. */
const RESERVED_FIELDS: ReadonlyMap<number, readonly FieldHandle[]> = new Map(
  (
    [
      [OBJECT_HYPERVISOR, 'hv'],
      [OBJECT_PROCESSOR, 'lp'],
      [OBJECT_PARTITION, 'partition'],
      [OBJECT_VP, 'vp'],
    ] as const
  ).map(([type, form]) => [type, [PADDING, fieldOf('hv_input_map_stats_page', `identity.${form}.reserved`)]]),
);
const AREAS = ['self', 'parent'] as const;
type Area = (typeof AREAS)[number];

/** Where the frame of a page stands: `object` has nothing else, and is there while one of `cells` is set. */
interface Page {
  readonly cell: CellId;
  readonly object?: { readonly id: ObjectId; readonly cells: readonly CellId[] };
}
type Found = Page | { readonly answer: HypercallAnswer };

/** The page which a call names. */
function target(call: Call): Found {
  const type = readU32(call.input, TYPE);
  const reserved = RESERVED_FIELDS.get(type);
  if (reserved === undefined) return { answer: unmodelledCall(call.event) };
  const area = AREAS[readU32(call.input, AREA)];
  if (type === OBJECT_HYPERVISOR || type === OBJECT_PROCESSOR) return ofMachine(call, type, area, reserved);
  const found = findPartition(call, type === OBJECT_VP ? VP_ID : PARTITION_ID);
  if ('answer' in found) return found;
  const wrong = wrongState(call, found.id, PHASES.STATS_PAGE);
  if (wrong !== undefined) return { answer: wrong };
  if (reservedSet(call, reserved)) return { answer: RESERVED };
  if (area === undefined) return NO_AREA;
  if (type === OBJECT_PARTITION) return { cell: cellAt(found.id, PARTITION.slots.stats[area]) };
  const index = readU32(call.input, VP_INDEX);
  if (isOwn(call, found.id)) return ofOwnVp(call, found.id, index, area);
  const vp = findVp(call, found.id, index);
  return 'answer' in vp ? vp : { cell: cellAt(vp.id, VP.slots.stats[area]) };
}

const NO_AREA = { answer: failed(STATUS.INVALID_PARAMETER, 'HDR.stats-page.area') };

/** The hypervisor and its processors (profile `processors`) have the one area and are a root's to look at. */
function ofMachine(
  call: Call,
  type: number,
  area: Area | undefined,
  reserved: readonly FieldHandle[],
): Found {
  const { store, profile } = call.context;
  if (profile.role !== 'root' && profile.role !== 'nested-root') {
    return { answer: failed(STATUS.ACCESS_DENIED, 'choice.stats-page.not-root') };
  }
  if (reservedSet(call, reserved)) return { answer: RESERVED };
  if (area !== 'self') return NO_AREA;
  const hypervisor = store.find(TOP, HYPERVISOR, 0);
  if (hypervisor === undefined) throw new Error('there is no hypervisor');
  if (type === OBJECT_HYPERVISOR) return { cell: cellAt(hypervisor, HYPERVISOR.slots.stats) };
  const index = readU32(call.input, LP_INDEX);
  if (index >= (profile.processors || profile.cpus)) {
    return { answer: failed(STATUS.INVALID_LP_INDEX, 'choice.stats-page.processor') };
  }
  const id = store.find(hypervisor, PROCESSOR, index) ?? store.create(hypervisor, PROCESSOR, index);
  const cell = cellAt(id, PROCESSOR.slots.stats);
  return { cell, object: { id, cells: [cell] } };
}

function ofOwnVp(call: Call, own: ObjectId, index: number, area: Area): Found {
  const { store, profile } = call.context;
  if (index >= profile.cpus) {
    return { answer: failed(STATUS.INVALID_VP_INDEX, 'TLFS2013.vp.unknown-index') };
  }
  const id = store.find(own, OWN_VP, index) ?? store.create(own, OWN_VP, index);
  const cells = AREAS.map((name) => cellAt(id, OWN_VP.slots.stats[name]));
  return { cell: cellAt(id, OWN_VP.slots.stats[area]), object: { id, cells } };
}

/** An object that has nothing but pages goes with the last of them. */
function dropEmpty({ context: { store } }: Call, { object }: Page): void {
  if (object?.cells.every((cell) => store.get(cell) === 0n) === true) store.destroy(object.id);
}

/** It is unmapped before it is mapped again (TLFS 2013, HvMapStatsPage). */
const MAPPED = failed(STATUS.OPERATION_DENIED, 'TLFS2013.stats-page.mapped');

function isMapped({ context: { store } }: Call, { cell }: Page): boolean {
  return store.get(cell) !== 0n;
}

function map(call: Call): HypercallAnswer {
  const page = target(call);
  if ('answer' in page) return page.answer;
  if (isMapped(call, page)) return MAPPED;
  const frame = providedFrame(call, OUTPUT);
  call.context.store.set(page.cell, frame);
  return succeeded('HDR.stats-page.map', frameOutput(OUTPUT, frame));
}

/** The newer call: the caller gives the frame. */
function mapAt(call: Call): HypercallAnswer {
  const page = target(call);
  if ('answer' in page) return page.answer;
  if (isMapped(call, page)) return MAPPED;
  call.context.store.set(page.cell, readU64(call.input, LOCATION));
  return succeeded('HDR.stats-page.map');
}

function unmap(call: Call): HypercallAnswer {
  const page = target(call);
  if ('answer' in page) return page.answer;
  const wasMapped = isMapped(call, page);
  // Where the recording began mid-life it may have been mapped before.
  if (wasMapped) call.context.store.set(page.cell, 0);
  dropEmpty(call, page);
  if (!wasMapped && call.context.profile.initial === 'unknown') return unmodelledCall(call.event);
  return wasMapped
    ? succeeded('HDR.stats-page.unmap')
    : failed(STATUS.INVALID_PARAMETER, 'choice.stats-page.not-mapped');
}

/** Pages with the statistics of partitions, VPs, logical processors and the hypervisor. */
export const STATS_PAGE_CALLS: readonly CallRow[] = [
  { name: 'MAP_STATS_PAGE', answer: map },
  { name: 'MAP_STATS_PAGE2', answer: mapAt },
  { name: 'UNMAP_STATS_PAGE', answer: unmap },
];
