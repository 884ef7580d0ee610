import {
  type FieldHandle,
  fieldOf,
  partitionProperties,
  readU32,
  readU64,
  registers,
  writeField,
} from '../../abi/index.ts';
import type { HypercallAnswer } from '../../machine/child.ts';
import type { ObjectId } from '../../state/store.ts';
import { type Call, type CallRow, failed, recordedAnswer, succeeded } from '../call/call.ts';
import { pendingAnswer } from '../call/completion.ts';
import { STATUS } from '../call/status.ts';
import { PROPERTY } from '../cells/partition.ts';
import { cellAt } from '../cells/place.ts';
import { VP } from '../cells/vp.ts';
import { rearmTimers } from '../synic/expire.ts';
import { isFresh, registerOf } from '../vp/values.ts';
import { PHASES } from './phases.ts';
import { propertyCode, refusedProperty } from './property-rules.ts';
import { freezeReferenceTime, readReferenceTime, setReferenceTime, timeOf } from './reference.ts';
import { findPartition, isOwn, isRoot, RESERVED, reservedSet, wrongState } from './target.ts';

interface Fields {
  readonly id: FieldHandle;
  readonly code: FieldHandle;
  readonly reserved: readonly FieldHandle[];
}

/** Where an input says of which partition and property it is, and what of it must be zero. */
export function propertyFields(struct: string, reserved: readonly string[] = ['padding']): Fields {
  return {
    id: fieldOf(struct, 'partition_id'),
    code: fieldOf(struct, 'property_code'),
    reserved: reserved.map((name) => fieldOf(struct, name)),
  };
}

const GET = propertyFields('hv_input_get_partition_property');
const SET = propertyFields('hv_input_set_partition_property');
const SET_VALUE = fieldOf('hv_input_set_partition_property', 'property_value');
const GET_OUTPUT = fieldOf('hv_output_get_partition_property', 'property_value');
const VALUE_BYTES = 8;
const ADDRESS_WIDTH = propertyCode('PHYSICAL_ADDRESS_WIDTH');
/** x87 and SSE, whose XSAVE area is 512 bytes and a header of 64 (Intel SDM 1, 13.4); all else is 0. */
const CHOSEN: ReadonlyMap<number, bigint> = new Map([
  [propertyCode('XSAVE_STATES'), 3n],
  [propertyCode('MAX_XSAVE_DATA_SIZE'), 576n],
]);
const REFERENCE_TIME = propertyCode('REFERENCE_TIME');
const TIME_FREEZE = propertyCode('TIME_FREEZE');
const GUEST_OS_ID = propertyCode('GUEST_OS_ID');
const GUEST_OS_ID_REGISTER = registers.number('GUEST_OS_ID');
const FIRST_VP = 0;
const NOT_THE_PARENT = failed(STATUS.ACCESS_DENIED, 'TLFS2013.property.not-the-parent');

interface Named {
  readonly id: ObjectId;
  readonly code: number;
}

/** Partition and property that a call names, or why it cannot have them. */
export function namedProperty(
  call: Call,
  fields: Fields,
  legal: (typeof PHASES)['GET_PARTITION_PROPERTY' | 'SET_PARTITION_PROPERTY'],
): Named | { readonly answer: HypercallAnswer } {
  const found = findPartition(call, fields.id);
  if ('answer' in found) return found;
  const wrong = wrongState(call, found.id, legal);
  if (wrong !== undefined) return { answer: wrong };
  const code = readU32(call.input, fields.code);
  if (partitionProperties.find(code) === undefined) {
    return { answer: failed(STATUS.UNKNOWN_PROPERTY, 'HDR.property.unknown') };
  }
  if (reservedSet(call, fields.reserved)) return { answer: RESERVED };
  return { id: found.id, code };
}

/** What was set is read back; what never was is the hypervisor's choice. */
function get(call: Call): HypercallAnswer {
  const target = namedProperty(call, GET, PHASES.GET_PARTITION_PROPERTY);
  return 'answer' in target ? target.answer : plainProperty(call, target);
}

