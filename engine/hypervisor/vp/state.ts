import { fieldOf, readU32 } from '../../abi/index.ts';
import type { HypercallAnswer } from '../../machine/child.ts';
import type { ObjectId } from '../../state/store.ts';
import { type Call, type CallRow, failed, recordedAnswer, succeeded } from '../call/call.ts';
import { STATUS } from '../call/status.ts';
import { keepLapic, LAPIC_BYTES, lapicOf } from '../lapic/state.ts';
import { PHASES } from '../partition/phases.ts';
import { timeOf } from '../partition/reference.ts';
import { findChild, findVp, RESERVED, reservedSet, wrongState } from '../partition/target.ts';
import { keepTimers, timersOf } from './timers-state.ts';

const INPUT = {
  id: fieldOf('hv_input_get_vp_state', 'partition_id'),
  index: fieldOf('hv_input_get_vp_state', 'vp_index'),
  type: fieldOf('hv_input_get_vp_state', 'state_data.type'),
  reserved: ['rsvd0', 'rsvd1', 'state_data.rsvd'].map((name) => fieldOf('hv_input_get_vp_state', name)),
  data: fieldOf('hv_input_set_vp_state', 'data').offset,
};
const TIMERS = 4;
/** In the call, as the driver of 2020 has it; later ones give pages (patches to linux-hyperv of 2020, hyperv-tlfs.h). */
const LAPIC = 0;
/** Linux 7.2 hvhdk: enum hv_get_set_vp_state_type; those from here on are in pages that the call lists. */
const IN_PAGES = 0x8000_0000;
const LAST_IN_PAGES = 0x8000_0003;

type Target = { readonly vp: ObjectId; readonly type: number } | { readonly answer: HypercallAnswer };

function target(call: Call): Target {
  const found = findChild(call, INPUT.id);
  if ('answer' in found) return found;
  const wrong = wrongState(call, found.id, PHASES.VP_STATE);
  if (wrong !== undefined) return { answer: wrong };
  const vp = findVp(call, found.id, readU32(call.input, INPUT.index));
  if ('answer' in vp) return vp;
  if (reservedSet(call, INPUT.reserved)) return { answer: RESERVED };
  const type = readU32(call.input, INPUT.type);
  const inCall = type === TIMERS || type === LAPIC;
  if (!inCall && (type < IN_PAGES || type > LAST_IN_PAGES)) {
    return { answer: failed(STATUS.INVALID_PARAMETER, 'HDR.vp-state.type') };
  }
  return { vp: vp.id, type };
}

/** What stands in pages of the caller is not part of the call: only timers are, and a LAPIC asked for so. */
function get(call: Call): HypercallAnswer {
  const found = target(call);
  if ('answer' in found) return found.answer;
  if (found.type === LAPIC) {
    const { output } = recordedAnswer(call.event);
    return succeeded('HDR.vp-state.get', lapicOf(call.context, found.vp, output, timeOf(call.event)));
  }
  if (found.type !== TIMERS) return succeeded('HDR.vp-state.get');
  const { output } = recordedAnswer(call.event);
  return succeeded('HDR.vp-state.get', timersOf(call.context, found.vp, output, timeOf(call.event)));
}

function set(call: Call): HypercallAnswer {
  const found = target(call);
  if ('answer' in found) return found.answer;
  if (found.type === LAPIC) {
    if (call.input.length < INPUT.data + LAPIC_BYTES)
      return failed(STATUS.INVALID_PARAMETER, 'HDR.vp-state.type');
    keepLapic(call.context, found.vp, call.input.subarray(INPUT.data), timeOf(call.event));
  }
  if (found.type === TIMERS)
    keepTimers(call.context, found.vp, call.input.subarray(INPUT.data), timeOf(call.event));
  return succeeded('HDR.vp-state.set');
}

/** State that is read and written as a whole. */
export const STATE_CALLS: readonly CallRow[] = [
  { name: 'GET_VP_STATE', answer: get },
  { name: 'SET_VP_STATE', answer: set },
];
