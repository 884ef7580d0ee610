import { constantNumber, fieldOf, readU32, readU64 } from '../../abi/index.ts';
import type { HypercallAnswer } from '../../machine/child.ts';
import type { CellId } from '../../state/store.ts';
import { type Call, type CallRow, failed, succeeded, unmodelledCall } from '../call/call.ts';
import { STATUS } from '../call/status.ts';
import { PARTITION } from '../cells/partition.ts';
import { cellAt } from '../cells/place.ts';
import { VP } from '../cells/vp.ts';
import { frameOutput, providedFrame } from './frame.ts';
import { PHASES } from './phases.ts';
import { findPartition, findVp, isOwn, RESERVED, reservedSet, wrongState } from './target.ts';

const TYPE = fieldOf('hv_input_map_stats_page', 'type');
const PADDING = fieldOf('hv_input_map_stats_page', 'padding');
const VP_ID = fieldOf('hv_input_map_stats_page', 'identity.vp.partition_id');
const VP_INDEX = fieldOf('hv_input_map_stats_page', 'identity.vp.vp_index');
const PARTITION_ID = fieldOf('hv_input_map_stats_page', 'identity.partition.partition_id');
/** The same byte in every form of the identity. */
const AREA = fieldOf('hv_input_map_stats_page', 'identity.vp.stats_area_type');
const OUTPUT = fieldOf('hv_output_map_stats_page', 'map_location');
const LOCATION = fieldOf('hv_input_map_stats_page2', 'map_location');

const OBJECT_PARTITION = constantNumber('HV_STATS_OBJECT_PARTITION');
const OBJECT_VP = constantNumber('HV_STATS_OBJECT_VP');
const AREAS = ['self', 'parent'] as const;

/** The cell that holds the frame of the page which a call names. */
function target(call: Call): { readonly cell: CellId } | { readonly answer: HypercallAnswer } {
  const type = readU32(call.input, TYPE);
  if (type !== OBJECT_VP && type !== OBJECT_PARTITION) return { answer: unmodelledCall(call.event) };
  const found = findPartition(call, type === OBJECT_VP ? VP_ID : PARTITION_ID);
  if ('answer' in found) return found;
  if (isOwn(call, found.id)) return { answer: unmodelledCall(call.event) };
  const wrong = wrongState(call, found.id, PHASES.STATS_PAGE);
  if (wrong !== undefined) return { answer: wrong };
  if (reservedSet(call, [PADDING])) return { answer: RESERVED };
  const area = AREAS[readU32(call.input, AREA)];
  if (area === undefined) return { answer: failed(STATUS.INVALID_PARAMETER, 'HDR.stats-page.area') };
  if (type === OBJECT_PARTITION) return { cell: cellAt(found.id, PARTITION.slots.stats[area]) };
  const vp = findVp(call, found.id, readU32(call.input, VP_INDEX));
  return 'answer' in vp ? vp : { cell: cellAt(vp.id, VP.slots.stats[area]) };
}

function map(call: Call): HypercallAnswer {
  const page = target(call);
  if ('answer' in page) return page.answer;
  const frame = providedFrame(call, OUTPUT);
  call.context.store.set(page.cell, frame);
  return succeeded('HDR.stats-page.map', frameOutput(OUTPUT, frame));
}

/** The newer call: the caller gives the frame. */
function mapAt(call: Call): HypercallAnswer {
  const page = target(call);
  if ('answer' in page) return page.answer;
  call.context.store.set(page.cell, readU64(call.input, LOCATION));
  return succeeded('HDR.stats-page.map');
}

function unmap(call: Call): HypercallAnswer {
  const page = target(call);
  if ('answer' in page) return page.answer;
  if (call.context.store.get(page.cell) === 0n) {
    return failed(STATUS.INVALID_PARAMETER, 'choice.stats-page.not-mapped');
  }
  call.context.store.set(page.cell, 0);
  return succeeded('HDR.stats-page.unmap');
}

/** Pages with the statistics of partitions and VPs; those of the hypervisor and of processors are not modelled. */
export const STATS_PAGE_CALLS: readonly CallRow[] = [
  { name: 'MAP_STATS_PAGE', answer: map },
  { name: 'MAP_STATS_PAGE2', answer: mapAt },
  { name: 'UNMAP_STATS_PAGE', answer: unmap },
];
