import { constantNumber, fieldOf, readU32, readU64 } from '../../abi/index.ts';
import type { HypercallAnswer } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import { type Call, type CallRow, failed, succeeded } from '../call/call.ts';
import { STATUS } from '../call/status.ts';
import { cellAt } from '../cells/place.ts';
import { VP } from '../cells/vp.ts';
import { PHASES } from '../partition/phases.ts';
import { findChild, RESERVED, reservedSet, wrongState } from '../partition/target.ts';
import { requestInterrupt } from './request.ts';

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
const WITH_VECTOR = new Set([FIXED, LOWEST_PRIORITY, type('SIPI'), EXTINT]);
const FIRST_VECTOR = 16;
const MAX_VECTOR = 255;
/** Destination of all processors, as xAPIC and x2APIC write it (Intel SDM 3, 12.6.2). */
const BROADCAST = [0xffn, 0xffff_ffffn];
const { extint } = VP.slots.interrupt;
/** Set in the cell of an EXTINT that has not been acknowledged, beside its vector. */
export const EXTINT_PENDING = 0x100;

const BAD = failed(STATUS.INVALID_PARAMETER, 'TLFS2013.interrupt.parameter');

/** VPs that an interrupt goes to: by APIC id, which is the index; logically by a bit each (flat model). */
export function interruptTargets(
  context: Context,
  partition: ObjectId,
  destination: bigint,
  logical: boolean,
): ObjectId[] {
  const { store } = context;
  return store.children(partition, VP).filter((vp) => {
    if (BROADCAST.includes(destination)) return true;
    const index = BigInt(store.key(vp));
    return logical ? ((destination >> index) & 1n) === 1n : destination === index;
  });
}

/**
 * HvAssertVirtualInterrupt (TLFS 2013): sets the request bit; several of one vector are one. An EXTINT
 * waits until it is acknowledged. What types without a vector do is not modelled: they are accepted.
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
  if (kind === EXTINT) return external(context, reached[0], vector);
  if (kind !== FIXED && kind !== LOWEST_PRIORITY) return succeeded('TLFS2013.interrupt.assert');
  const level = readU32(input, ASSERT.level) === 1;
  for (const vp of kind === FIXED ? reached : reached.slice(0, 1))
    requestInterrupt(context, vp, vector, level);
  return succeeded('TLFS2013.interrupt.assert');
}

function external(context: Context, vp: ObjectId | undefined, vector: number): HypercallAnswer {
  if (vp === undefined) return succeeded('TLFS2013.interrupt.assert');
  const cell = cellAt(vp, extint);
  if ((context.store.low(cell) & EXTINT_PENDING) !== 0) {
    return failed(STATUS.NOT_ACKNOWLEDGED, 'TLFS2013.interrupt.not-acknowledged');
  }
  context.store.set(cell, vector | EXTINT_PENDING);
  return succeeded('TLFS2013.interrupt.assert');
}

/** HvClearVirtualInterrupt (TLFS 2013): takes an EXTINT back, and says where it had not been acknowledged. */
function clear(call: Call): HypercallAnswer {
  const found = findChild(call, CLEAR_ID);
  if ('answer' in found) return found.answer;
  const wrong = wrongState(call, found.id, PHASES.INTERRUPT);
  if (wrong !== undefined) return wrong;
  const { store } = call.context;
  const waiting = store
    .children(found.id, VP)
    .filter((vp) => (store.low(cellAt(vp, extint)) & EXTINT_PENDING) !== 0);
  for (const vp of waiting) store.set(cellAt(vp, extint), 0);
  return waiting.length > 0
    ? failed(STATUS.NOT_ACKNOWLEDGED, 'TLFS2013.interrupt.not-acknowledged')
    : succeeded('TLFS2013.interrupt.clear');
}

export const INTERRUPT_CALLS: readonly CallRow[] = [
  { name: 'ASSERT_VIRTUAL_INTERRUPT', answer: assertInterrupt },
  { name: 'CLEAR_VIRTUAL_INTERRUPT', answer: clear },
];
