import { constantNumber, fieldOf, readU64 } from '../../abi/index.ts';
import type { HypercallAnswer } from '../../machine/child.ts';
import { type Call, type CallRow, recordedAnswer, repeated } from '../call/call.ts';
import { STATUS } from '../call/status.ts';
import { PHASES } from '../partition/phases.ts';
import { findChild, RESERVED, reservedSet, wrongState } from '../partition/target.ts';
import { gpaRunOf } from './runs.ts';

const ID = fieldOf('hv_input_get_gpa_pages_access_state', 'partition_id');
const BASE = fieldOf('hv_input_get_gpa_pages_access_state', 'hv_gpa_page_number');
const FLAGS_RESERVED = fieldOf('hv_input_get_gpa_pages_access_state', 'flags.reserved');
const READABLE = constantNumber('HV_MAP_GPA_READABLE');
const ACCESSED_AND_DIRTY = 3;

/**
 * HvGetGpaPagesAccessState (Linux 7.2 include/hyperv): accessed and dirty, a byte a page. Which pages the guest has
 * touched is bound; the machine's own answer errs on the safe side: every page that is mapped with access.
 */
function getAccessStates(call: Call): HypercallAnswer {
  const found = findChild(call, ID);
  if ('answer' in found) return found.answer;
  const wrong = wrongState(call, found.id, PHASES.GPA);
  if (wrong !== undefined) return wrong;
  if (reservedSet(call, [FLAGS_RESERVED])) return RESERVED;
  const { context, control } = call;
  const base = readU64(call.input, BASE);
  const { output } = recordedAnswer(call.event);
  context.bind('page-access', output === undefined ? undefined : 1n, 0n);
  const states = new Uint8Array(control.repCount);
  if (output !== undefined) states.set(output.subarray(0, states.length));
  else {
    for (let i = 0; i < states.length; i++) {
      const run = gpaRunOf(context, found.id, base + BigInt(i));
      if (run !== undefined && (run.flags & READABLE) !== 0) states[i] = ACCESSED_AND_DIRTY;
    }
  }
  return repeated(STATUS.SUCCESS, control.repCount, 'HDR.gpa.access-states', states);
}

export const ACCESS_CALLS: readonly CallRow[] = [
  { name: 'GET_GPA_PAGES_ACCESS_STATES', answer: getAccessStates },
];
