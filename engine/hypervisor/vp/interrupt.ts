import { constantNumber, fieldOf, readU32, readU64 } from '../../abi/index.ts';
import type { HypercallAnswer } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import { type Call, type CallRow, failed, recordedAnswer, succeeded, unmodelledCall } from '../call/call.ts';
import { STATUS } from '../call/status.ts';
import { cellAt } from '../cells/place.ts';
import { VP } from '../cells/vp.ts';
import { acceptInterrupts } from '../lapic/accept.ts';
import { LVT, LVT_MASKED } from '../lapic/lvt.ts';
import { interruptTargets } from '../lapic/targets.ts';
import { PHASES } from '../partition/phases.ts';
import { findChild, RESERVED, reservedSet, wrongState } from '../partition/target.ts';
import { clearExtint, extintOf, putExtint } from './extint.ts';

const ASSERT = {
  id: fieldOf('hv_input_assert_virtual_interrupt', 'partition_id'),
  type: fieldOf('hv_input_assert_virtual_interrupt', 'control.interrupt_type'),
  level: fieldOf('hv_input_assert_virtual_interrupt', 'control.level_triggered'),
  logical: fieldOf('hv_input_assert_virtual_interrupt', 'control.logical_dest_mode'),
  reserved: fieldOf('hv_input_assert_virtual_interrupt', 'control.rsvd'),
  destination: fieldOf('hv_input_assert_virtual_interrupt', 'dest_addr'),
  vector: fieldOf('hv_input_assert_virtual_interrupt', 'vector'),
  reservedByte: fieldOf('hv_input_assert_virtual_interrupt', 'rsvd_z0'),
  reservedWord: fieldOf('hv_input_assert_virtual_interrupt', 'rsvd_z1'),
};
const CLEAR_ID = fieldOf('hv_input_clear_virtual_interrupt', 'partition_id');
const type = (name: string) => constantNumber(`HV_X64_INTERRUPT_TYPE_${name}`);
const FIXED = type('FIXED');
const LOWEST_PRIORITY = type('LOWESTPRIORITY');
const EXTINT = type('EXTINT');
const MAXIMUM = type('MAXIMUM');
/** The pins of the LAPIC, in their order. */
const LOCAL = [type('LOCALINT0'), type('LOCALINT1')];
const WITH_VECTOR = new Set([FIXED, LOWEST_PRIORITY, type('SIPI'), EXTINT]);
const FIRST_VECTOR = 16;
const MAX_VECTOR = 255;
const BAD = failed(STATUS.INVALID_PARAMETER, 'TLFS2013.interrupt.parameter');

/**
 * HvAssertVirtualInterrupt (TLFS 2013): what an interrupt of that type does to the VPs of the destination. An EXTINT waits
 * on the first of them until it is acknowledged and cleared; a local interrupt is what the vector table says of its pin.
 */
function assertInterrupt(call: Call): HypercallAnswer {
  const found = findChild(call, ASSERT.id);
  if ('answer' in found) return found.answer;
  const wrong = wrongState(call, found.id, PHASES.INTERRUPT);
  if (wrong !== undefined) return wrong;
  const { input, context } = call;
  if (reservedSet(call, [ASSERT.reserved, ASSERT.reservedByte, ASSERT.reservedWord])) return RESERVED;
  const kind = readU32(input, ASSERT.type);
  const vector = readU32(input, ASSERT.vector);
  const destination = readU64(input, ASSERT.destination);
  const small = (kind === FIXED || kind === LOWEST_PRIORITY) && vector < FIRST_VECTOR;
  if (kind >= MAXIMUM || vector > MAX_VECTOR || small) return BAD;
  if ((vector !== 0 && !WITH_VECTOR.has(kind)) || (kind === EXTINT && destination !== 0n)) return BAD;
  const reached = interruptTargets(context, found.id, destination, readU32(input, ASSERT.logical) === 1);
  if (kind === EXTINT) return external(call, reached[0], vector);
  const level = readU32(input, ASSERT.level) === 1;
  const pin = LOCAL.indexOf(kind);
  if (pin >= 0) for (const vp of reached) local(context, vp, LVT.lint0 + pin, level);
  else acceptInterrupts(context, reached, { mode: kind, vector, level });
  return succeeded('TLFS2013.interrupt.assert');
}

/** A pin of the LAPIC: what its entry in the vector table says, unless that is masked (Intel SDM 3, 12.5.1). */
function local(context: Context, vp: ObjectId, pin: number, level: boolean): void {
  const entry = context.store.low(cellAt(vp, VP.slots.lapic.lvt.first + pin));
  if ((entry & LVT_MASKED) !== 0) return;
  acceptInterrupts(context, [vp], { mode: (entry >>> 8) & 7, vector: entry & MAX_VECTOR, level });
}

const NOT_ACKNOWLEDGED = failed(STATUS.NOT_ACKNOWLEDGED, 'TLFS2013.interrupt.not-acknowledged');
const ACKNOWLEDGED = failed(STATUS.ACKNOWLEDGED, 'TLFS.interrupt.acknowledged');

/** What the guest did about an EXTINT while it ran unseen the record tells, where there is one. */
function told(call: Call, isInDoubt: boolean, own: HypercallAnswer): HypercallAnswer {
  return isInDoubt && recordedAnswer(call.event).result !== undefined ? unmodelledCall(call.event) : own;
}

/** One EXTINT at a time: the one before has to be acknowledged, and cleared (TLFS 5.0c, status codes 0x14 and 0x16). */
function external(call: Call, vp: ObjectId | undefined, vector: number): HypercallAnswer {
  const done = succeeded('TLFS2013.interrupt.assert');
  if (vp === undefined) return done;
  const { context } = call;
  const state = extintOf(context, vp);
  const refused = state === 'pending' ? NOT_ACKNOWLEDGED : ACKNOWLEDGED;
  const answer = state === 'none' ? done : told(call, state === 'in-doubt', refused);
  if (answer.result.status === STATUS.SUCCESS) putExtint(context, vp, vector);
  return answer;
}

/** HvClearVirtualInterrupt (TLFS 2013): what was asserted and acknowledged is done with; else it says that it was not. */
function clear(call: Call): HypercallAnswer {
  const found = findChild(call, CLEAR_ID);
  if ('answer' in found) return found.answer;
  const wrong = wrongState(call, found.id, PHASES.INTERRUPT);
  if (wrong !== undefined) return wrong;
  const { context } = call;
  const vps = context.store.children(found.id, VP);
  const states = vps.map((vp) => extintOf(context, vp));
  const isDone = states.some((state) => state === 'acknowledged' || state === 'in-doubt');
  const own = isDone ? succeeded('TLFS2013.interrupt.clear') : NOT_ACKNOWLEDGED;
  const answer = told(call, states.includes('in-doubt'), own);
  if (answer.result.status !== STATUS.SUCCESS) return answer;
  for (const vp of vps) if (extintOf(context, vp) !== 'pending') clearExtint(context, vp);
  return answer;
}

export const INTERRUPT_CALLS: readonly CallRow[] = [
  { name: 'ASSERT_VIRTUAL_INTERRUPT', answer: assertInterrupt },
  { name: 'CLEAR_VIRTUAL_INTERRUPT', answer: clear },
];
