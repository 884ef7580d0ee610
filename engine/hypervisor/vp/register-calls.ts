import { constantNumber, fieldOf, readU32, readU64, writeField } from '../../abi/index.ts';
import type { HypercallAnswer } from '../../machine/child.ts';
import type { ObjectId } from '../../state/store.ts';
import { type Call, type CallRow, recordedAnswer, repeated, unmodelledCall } from '../call/call.ts';
import type { Refusal } from '../call/legality.ts';
import { STATUS } from '../call/status.ts';
import { cellAt } from '../cells/place.ts';
import { PHASES } from '../partition/phases.ts';
import {
  findChild,
  findPartition,
  findVp,
  isOwn,
  RESERVED,
  reservedSet,
  wrongState,
} from '../partition/target.ts';
import { fixedValue, refusedValue, runsByItself, unknownName } from './rules.ts';
import { CONTROL_SLOTS, setControl } from './suspend.ts';
import { isFresh, registerOf, setRegister, type Wide } from './values.ts';

const SET = {
  id: fieldOf('hv_input_set_vp_registers', 'partition_id'),
  index: fieldOf('hv_input_set_vp_registers', 'vp_index'),
  name: fieldOf('hv_input_set_vp_registers', 'elements.name'),
  value: fieldOf('hv_input_set_vp_registers', 'elements.value.reg64'),
};
const SET_HIGH = { ...SET.value, offset: SET.value.offset + 8 };
const GET = {
  id: fieldOf('hv_input_get_vp_registers', 'partition_id'),
  index: fieldOf('hv_input_get_vp_registers', 'vp_index'),
  name: fieldOf('hv_input_get_vp_registers', 'names'),
};
/** Behind the VTL, in both inputs. */
const HEADER_RESERVED = ['rsvd_z8', 'rsvd_z16'].map((name) => fieldOf('hv_input_set_vp_registers', name));
const SELF_VP = constantNumber('HV_VP_INDEX_SELF');
const VALUE_BYTES = 16;
const LOW = { ...fieldOf('hv_register_value', 'reg64'), stride: VALUE_BYTES };
const HIGH = { ...LOW, offset: LOW.offset + 8 };

/**
 * A kernel in VTL 2 has the registers of its own VP, those of the lower VTL among them (TLFS, VTL register access). Nothing
 * is kept of them: the lower VTL changes them too.
 */
function isOwnVp(call: Call, fields: Pick<typeof SET, 'id' | 'index'>): boolean {
  if (call.context.profile.role !== 'vtl-host' || readU32(call.input, fields.index) !== SELF_VP) return false;
  const found = findPartition(call, fields.id);
  return 'id' in found && isOwn(call, found.id);
}

function target(
  call: Call,
  fields: Pick<typeof SET, 'id' | 'index'>,
): { readonly vp: ObjectId | 'own' } | { readonly answer: HypercallAnswer } {
  if (isOwnVp(call, fields)) return reservedSet(call, HEADER_RESERVED) ? { answer: RESERVED } : { vp: 'own' };
  const found = findChild(call, fields.id);
  if ('answer' in found) return found;
  const wrong = wrongState(call, found.id, PHASES.VP_REGISTERS);
  if (wrong !== undefined) return { answer: wrong };
  const vp = findVp(call, found.id, readU32(call.input, fields.index));
  if ('answer' in vp) return vp;
  return reservedSet(call, HEADER_RESERVED) ? { answer: RESERVED } : { vp: vp.id };
}

/** What a recorded call returned for element `index`; undefined where it got no answer to it. */
function recordedValue(call: Call, index: number): Wide | undefined {
  const { output, result } = recordedAnswer(call.event);
  if (output === undefined || output.length < (index + 1) * VALUE_BYTES) return undefined;
  if (result !== undefined && result.reps <= index) return undefined;
  return { low: readU64(output, LOW, index), high: readU64(output, HIGH, index) };
}

/**
 * The value of a register. What the guest made of it since it was last seen, what runs by itself and what the
 * hypervisor chose nobody can know: there the recorded value is taken, and kept.
 */
function valueRead(call: Call, vp: ObjectId | 'own', name: number, index: number): Wide | undefined {
  const { context } = call;
  if (vp === 'own') {
    const recorded = recordedValue(call, index);
    return { low: context.bind('register-value', recorded?.low, 0n), high: recorded?.high ?? 0n };
  }
  const { store } = context;
  const control = CONTROL_SLOTS.get(name);
  if (control !== undefined) {
    const cell = cellAt(vp, control);
    return store.known(cell) ? { low: store.get(cell), high: 0n } : undefined;
  }
  const fixed = fixedValue(name);
  if (fixed !== undefined) return fixed;
  const own = registerOf(context, vp, name);
  const live = runsByItself(name);
  if (!live && isFresh(context, vp, name)) return own;
  const recorded = recordedValue(call, index);
  const low = context.bind('register-value', recorded?.low, own.low);
  const value = { low, high: recorded?.high ?? own.high };
  if (!live) setRegister(context, vp, name, value);
  return value;
}

function stoppedAt(index: number, { status, rule }: Refusal, output?: Uint8Array): HypercallAnswer {
  return repeated(status, index, rule, output?.slice(0, index * VALUE_BYTES));
}

/** HvGetVpRegisters (TLFS 2013): an element that cannot be named ends the call there. */
function get(call: Call): HypercallAnswer {
  const { repCount, repStart } = call.control;
  const found = target(call, GET);
  if ('answer' in found) return found.answer;
  const output = new Uint8Array(repCount * VALUE_BYTES);
  for (let i = repStart; i < repCount; i++) {
    const name = readU32(call.input, GET.name, i);
    const unknown = unknownName(name, call.context.profile);
    if (unknown !== undefined) return stoppedAt(i, unknown, output);
    const value = valueRead(call, found.vp, name, i);
    if (value === undefined) return unmodelledCall(call.event);
    writeField(output, LOW, value.low, i);
    writeField(output, HIGH, value.high, i);
  }
  return repeated(STATUS.SUCCESS, repCount, 'TLFS2013.registers.get', output);
}

/** HvSetVpRegisters (TLFS 2013): values only, no side effects; an element that is refused ends the call there. */
function set(call: Call): HypercallAnswer {
  const { repCount, repStart } = call.control;
  const found = target(call, SET);
  if ('answer' in found) return found.answer;
  const { context, input } = call;
  for (let i = repStart; i < repCount; i++) {
    const name = readU32(input, SET.name, i);
    const value = { low: readU64(input, SET.value, i), high: readU64(input, SET_HIGH, i) };
    const refused = unknownName(name, context.profile) ?? refusedValue(name, value);
    if (refused !== undefined) return stoppedAt(i, refused);
    if (found.vp === 'own') continue;
    const control = CONTROL_SLOTS.get(name);
    if (control === undefined) setRegister(context, found.vp, name, value);
    else setControl(context, found.vp, control, value.low);
  }
  return repeated(STATUS.SUCCESS, repCount, 'TLFS2013.registers.set');
}

/** The registers of a VP. */
export const REGISTER_CALLS: readonly CallRow[] = [
  { name: 'GET_VP_REGISTERS', answer: get },
  { name: 'SET_VP_REGISTERS', answer: set },
];
