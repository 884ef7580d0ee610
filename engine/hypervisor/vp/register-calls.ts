import { constantNumber, fieldOf, readU32, readU64, writeField } from '../../abi/index.ts';
import type { HypercallAnswer } from '../../machine/child.ts';
import type { ObjectId } from '../../state/store.ts';
import { type Call, type CallRow, failed, recordedAnswer, repeated, unmodelledCall } from '../call/call.ts';
import type { Refusal } from '../call/legality.ts';
import { STATUS } from '../call/status.ts';
import { cellAt } from '../cells/place.ts';
import { VP } from '../cells/vp.ts';
import { DELIVERABILITY } from '../intercept/deliverability.ts';
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
import { invalidStop, isImpossible } from './impossible.ts';
import { GET, HIGH, LOW, SET, VALUE_BYTES } from './register-fields.ts';
import { replaceWritten } from './register-page-written.ts';
import { fixedValue, refusedValue, runsByItself, unknownName } from './rules.ts';
import { CONTROL_SLOTS, mayRun, setControl } from './suspend.ts';
import { readSynthetic, refusedOwn, setSynthetic } from './synthetic.ts';
import { isFresh, registerOf, setRegister, type Wide } from './values.ts';

/** Behind the VTL, in both inputs. */
const HEADER_RESERVED = ['input_vtl.reserved_z', 'rsvd_z8', 'rsvd_z16'].map((name) =>
  fieldOf('hv_input_set_vp_registers', name),
);
/** Between the name and the value of each element. */
const ELEMENT_RESERVED = ['elements.reserved1', 'elements.reserved2'].map((name) =>
  fieldOf('hv_input_set_vp_registers', name),
);
const SELF_VP = constantNumber('HV_VP_INDEX_SELF');

/** Registers of a VP of a child; of a CPU of the own partition; or those that a kernel in VTL 2 has of a lower one. */
type Whose = { readonly vp: ObjectId } | { readonly cpu: number } | { readonly vtl: true };
type Target = Whose | { readonly answer: HypercallAnswer };

/**
 * The own VP that a call names by number or as SELF: any role may name those of its own partition (TLFS 2013,
 * HvSetVpRegisters). Of a kernel in VTL 2 nothing is kept: the lower VTL changes its registers too (TLFS, VTL register access).
 */
function ownTarget(call: Call, fields: Pick<typeof SET, 'id' | 'index'>): Target | undefined {
  const found = findPartition(call, fields.id);
  if ('answer' in found || !isOwn(call, found.id)) return undefined;
  const { profile } = call.context;
  const index = readU32(call.input, fields.index);
  if (profile.role === 'vtl-host' && index === SELF_VP) return { vtl: true };
  const cpu = index === SELF_VP ? (call.event.cpu ?? 0) : index;
  return cpu < profile.cpus
    ? { cpu }
    : { answer: failed(STATUS.INVALID_VP_INDEX, 'TLFS2013.vp.unknown-index') };
}

function target(call: Call, fields: Pick<typeof SET, 'id' | 'index'>): Target {
  const own = ownTarget(call, fields);
  if (own !== undefined) {
    return 'answer' in own || !reservedSet(call, HEADER_RESERVED) ? own : { answer: RESERVED };
  }
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

/** A register of the own partition: a synthetic one as its MSR says, what the hypervisor tells as it is recorded. */
function ownValue(call: Call, whose: Exclude<Whose, { vp: ObjectId }>, name: number, index: number): Wide {
  const recorded = recordedValue(call, index);
  const { context } = call;
  const synthetic = 'cpu' in whose ? readSynthetic(context, whose, name, recorded?.low) : undefined;
  if (synthetic !== undefined) return synthetic;
  return { low: context.bind('register-value', recorded?.low, 0n), high: recorded?.high ?? 0n };
}

/**
 * The value of a register. What the guest made of it since it was last seen, what runs by itself and what the
 * hypervisor chose nobody can know: there the recorded value is taken, and kept.
 */
function valueRead(call: Call, whose: Whose, name: number, index: number): Wide | undefined {
  const { context } = call;
  if (!('vp' in whose)) return ownValue(call, whose, name, index);
  const { vp } = whose;
  const { store } = context;
  const control = name === DELIVERABILITY ? VP.slots.deliverability : CONTROL_SLOTS.get(name);
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
    const refused =
      unknownName(name, call.context.profile) ?? ('cpu' in found ? refusedOwn(name) : undefined);
    if (refused !== undefined) return stoppedAt(i, refused, output);
    const value = valueRead(call, found, name, i);
    if (value === undefined) return unmodelledCall(call.event);
    writeField(output, LOW, value.low, i);
    writeField(output, HIGH, value.high, i);
  }
  return repeated(STATUS.SUCCESS, repCount, 'TLFS2013.registers.get', output);
}

function reservedOf({ context, input }: Call, index: number): Refusal | undefined {
  if (context.profile.reservedBits === 'warn') return undefined;
  const isSet = ELEMENT_RESERVED.some((field) => readU64(input, field, index) !== 0n);
  return isSet ? { status: STATUS.INVALID_PARAMETER, rule: 'choice.input.reserved' } : undefined;
}

/** HvSetVpRegisters (TLFS 2013): values only, no side effects; an element that is refused ends the call there. */
function set(call: Call): HypercallAnswer {
  const { repCount, repStart } = call.control;
  const found = target(call, SET);
  if ('answer' in found) return found.answer;
  const { context, input } = call;
  if ('cpu' in found) {
    const range = { from: repStart, to: repCount };
    return setSynthetic(context, found, input, SET, range) ?? unmodelledCall(call.event);
  }
  let lets = false;
  for (let i = repStart; i < repCount; i++) {
    const name = readU32(input, SET.name, i);
    const value = { low: readU64(input, SET.value, i), high: readU64(input, SET.high, i) };
    const refused = unknownName(name, context.profile) ?? reservedOf(call, i) ?? refusedValue(name, value);
    if (refused !== undefined) return stoppedAt(i, refused);
    if (!('vp' in found)) continue;
    const control = CONTROL_SLOTS.get(name);
    if (name === DELIVERABILITY) context.store.set(cellAt(found.vp, VP.slots.deliverability), value.low);
    else if (control === undefined) {
      setRegister(context, found.vp, name, value);
      replaceWritten(context, found.vp, name, value);
    } else {
      setControl(context, found.vp, control, value.low);
      lets = true;
    }
  }
  const answer = repeated(STATUS.SUCCESS, repCount, 'TLFS2013.registers.set');
  return lets && 'vp' in found ? withStop(call, found.vp, answer) : answer;
}

/** A VP that this call lets run, and that cannot with the registers that it has. Where the root schedules its dispatch tells. */
function withStop({ context, event }: Call, vp: ObjectId, answer: HypercallAnswer): HypercallAnswer {
  if (context.profile.scheduler === 'root' || !mayRun(context, vp) || !isImpossible(context, vp))
    return answer;
  return { ...answer, emitted: [invalidStop(context, vp, event.cpu)] };
}

/** The registers of a VP. */
export const REGISTER_CALLS: readonly CallRow[] = [
  { name: 'GET_VP_REGISTERS', answer: get },
  { name: 'SET_VP_REGISTERS', answer: set },
];
