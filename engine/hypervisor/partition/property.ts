import {
  constantNumber,
  type FieldHandle,
  fieldOf,
  partitionProperties,
  readU32,
  readU64,
  writeField,
} from '../../abi/index.ts';
import type { HypercallAnswer } from '../../machine/child.ts';
import type { ObjectId } from '../../state/store.ts';
import { type Call, type CallRow, failed, recordedAnswer, succeeded, unmodelledCall } from '../call/call.ts';
import { STATUS } from '../call/status.ts';
import { PROPERTY } from '../cells/partition.ts';
import { cellAt } from '../cells/place.ts';
import { PHASES } from './phases.ts';
import { readReferenceTime, setReferenceTime, timeOf } from './reference.ts';
import { findPartition, isOwn, RESERVED, reservedSet, wrongState } from './target.ts';

interface Fields {
  readonly id: FieldHandle;
  readonly code: FieldHandle;
  readonly padding: FieldHandle;
}

function fieldsOf(struct: string): Fields {
  return {
    id: fieldOf(struct, 'partition_id'),
    code: fieldOf(struct, 'property_code'),
    padding: fieldOf(struct, 'padding'),
  };
}

const GET = fieldsOf('hv_input_get_partition_property');
const GET_EX = fieldsOf('hv_input_get_partition_property_ex');
const SET = fieldsOf('hv_input_set_partition_property');
const SET_VALUE = fieldOf('hv_input_set_partition_property', 'property_value');
const GET_OUTPUT = fieldOf('hv_output_get_partition_property', 'property_value');
const VALUE_BYTES = 8;
const VMM_CAPABILITIES = constantNumber('HV_PARTITION_PROPERTY_VMM_CAPABILITIES');
const CAPABILITIES = {
  bytes: 16,
  banks: fieldOf('hv_partition_property_vmm_capabilities', 'bank_count'),
  overlay: fieldOf('hv_partition_property_vmm_capabilities', 'vmm_can_provide_overlay_gpfn'),
  integrated: fieldOf('hv_partition_property_vmm_capabilities', 'vmm_enable_integrated_scheduler'),
};
const ADDRESS_WIDTH = constantNumber('HV_PARTITION_PROPERTY_PHYSICAL_ADDRESS_WIDTH');
/** x87 and SSE, whose XSAVE area is 512 bytes and a header of 64 (Intel SDM 1, 13.4); all else is 0. */
const CHOSEN: ReadonlyMap<number, bigint> = new Map([
  [constantNumber('HV_PARTITION_PROPERTY_XSAVE_STATES'), 3n],
  [constantNumber('HV_PARTITION_PROPERTY_MAX_XSAVE_DATA_SIZE'), 576n],
]);
const REFERENCE_TIME = constantNumber('HV_PARTITION_PROPERTY_REFERENCE_TIME');
const INTEGRATED_SCHEDULER = constantNumber('HV_PARTITION_PROPERTY_INTEGRATED_SCHEDULER_ENABLED');

/** Partition and property that a call names, or why it cannot have them. */
function named(
  call: Call,
  fields: Fields,
  legal: (typeof PHASES)['GET_PARTITION_PROPERTY' | 'SET_PARTITION_PROPERTY'],
): { readonly id: ObjectId; readonly code: number } | { readonly answer: HypercallAnswer } {
  const found = findPartition(call, fields.id);
  if ('answer' in found) return found;
  const wrong = wrongState(call, found.id, legal);
  if (wrong !== undefined) return { answer: wrong };
  const code = readU32(call.input, fields.code);
  if (partitionProperties.find(code) === undefined) {
    return { answer: failed(STATUS.UNKNOWN_PROPERTY, 'HDR.property.unknown') };
  }
  if (reservedSet(call, [fields.padding])) return { answer: RESERVED };
  return { id: found.id, code };
}

