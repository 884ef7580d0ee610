import {
  constant,
  constantNumber,
  fieldOf,
  hypercalls,
  readU32,
  readU64,
  writeField,
} from '../../abi/index.ts';
import { cellAt } from '../../hypervisor/index.ts';
import type { DriverRun, Outcome } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { IoctlEvent } from '../../trace/event.ts';
import { MSHV, MSHV_OPEN, MSHV_PARTITION } from '../cells/driver.ts';
import type { Actor } from '../kernel/access.ts';
import { errnoOf, failure } from '../kernel/errno.ts';
import { hypercall } from '../kernel/hypercall.ts';
import { driverOf } from '../kernel/objects.ts';
import { installPartition, NO_FD, notePartition, recordedOutput } from '../mshv/create-partition.ts';
import { hypercallWithMemory } from '../mshv/deposit.ts';
import { deletePartition, finalizePartition } from '../mshv/end.ts';
import { initialize } from '../mshv/initialize.ts';
import type { IoctlRow } from '../mshv/ioctl-row.ts';
import { partitionOf } from '../mshv/objects.ts';
import { SELF } from '../mshv/partition-id.ts';
import { withdrawAll } from '../mshv/withdraw.ts';
import { hasNoFd, newFd } from '../process/files.ts';

const RULE = 'Linux.rfc2020.device';
const VERSION = fieldOf('u32', 'value');
const SUPPORTED_VERSION = 0;
const MAX_PARTITIONS = 128;

const ARG = {
  bytes: 40,
  flags: fieldOf('rfc2020_mshv_create_partition', 'flags'),
  synthetic: fieldOf('rfc2020_mshv_create_partition', 'synthetic_processor_features'),
};
const EXO = constant('HV_PARTITION_CREATION_FLAG_EXO_PARTITION');
/** HV_COMPATIBILITY_MANGANESE. */
const COMPATIBILITY = 0x607;
const CREATE = {
  code: hypercalls.number('CREATE_PARTITION'),
  bytes: 56,
  flags: fieldOf('hv_input_create_partition', 'flags'),
  version: fieldOf('hv_input_create_partition', 'compatibility_version'),
  id: fieldOf('hv_output_create_partition', 'partition_id'),
};
const SET = {
  code: hypercalls.number('SET_PARTITION_PROPERTY'),
  bytes: 24,
  id: fieldOf('hv_input_set_partition_property', 'partition_id'),
  property: fieldOf('hv_input_set_partition_property', 'property_code'),
  value: fieldOf('hv_input_set_partition_property', 'property_value'),
};
const SYNTHETIC_FEATURES = constantNumber('HV_PARTITION_PROPERTY_SYNTHETIC_PROC_FEATURES');
const NO_PARTITION = constant('HV_PARTITION_ID_INVALID');

function openOf(event: IoctlEvent): number {
  return event.handle.kind === 'device' ? event.handle.open : 0;
}

function hasVersion(context: Context, event: IoctlEvent): boolean {
  return context.store.find(driverOf(context, MSHV), MSHV_OPEN, openOf(event)) !== undefined;
}

/** MSHV_REQUEST_VERSION: once for each open, before anything else. */
function* requestVersion(
  context: Context,
  _actor: Actor,
  event: IoctlEvent,
  arg: Uint8Array,
): DriverRun<Outcome> {
  yield* [];
  if (hasVersion(context, event)) return { ret: failure('EBADFD'), rule: RULE };
  if (readU32(arg, VERSION) !== SUPPORTED_VERSION) return { ret: failure('ENOTSUPP'), rule: RULE };
  const open = context.store.create(driverOf(context, MSHV), MSHV_OPEN, openOf(event));
  context.store.set(cellAt(open, MSHV_OPEN.slots.version), 1);
  return { ret: 0, rule: RULE };
}

/**
 * The partition is made, told its synthetic features and initialised, and only then it is seen that there are too many. Of the argument's
 * processor features nothing is passed on (hv_call_create_partition writes zeros).
 */
function* createPartition(
  context: Context,
  actor: Actor,
  event: IoctlEvent,
  arg: Uint8Array,
): DriverRun<Outcome> {
  if (!hasVersion(context, event)) return { ret: failure('EBADFD'), rule: RULE };
  // Unlike upstream, the descriptor comes first, so nothing has to be undone.
  if (hasNoFd(context, event)) return { ret: failure('EMFILE'), rule: NO_FD };
  const { store } = context;
  const input = new Uint8Array(CREATE.bytes);
  writeField(input, CREATE.flags, readU64(arg, ARG.flags) | EXO);
  writeField(input, CREATE.version, COMPATIBILITY);
  const output = recordedOutput(event);
  const options = output === undefined ? {} : { output };
  const created = yield* hypercallWithMemory(context, actor, SELF, CREATE.code, input, options);
  if (created.ret !== 0) return { ret: created.ret, rule: RULE };
  const partition = readU64(created.answer.output ?? new Uint8Array(0), CREATE.id);
  if (partition === NO_PARTITION) throw new Error('a partition without an id');
  const ret = yield* setUp(context, actor, partition, readU64(arg, ARG.synthetic));
  if (ret !== 0) return { ret, rule: RULE };
  if (store.children(driverOf(context, MSHV), MSHV_PARTITION).length >= MAX_PARTITIONS) {
    yield* refuse(context, actor, partition);
    return { ret: failure('ENOSPC'), rule: RULE };
  }
  notePartition(context, event, partition);
  const id = partitionOf(context, partition);
  if (id !== undefined) store.set(cellAt(id, MSHV_PARTITION.slots.initialized), 1);
  return { ret: newFd(context, event), out: { handle: { kind: 'partition', partition } }, rule: RULE };
}

function* setUp(context: Context, actor: Actor, partition: bigint, features: bigint): DriverRun<number> {
  const input = new Uint8Array(SET.bytes);
  writeField(input, SET.id, partition);
  writeField(input, SET.property, SYNTHETIC_FEATURES);
  writeField(input, SET.value, features);
  const answer = yield* hypercall(actor, SET.code, input);
  let ret = errnoOf(answer, context.profile);
  if (ret === 0) ret = yield* initialize(context, actor, partition);
  // The pages stay in its pool, so that the hypervisor keeps it.
  if (ret !== 0) yield* deletePartition(context, actor, partition);
  return ret;
}

/** Its file goes, which tears it down; then it is finalized and deleted once more (goto release_file). */
function* refuse(context: Context, actor: Actor, partition: bigint): DriverRun<void> {
  yield* finalizePartition(context, actor, partition);
  yield* withdrawAll(actor, partition);
  yield* deletePartition(context, actor, partition);
  yield* finalizePartition(context, actor, partition);
  yield* deletePartition(context, actor, partition);
}

/** The device of the RFC of 2020 (patches to linux-hyperv, patches 05/18, 06/18 and 18/18). */
export const DEVICE_IOCTLS: readonly IoctlRow[] = [
  { fd: 'device', name: 'MSHV_REQUEST_VERSION', argBytes: 4, enter: requestVersion },
  {
    fd: 'device',
    name: 'MSHV_CREATE_PARTITION',
    argBytes: ARG.bytes,
    enter: createPartition,
    leave: installPartition,
  },
];
