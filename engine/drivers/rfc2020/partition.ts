import { constantNumber, fieldOf, hypercalls, readU32, readU64, writeField } from '../../abi/index.ts';
import type { DriverRun, Outcome } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { IoctlEvent } from '../../trace/event.ts';
import { MSHV_VP } from '../cells/driver.ts';
import type { Actor } from '../kernel/access.ts';
import { errnoOf, failure } from '../kernel/errno.ts';
import { issue } from '../kernel/hypercall.ts';
import { NO_FD } from '../mshv/create-partition.ts';
import { createVp, installVp, noteVp } from '../mshv/create-vp.ts';
import { hypercallWithMemory } from '../mshv/deposit.ts';
import type { IoctlRow } from '../mshv/ioctl-row.ts';
import { partitionOfHandle } from '../mshv/objects.ts';
import { hasNoFd, newFd } from '../process/files.ts';

const RULE = 'Linux.rfc2020.partition';
const MAX_VPS = constantNumber('MSHV_MAX_VPS');
const INSTALL_INTERCEPT = hypercalls.number('INSTALL_INTERCEPT');
const VP_INDEX = fieldOf('u32', 'value');

type Enter = IoctlRow['enter'];

function* createVirtualProcessor(
  context: Context,
  actor: Actor,
  event: IoctlEvent,
  arg: Uint8Array,
): DriverRun<Outcome> {
  const index = readU32(arg, VP_INDEX);
  const { partition, id } = partitionOfHandle(context, event.handle);
  if (index >= MAX_VPS) return { ret: failure('EINVAL'), rule: RULE };
  if (context.store.find(id, MSHV_VP, index) !== undefined) return { ret: failure('EEXIST'), rule: RULE };
  if (hasNoFd(context, event)) return { ret: failure('EMFILE'), rule: NO_FD };
  const ret = yield* createVp(context, actor, { partition, index });
  if (ret !== 0) return { ret, rule: RULE };
  noteVp(context, event, id, index, false);
  const handle = { kind: 'vp', partition, vp: index } as const;
  return { ret: newFd(context, event), out: { handle }, rule: RULE };
}

/**
 * A call that is one hypercall: `bytes` of input behind the partition id, from the argument as `fill` has it. Only intercepts are
 * installed again after a deposit (hv_call_install_intercept).
 */
function oneCall(name: string, bytes: number, fill: (input: Uint8Array, arg: Uint8Array) => void): Enter {
  const code = hypercalls.number(name);
  return function* (context, actor, event, arg) {
    const { partition } = partitionOfHandle(context, event.handle);
    const input = new Uint8Array(bytes);
    new DataView(input.buffer).setBigUint64(0, partition, true);
    fill(input, arg);
    if (code === INSTALL_INTERCEPT)
      return { ret: (yield* hypercallWithMemory(context, actor, partition, code, input)).ret, rule: RULE };
    return { ret: errnoOf(yield* issue(actor, code, input), context.profile), rule: RULE };
  };
}

const PROPERTY = {
  bytes: 16,
  code: fieldOf('rfc2020_mshv_partition_property', 'property_code'),
  value: fieldOf('rfc2020_mshv_partition_property', 'property_value'),
};
const SET = {
  code: fieldOf('hv_input_set_partition_property', 'property_code'),
  value: fieldOf('hv_input_set_partition_property', 'property_value'),
};
const GET = { code: hypercalls.number('GET_PARTITION_PROPERTY'), bytes: 16 };
const GOT = fieldOf('hv_output_get_partition_property', 'property_value');

function* getProperty(
  context: Context,
  actor: Actor,
  event: IoctlEvent,
  arg: Uint8Array,
): DriverRun<Outcome> {
  const { partition } = partitionOfHandle(context, event.handle);
  const input = new Uint8Array(GET.bytes);
  new DataView(input.buffer).setBigUint64(0, partition, true);
  writeField(input, SET.code, readU32(arg, PROPERTY.code));
  const answer = yield* issue(actor, GET.code, input);
  const ret = errnoOf(answer, context.profile);
  if (ret !== 0) return { ret, rule: RULE };
  const after = arg.slice(0, PROPERTY.bytes);
  writeField(after, PROPERTY.value, readU64(answer.output ?? new Uint8Array(0), GOT));
  return { ret, out: { arg: after }, rule: RULE };
}

/** Calls on a partition of the RFC of 2020 besides memory. */
export const PARTITION_IOCTLS: readonly IoctlRow[] = [
  { fd: 'partition', name: 'MSHV_CREATE_VP', argBytes: 4, enter: createVirtualProcessor, leave: installVp },
  {
    fd: 'partition',
    name: 'MSHV_INSTALL_INTERCEPT',
    argBytes: 16,
    // Access mask, type and parameter stand in the call as in the argument.
    enter: oneCall('INSTALL_INTERCEPT', 24, (input, arg) => input.set(arg.subarray(0, 16), 8)),
  },
  {
    fd: 'partition',
    name: 'MSHV_ASSERT_INTERRUPT',
    argBytes: 24,
    // Control, destination and vector too; of its last 8 bytes the call has the vector alone.
    enter: oneCall('ASSERT_VIRTUAL_INTERRUPT', 32, (input, arg) => input.set(arg.subarray(0, 20), 8)),
  },
  {
    fd: 'partition',
    name: 'MSHV_SET_PARTITION_PROPERTY',
    argBytes: PROPERTY.bytes,
    enter: oneCall('SET_PARTITION_PROPERTY', 24, (input, arg) => {
      writeField(input, SET.code, readU32(arg, PROPERTY.code));
      writeField(input, SET.value, readU64(arg, PROPERTY.value));
    }),
  },
  { fd: 'partition', name: 'MSHV_GET_PARTITION_PROPERTY', argBytes: PROPERTY.bytes, enter: getProperty },
];