/** What was set is read back; what never was is the hypervisor's choice. */
function get(call: Call): HypercallAnswer {
  const target = named(call, GET, PHASES.GET_PARTITION_PROPERTY);
  if ('answer' in target) return target.answer;
  const { store } = call.context;
  const property = store.find(target.id, PROPERTY, target.code);
  const output = new Uint8Array(VALUE_BYTES);
  if (target.code === REFERENCE_TIME) {
    const time = readReferenceTime(call.context, target.id, timeOf(call.event), recordedValue(call));
    writeField(output, GET_OUTPUT, time);
    return succeeded('TLFS.reference-time', output);
  }
  const value =
    property === undefined ? chosenValue(call, target) : store.get(cellAt(property, PROPERTY.slots.value));
  writeField(output, GET_OUTPUT, value);
  return succeeded('TLFS2013.property.get', output);
}

/** What a recorded call returned. */
function recordedValue(call: Call): bigint | undefined {
  const { output } = recordedAnswer(call.event);
  return output === undefined || output.length < VALUE_BYTES ? undefined : readU64(output, GET_OUTPUT);
}

/** The value of a property that nobody set: the hypervisor and the processor choose it, and it stays. */
function chosenValue(call: Call, { id, code }: { readonly id: ObjectId; readonly code: number }): bigint {
  const { context } = call;
  const own = code === ADDRESS_WIDTH ? BigInt(context.profile.gpaBits) : (CHOSEN.get(code) ?? 0n);
  const value = context.bind('property-value', recordedValue(call), own);
  context.store.set(cellAt(context.store.create(id, PROPERTY, code), PROPERTY.slots.value), value);
  return value;
}

function set(call: Call): HypercallAnswer {
  const target = named(call, SET, PHASES.SET_PARTITION_PROPERTY);
  if ('answer' in target) return target.answer;
  const { store } = call.context;
  if (target.code === REFERENCE_TIME) {
    setReferenceTime(call.context, target.id, timeOf(call.event), readU64(call.input, SET_VALUE));
    return succeeded('TLFS2013.property.set');
  }
  const property =
    store.find(target.id, PROPERTY, target.code) ?? store.create(target.id, PROPERTY, target.code);
  store.set(cellAt(property, PROPERTY.slots.value), readU64(call.input, SET_VALUE));
  if (recordedAnswer(call.event).result?.status !== STATUS.CALL_PENDING) {
    return succeeded('TLFS2013.property.set');
  }
  // The value counts at once; that it took effect is told by a message of its own.
  call.context.bind('async-call', BigInt(STATUS.CALL_PENDING), 0n);
  return failed(STATUS.CALL_PENDING, 'HDR.property.pending');
}

/**
 * Of the extended properties only two of the own partition are modelled: what a VMM may do (an L1VH partition may
 * give the frames of stats and state pages itself, a root may not: Linux 7.2 drivers/hv/mshv_root_hv_call.c,
 * mshv_use_overlay_gpfn), and whether the scheduler is the parent's business (profile `scheduler`).
 */
function getEx(call: Call): HypercallAnswer {
  const target = named(call, GET_EX, PHASES.GET_PARTITION_PROPERTY);
  if ('answer' in target) return target.answer;
  if (!isOwn(call, target.id)) return unmodelledCall(call.event);
  const { role, scheduler } = call.context.profile;
  if (target.code === VMM_CAPABILITIES) {
    const output = new Uint8Array(CAPABILITIES.bytes);
    writeField(output, CAPABILITIES.banks, 1);
    writeField(output, CAPABILITIES.overlay, role === 'l1vh' ? 1 : 0);
    writeField(output, CAPABILITIES.integrated, role === 'l1vh' && scheduler === 'root' ? 1 : 0);
    return succeeded('choice.property.vmm-capabilities', output);
  }
  if (target.code !== INTEGRATED_SCHEDULER) return unmodelledCall(call.event);
  const output = new Uint8Array(VALUE_BYTES);
  writeField(output, GET_OUTPUT, scheduler === 'root' ? 1 : 0);
  return succeeded('profile.scheduler', output);
}

export const PROPERTY_CALLS: readonly CallRow[] = [
  { name: 'GET_PARTITION_PROPERTY', answer: get },
  { name: 'SET_PARTITION_PROPERTY', answer: set },
  { name: 'GET_PARTITION_PROPERTY_EX', answer: getEx },
];
