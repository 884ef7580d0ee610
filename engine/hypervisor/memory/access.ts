import { constant, constantNumber, fieldOf, readU32, readU64 } from '../../abi/index.ts';
import type { HypercallAnswer } from '../../machine/child.ts';
import type { ObjectId } from '../../state/store.ts';
import { type Call, type CallRow, failed, recordedAnswer, repeated } from '../call/call.ts';
import { STATUS } from '../call/status.ts';
import { PHASES } from '../partition/phases.ts';
import { findChild, RESERVED, reservedSet, wrongState } from '../partition/target.ts';
import { noteStates, statesAt, UNKNOWN } from './access-state.ts';
import { runsOf } from './runs.ts';

const INPUT = {
  id: fieldOf('hv_input_get_gpa_pages_access_state', 'partition_id'),
  flags: fieldOf('hv_input_get_gpa_pages_access_state', 'flags'),
  reserved: fieldOf('hv_input_get_gpa_pages_access_state', 'flags.reserved'),
  base: fieldOf('hv_input_get_gpa_pages_access_state', 'hv_gpa_page_number'),
};
const NO_ACCESS = constantNumber('HV_MAP_GPA_NO_ACCESS');
const PAGE_SHIFT = constant('HV_HYP_PAGE_SHIFT');
const ACCESSED = 1;
const DIRTY = 2;
/** union hv_gpa_page_access_state_flags (Linux 7.2 include/hyperv/hvhdk.h): what is done to the bits after they were read. */
const AFTER = [
  { flag: 1, bit: ACCESSED, value: 0 },
  { flag: 2, bit: ACCESSED, value: ACCESSED },
  { flag: 4, bit: DIRTY, value: 0 },
  { flag: 8, bit: DIRTY, value: DIRTY },
];
const CONTRADICTIONS = [3, 12];

/**
 * HvGetGpaPagesAccessState (Linux 7.2 include/hyperv): accessed and dirty, a byte a page. A bit that a call has cleared
 * is clear until a guest may have run, one that a call has set stays set; the others are what the guest touched, which
 * is bound. The machine's own answer errs on the safe side there: every page that is mapped with access is both.
 */
function getAccessStates(call: Call): HypercallAnswer {
  const found = findChild(call, INPUT.id);
  if ('answer' in found) return found.answer;
  const wrong = wrongState(call, found.id, PHASES.GPA);
  if (wrong !== undefined) return wrong;
  if (reservedSet(call, [INPUT.reserved])) return RESERVED;
  const { context, control, input } = call;
  const flags = readU32(input, INPUT.flags);
  if (CONTRADICTIONS.some((both) => (flags & both) === both)) {
    return failed(STATUS.INVALID_PARAMETER, 'choice.gpa.access-flags');
  }
  const base = readU64(input, INPUT.base);
  const frames = 1n << (BigInt(context.profile.gpaBits) - PAGE_SHIFT);
  if (base + BigInt(control.repCount) > frames) {
    return failed(STATUS.INVALID_PARAMETER, 'TLFS2013.gpa.address-space');
  }
  const first = base + BigInt(control.repStart);
  const { output } = recordedAnswer(call.event);
  const states = new Uint8Array(control.repCount);
  if (output !== undefined) states.set(output.subarray(0, states.length));
  const count = control.repCount - control.repStart;
  const mapped = mappedPages(call, found.id, first, count);
  const known = statesAt(context, found.id, first, count);
  let isBound = false;
  for (let page = 0; page < count; page++) {
    const at = control.repStart + page;
    // Of a page that is mapped without access, or unseen, nobody knows what became of it.
    const { known: mask, value } = mapped[page] === 1 ? (known[page] ?? UNKNOWN) : UNKNOWN;
    const other = output === undefined ? (mapped[page] ?? 0) * (ACCESSED | DIRTY) : (states[at] ?? 0);
    states[at] = (other & ~mask) | (value & mask);
    if (mask !== (ACCESSED | DIRTY)) isBound = true;
  }
  if (isBound) context.bind('page-access', output === undefined ? undefined : 1n, 0n);
  const after = AFTER.filter(({ flag }) => (flags & flag) !== 0);
  noteStates(context, found.id, first, BigInt(count), {
    known: after.reduce((mask, { bit }) => mask | bit, 0),
    value: after.reduce((mask, { value }) => mask | value, 0),
  });
  return repeated(STATUS.SUCCESS, control.repCount, 'HDR.gpa.access-states', states);
}

/** 1 for each page that is mapped with access. */
function mappedPages({ context }: Call, partition: ObjectId, first: bigint, count: number): Uint8Array {
  const mapped = new Uint8Array(count);
  for (const { start, end, flags } of runsOf(context, partition)) {
    if ((flags & NO_ACCESS) !== 0 || end <= first) continue;
    const to = end - first < BigInt(count) ? Number(end - first) : count;
    mapped.fill(1, start < first ? 0 : Math.min(count, Number(start - first)), to);
  }
  return mapped;
}

export const ACCESS_CALLS: readonly CallRow[] = [
  { name: 'GET_GPA_PAGES_ACCESS_STATES', answer: getAccessStates },
];