/** The value of a property of 64 bits. */
export function plainProperty(call: Call, target: Named): HypercallAnswer {
  const output = new Uint8Array(VALUE_BYTES);
  const time = target.code === REFERENCE_TIME;
  writeField(output, GET_OUTPUT, time ? timeOfPartition(call, target.id) : valueKept(call, target));
  return succeeded(time ? 'TLFS.reference-time' : 'TLFS2013.property.get', output);
}

function timeOfPartition(call: Call, id: ObjectId): bigint {
  return readReferenceTime(call.context, id, timeOf(call.event), recordedValue(call));
}

function valueKept(call: Call, target: Named): bigint {
  const { store } = call.context;
  if (target.code === GUEST_OS_ID) return guestIdentity(call, target.id);
  const property = store.find(target.id, PROPERTY, target.code);
  return property === undefined
    ? chosenValue(call, target)
    : store.get(cellAt(property, PROPERTY.slots.value));
}

/** What the guest said of itself (TLFS, guest OS identity): the register of its first VP. */
function guestIdentity(call: Call, id: ObjectId): bigint {
  const { context } = call;
  const vp = context.store.find(id, VP, FIRST_VP);
  const own = vp === undefined ? 0n : registerOf(context, vp, GUEST_OS_ID_REGISTER).low;
  const isKnown = vp === undefined ? !isOwn(call, id) : isFresh(context, vp, GUEST_OS_ID_REGISTER);
  return isKnown ? own : context.bind('property-value', recordedValue(call), own);
}

/** What a recorded call returned. */
function recordedValue(call: Call): bigint | undefined {
  const { output } = recordedAnswer(call.event);
  return output === undefined || output.length < VALUE_BYTES ? undefined : readU64(output, GET_OUTPUT);
}

/** The value of a property that nobody set: the hypervisor and the processor choose it, and it stays. */
function chosenValue(call: Call, { id, code }: Named): bigint {
  const { context } = call;
  const own = code === ADDRESS_WIDTH ? BigInt(context.profile.gpaBits) : (CHOSEN.get(code) ?? 0n);
  const value = context.bind('property-value', recordedValue(call), own);
  context.store.set(cellAt(context.store.create(id, PROPERTY, code), PROPERTY.slots.value), value);
  return value;
}

/** Gives a property its value; those of time take effect at once. */
function assign(call: Call, { id, code }: Named, value: bigint): void {
  const { context } = call;
  const { store } = context;
  const now = timeOf(call.event);
  if (code === TIME_FREEZE) freezeReferenceTime(context, id, now, value === 1n);
  if (code === REFERENCE_TIME) setReferenceTime(context, id, now, value);
  else {
    const property = store.find(id, PROPERTY, code) ?? store.create(id, PROPERTY, code);
    store.set(cellAt(property, PROPERTY.slots.value), value);
  }
  if (code === TIME_FREEZE || code === REFERENCE_TIME) rearmTimers(context, id, now);
}

/** Only a parent sets a partition's properties, and a root its own (TLFS 2013, HvSetPartitionProperty). */
function set(call: Call): HypercallAnswer {
  const target = namedProperty(call, SET, PHASES.SET_PARTITION_PROPERTY);
  if ('answer' in target) return target.answer;
  if (isOwn(call, target.id) && !isRoot(call)) return NOT_THE_PARENT;
  const value = readU64(call.input, SET_VALUE);
  const refused = refusedProperty(call, target.id, target.code, value);
  if (refused !== undefined) return refused;
  assign(call, target, value);
  // The value counts at once, whatever is said of the call's end.
  return pendingAnswer(call, target.id) ?? succeeded('TLFS2013.property.set');
}

export const PROPERTY_CALLS: readonly CallRow[] = [
  { name: 'GET_PARTITION_PROPERTY', answer: get },
  { name: 'SET_PARTITION_PROPERTY', answer: set },
];
