import { fieldOf, readU32, readU64 } from '../../abi/index.ts';
import type { HypercallAnswer } from '../../machine/child.ts';
import type { ObjectId } from '../../state/store.ts';
import { type Call, type CallRow, failed, succeeded } from '../call/call.ts';
import { STATUS } from '../call/status.ts';
import { cellAt } from '../cells/place.ts';
import { VP } from '../cells/vp.ts';
import { forgetPage } from '../vp/register-page-written.ts';
import { frameOutput, providedFrame } from './frame.ts';
import { PHASES } from './phases.ts';
import { findChild, findVp, RESERVED, reservedSet, wrongState } from './target.ts';

const MAP = {
  id: fieldOf('hv_input_map_vp_state_page', 'partition_id'),
  index: fieldOf('hv_input_map_vp_state_page', 'vp_index'),
  type: fieldOf('hv_input_map_vp_state_page', 'type'),
  provided: fieldOf('hv_input_map_vp_state_page', 'flags.map_location_provided'),
  reserved: ['flags.reserved', 'input_vtl.reserved_z'].map((name) =>
    fieldOf('hv_input_map_vp_state_page', name),
  ),
  location: fieldOf('hv_input_map_vp_state_page', 'requested_map_location'),
  output: fieldOf('hv_output_map_vp_state_page', 'map_location'),
};
const UNMAP = {
  id: fieldOf('hv_input_unmap_vp_state_page', 'partition_id'),
  index: fieldOf('hv_input_unmap_vp_state_page', 'vp_index'),
  type: fieldOf('hv_input_unmap_vp_state_page', 'type'),
  reserved: ['reserved0', 'input_vtl.reserved_z'].map((name) =>
    fieldOf('hv_input_unmap_vp_state_page', name),
  ),
};

/** Slots of the page types, in the order of their numbers (Linux 7.2 hvhdk: enum hv_vp_state_page_type). */
const PAGES = [VP.slots.page.registers, VP.slots.page.intercept, VP.slots.page.ghcb];

function target(
  call: Call,
  fields: Pick<typeof MAP, 'id' | 'index' | 'type' | 'reserved'>,
): { readonly vp: ObjectId; readonly slot: number } | { readonly answer: HypercallAnswer } {
  const found = findChild(call, fields.id);
  if ('answer' in found) return found;
  const wrong = wrongState(call, found.id, PHASES.STATE_PAGE);
  if (wrong !== undefined) return { answer: wrong };
  const vp = findVp(call, found.id, readU32(call.input, fields.index));
  if ('answer' in vp) return vp;
  const slot = PAGES[readU32(call.input, fields.type)];
  if (slot === undefined) return { answer: failed(STATUS.INVALID_PARAMETER, 'HDR.state-page.type') };
  if (reservedSet(call, fields.reserved)) return { answer: RESERVED };
  return { vp: vp.id, slot };
}

function map(call: Call): HypercallAnswer {
  const page = target(call, MAP);
  if ('answer' in page) return page.answer;
  const given = readU32(call.input, MAP.provided) === 1;
  const frame = given ? readU64(call.input, MAP.location) : providedFrame(call, MAP.output);
  call.context.store.set(cellAt(page.vp, page.slot), frame);
  if (page.slot === VP.slots.page.registers) forgetPage(call.context, page.vp);
  return succeeded('HDR.state-page.map', frameOutput(MAP.output, frame));
}

function unmap(call: Call): HypercallAnswer {
  const page = target(call, UNMAP);
  if ('answer' in page) return page.answer;
  const cell = cellAt(page.vp, page.slot);
  if (call.context.store.get(cell) === 0n)
    return failed(STATUS.INVALID_PARAMETER, 'choice.state-page.not-mapped');
  call.context.store.set(cell, 0);
  if (page.slot === VP.slots.page.registers) forgetPage(call.context, page.vp);
  return succeeded('HDR.state-page.unmap');
}

/** Pages through which a parent sees a VP's registers, intercept message and GHCB. */
export const STATE_PAGE_CALLS: readonly CallRow[] = [
  { name: 'MAP_VP_STATE_PAGE', answer: map },
  { name: 'UNMAP_VP_STATE_PAGE', answer: unmap },
];
