import { constant, constantNumber, fieldOf, readU64, writeField } from '../../abi/index.ts';
import { cellAt } from '../../hypervisor/index.ts';
import type { DriverRun, Outcome } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import { keyOf } from '../../state/store.ts';
import type { IoctlEvent } from '../../trace/event.ts';
import { MSHV, MSHV_PARTITION } from '../cells/driver.ts';
import type { Actor } from '../kernel/access.ts';
import { failure } from '../kernel/errno.ts';
import { hypercallCode } from '../kernel/hypercall.ts';
import { driverOf } from '../kernel/objects.ts';
import { hasNoFd, installFd, newFd } from '../process/files.ts';
import { hypercallWithMemory } from './deposit.ts';
import { deletePartition } from './end.ts';
import type { IoctlRow } from './ioctl-row.ts';
import { SELF } from './partition-id.ts';

const RULE = 'Linux.mshv.create-partition';
export const NO_FD = 'Linux.mshv.no-descriptor';
const CREATE_PARTITION = hypercallCode('CREATE_PARTITION');

const V1_BYTES = 16;
const V2_BYTES = 64;
const FLAGS = fieldOf('mshv_create_partition_v2', 'pt_flags');
const ISOLATION = fieldOf('mshv_create_partition_v2', 'pt_isolation');
const BANKS = fieldOf('mshv_create_partition_v2', 'pt_num_cpu_fbanks');
const CPU_BANKS = fieldOf('mshv_create_partition_v2', 'pt_cpu_fbanks');
const XSAVE = fieldOf('mshv_create_partition_v2', 'pt_disabled_xsave');
const RESERVED: readonly [from: number, to: number][] = [
  [18, 24],
  [40, 56],
];
const BANK_COUNT = constantNumber('HV_PARTITION_PROCESSOR_FEATURES_BANKS');
const ISOLATION_COUNT = constant('MSHV_PT_ISOLATION_COUNT');

function bit(name: string): bigint {
  return constant(`MSHV_PT_BIT_${name}`);
}
const ALL_FLAGS = (1n << 6n) - 1n;
const FEATURES_GIVEN = bit('CPU_AND_XSAVE_FEATURES');

/** Flags of the call and what the hypervisor is asked for instead (mshv_ioctl_process_pt_flags). */
const CREATION_FLAGS: readonly (readonly [mask: bigint, creation: bigint])[] = [
  [bit('LAPIC'), constant('HV_PARTITION_CREATION_FLAG_LAPIC_ENABLED')],
  [bit('X2APIC'), constant('HV_PARTITION_CREATION_FLAG_X2APIC_CAPABLE')],
  [bit('GPA_SUPER_PAGES'), constant('HV_PARTITION_CREATION_FLAG_GPA_SUPER_PAGES_ENABLED')],
  [bit('NESTED_VIRTUALIZATION'), constant('HV_PARTITION_CREATION_FLAG_NESTED_VIRTUALIZATION_CAPABLE')],
  [bit('SMT_ENABLED_GUEST'), constant('HV_PARTITION_CREATION_FLAG_SMT_ENABLED_GUEST')],
];
/** Every partition is an EXO partition with intercept message pages. */
const ALWAYS =
  constant('HV_PARTITION_CREATION_FLAG_EXO_PARTITION') |
  constant('HV_PARTITION_CREATION_FLAG_INTERCEPT_MESSAGE_PAGE_ENABLED');

const INPUT = {
  bytes: 56,
  flags: fieldOf('hv_input_create_partition', 'flags'),
  version: fieldOf('hv_input_create_partition', 'compatibility_version'),
  /** Two banks of disabled processor features, then the disabled XSAVE features. */
  properties: fieldOf('hv_input_create_partition', 'partition_creation_properties'),
};
const COMPATIBILITY = constantNumber('HV_COMPATIBILITY_21_H2');
const OUTPUT_ID = fieldOf('hv_output_create_partition', 'partition_id');
const OUTPUT_BYTES = 8;

function nonZero(bytes: Uint8Array, [from, to]: readonly [number, number]): boolean {
  return bytes.subarray(from, to).some((byte) => byte !== 0);
}

/**
 * The checks of the argument, in the kernel's order. The number of the call has the 16 bytes of the short form, which is all that some
 * recorders have seen of one that passed: what it said of features is taken for nothing.
 */
