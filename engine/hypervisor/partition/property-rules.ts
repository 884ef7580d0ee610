import { constantNumber, structOf } from '../../abi/index.ts';
import type { HypercallAnswer } from '../../machine/child.ts';
import { type ObjectId, TOP } from '../../state/store.ts';
import { type Call, failed } from '../call/call.ts';
import { STATUS } from '../call/status.ts';
import { PARTITION, type PartitionState, PROPERTY } from '../cells/partition.ts';
import { cellAt } from '../cells/place.ts';
import { stateOf } from './target.ts';

/** Number of a property code by its name without prefix. */
export function propertyCode(name: string): number {
  return constantNumber(`HV_PARTITION_PROPERTY_${name}`);
}

/**
 * What the hypervisor and the processor tell, and nobody sets: TLFS 2013, partition properties, names the processor's vendor and
 * features; the others say of themselves that they report.
 */
const READ_ONLY: ReadonlySet<number> = new Set(
  [
    'PROCESSOR_VENDOR',
    'PROCESSOR_FEATURES_DEPRECATED',
    'PROCESSOR_FEATURES0',
    'PROCESSOR_FEATURES1',
    'PROCESSOR_CL_FLUSH_SIZE',
    'PROCESSOR_CLOCK_FREQUENCY',
    'IMPLEMENTED_PHYSICAL_ADDRESS_BITS',
    'MAX_XSAVE_DATA_SIZE',
    'GUEST_OS_ID',
    'VMM_CAPABILITIES',
    'ASSIGNABLE_SYNTHETIC_PROC_FEATURES',
  ].map(propertyCode),
);

/** What a partition is made with: the drivers set it before they initialise it (patches to linux-hyperv of 2020; QEMU accel/mshv). */
const EARLY: ReadonlySet<number> = new Set(['PRIVILEGE_FLAGS', 'SYNTHETIC_PROC_FEATURES'].map(propertyCode));

/** Scheduling, time and debugging concern a partition that runs; TLFS 2013 asks for the state Active throughout. */
const RUNNING_GROUPS: ReadonlySet<number> = new Set([0x2, 0x3, 0x4]);
const GROUP_SHIFT = 16;

const STATE = failed(STATUS.INVALID_PARTITION_STATE, 'TLFS2013.partition.state');
const TOO_LATE = failed(STATUS.INVALID_PARTITION_STATE, 'choice.property.early');
const FIXED = failed(STATUS.INVALID_PARAMETER, 'choice.property.read-only');
const BAD_VALUE = failed(STATUS.INVALID_PARAMETER, 'choice.property.value');
const IN_USE = failed(STATUS.OBJECT_IN_USE, 'TLFS2013.property.in-use');

const ALL = 0xffff_ffff_ffff_ffffn;

/** Bits of the synthetic processor features that are not reserved (Linux 7.2 include/hyperv). */
function knownFeatures(): bigint {
  let mask = 0n;
  for (const { bits } of structOf('hv_partition_synthetic_processor_features').fields) {
    for (const { reserved, lsb, width } of bits) {
      if (!reserved) mask |= ((1n << BigInt(width)) - 1n) << BigInt(lsb);
    }
  }
  return mask;
}

/** Bits that a value may have, of properties of which that is known. */
const VALUES: ReadonlyMap<number, bigint> = new Map([
  [propertyCode('TIME_FREEZE'), 1n],
  [propertyCode('SYNTHETIC_PROC_FEATURES'), knownFeatures()],
  [propertyCode('UNIMPLEMENTED_MSR_ACTION'), BigInt(constantNumber('HV_UNIMPLEMENTED_MSR_ACTION_COUNT') - 1)],
]);
const DEBUG_CHANNEL_ID = propertyCode('DEBUG_CHANNEL_ID');

/** The answer to setting a property in the present state; undefined where that is legal. */
function wrongPhase(state: PartitionState, code: number): HypercallAnswer | undefined {
  if (READ_ONLY.has(code)) return FIXED;
  if (state === 'uninitialized' && RUNNING_GROUPS.has(code >>> GROUP_SHIFT)) return STATE;
  return state === 'active' && EARLY.has(code) ? TOO_LATE : undefined;
}

/** Another partition has that value, of a property that is each partition's own. */
function isTaken({ context: { store } }: Call, id: ObjectId, code: number, value: bigint): boolean {
  if (code !== DEBUG_CHANNEL_ID || value === 0n) return false;
  return store.children(TOP, PARTITION).some((other) => {
    const property = other === id ? undefined : store.find(other, PROPERTY, code);
    return property !== undefined && store.get(cellAt(property, PROPERTY.slots.value)) === value;
  });
}

/**
 * Why a property cannot be set to a value now (TLFS 2013, HvSetPartitionProperty): it cannot be set at all, or not in this
 * state of the partition; the value is none that it can have, or another partition's. Undefined: it can.
 */
export function refusedProperty(
  call: Call,
  id: ObjectId,
  code: number,
  value: bigint,
): HypercallAnswer | undefined {
  const wrong = wrongPhase(stateOf(call, id), code);
  if (wrong !== undefined) return wrong;
  if ((value & ~(VALUES.get(code) ?? ALL)) !== 0n) return BAD_VALUE;
  return isTaken(call, id, code, value) ? IN_USE : undefined;
}