function refused(arg: Uint8Array, passed: boolean): number {
  const flags = readU64(arg, FLAGS);
  if ((flags & ~ALL_FLAGS) !== 0n || readU64(arg, ISOLATION) >= ISOLATION_COUNT) return failure('EINVAL');
  if ((flags & FEATURES_GIVEN) === 0n) return 0;
  if (arg.length < V2_BYTES) return passed ? 0 : failure('EFAULT');
  const banks = Number(readU64(arg, BANKS));
  if (banks !== BANK_COUNT || RESERVED.some((range) => nonZero(arg, range))) return failure('EINVAL');
  return 0;
}

function createInput(arg: Uint8Array): Uint8Array {
  const given = readU64(arg, FLAGS);
  const input = new Uint8Array(INPUT.bytes);
  const flags = CREATION_FLAGS.reduce(
    (all, [mask, flag]) => ((given & mask) === 0n ? all : all | flag),
    ALWAYS,
  );
  writeField(input, INPUT.flags, flags);
  writeField(input, INPUT.version, COMPATIBILITY);
  if ((given & FEATURES_GIVEN) !== 0n) {
    input.set(arg.subarray(CPU_BANKS.offset, CPU_BANKS.offset + 16), INPUT.properties.offset);
    input.set(arg.subarray(XSAVE.offset, XSAVE.offset + 8), INPUT.properties.offset + 16);
  }
  return input;
}

/** The id that the recorded call gave its partition, as the output of the hypercall below it. */
export function recordedOutput(event: IoctlEvent): Uint8Array | undefined {
  const handle = event.out?.handle;
  if (handle?.kind !== 'partition' || handle.partition === undefined) return undefined;
  const output = new Uint8Array(OUTPUT_BYTES);
  writeField(output, OUTPUT_ID, handle.partition);
  return output;
}

function* enter(context: Context, actor: Actor, event: IoctlEvent, arg: Uint8Array): DriverRun<Outcome> {
  const passed = event.provenance !== 'emulated' && typeof event.ret === 'number' && event.ret >= 0;
  const bad = refused(arg, passed);
  if (bad !== 0) return { ret: bad, rule: RULE };
  const output = recordedOutput(event);
  const options = output === undefined ? {} : { output };
  const { ret, answer } = yield* hypercallWithMemory(
    context,
    actor,
    SELF,
    CREATE_PARTITION,
    createInput(arg),
    options,
  );
  if (ret !== 0) return { ret, rule: RULE };
  const partition = readU64(answer.output ?? new Uint8Array(0), OUTPUT_ID);
  // The pages that the partition has taken are not withdrawn.
  if (hasNoFd(context, event)) {
    yield* deletePartition(context, actor, partition);
    return { ret: failure('EMFILE'), rule: NO_FD };
  }
  notePartition(context, event, partition);
  return {
    ret: newFd(context, event),
    out: { handle: { kind: 'partition', partition } },
    rule: RULE,
  };
}

/** Notes the driver's own object; a record in which an id comes twice says so elsewhere. */
export function notePartition(context: Context, event: IoctlEvent, partition: bigint): void {
  const { store } = context;
  const mshv = driverOf(context, MSHV);
  if (store.shows(mshv, MSHV_PARTITION, keyOf(partition))) {
    const old = store.find(mshv, MSHV_PARTITION, keyOf(partition));
    if (old !== undefined) store.destroy(old);
  }
  const id = store.create(mshv, MSHV_PARTITION, keyOf(partition));
  store.set(cellAt(id, MSHV_PARTITION.slots.references), 1);
  store.set(cellAt(id, MSHV_PARTITION.slots.files), 1);
  store.set(cellAt(id, MSHV_PARTITION.slots.creator), event.seq);
}

/** The descriptor exists once the call has returned. */
export function installPartition(context: Context, event: IoctlEvent): void {
  if (typeof event.ret !== 'number' || event.ret < 0) return;
  const { store } = context;
  const created = store
    .children(driverOf(context, MSHV), MSHV_PARTITION)
    .find((id) => store.number(cellAt(id, MSHV_PARTITION.slots.creator)) === event.seq);
  if (created === undefined) return;
  installFd(context, event.pid, event.ret, { kind: 'partition', partition: BigInt(store.key(created)) });
}

/** MSHV_CREATE_PARTITION (Linux 7.2 drivers/hv/mshv_root_main.c, mshv_ioctl_create_partition). */
export const CREATE_PARTITION_IOCTL: IoctlRow = {
  fd: 'device',
  name: 'MSHV_CREATE_PARTITION',
  argBytes: V1_BYTES,
  enter,
  leave: installPartition,
};
