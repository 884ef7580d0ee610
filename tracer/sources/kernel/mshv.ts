import {
  constant,
  decodeResult,
  encodeControl,
  fieldOf,
  hypercalls,
  ioctlNamed,
  sizeOfStruct,
  writeField,
} from '../../../engine/abi/index.ts';
import type { VpRef } from '../../../engine/trace/handle.ts';
import { type Fields, fieldPrints, inWords, noted, numberOf, type SourceRow, unsigned } from './told.ts';

const VP = 'partition_id:d vp_index:d';

/** The VP that a record names, as far as it does. */
function vpOf(fields: Fields): { vp: VpRef } | undefined {
  const vp = fields('vp_index');
  return vp === undefined
    ? undefined
    : { vp: { partition: unsigned(fields('partition_id'), 64), vp: Number(unsigned(vp, 32)) } };
}

type Tell = SourceRow['tell'];

function row(
  becomes: SourceRow['becomes'],
  name: string,
  prints: string,
  why: string,
  tell?: Tell,
): SourceRow {
  const fields = fieldPrints(prints);
  const note: Tell = (values) => noted({ text: inWords(name, fields, values), ...vpOf(values) });
  const told: Tell =
    tell === undefined
      ? note
      : (values, circumstances) => {
          const known = becomes === 'ioctl' ? circumstances.hasIoctls : circumstances.hasHypercalls;
          return known ? note(values, circumstances) : tell(values, circumstances);
        };
  return { system: 'mshv', name, fields, becomes, why, tell: told };
}

const request = (fd: 'partition' | 'vp', name: string): number => {
  const found = ioctlNamed('upstream', fd, name);
  if (found?.number === undefined) throw new Error(`no ioctl ${name}`);
  return found.number;
};
const CREATE_VP = request('partition', 'MSHV_CREATE_VP');
const RUN_VP = request('vp', 'MSHV_RUN_VP');
const SET_GUEST_MEMORY = request('partition', 'MSHV_SET_GUEST_MEMORY');

const callCode = (name: string): number => {
  const found = hypercalls.named(name);
  if (found === undefined) throw new Error(`no hypercall ${name}`);
  return found.value;
};

/** A call whose whole input is the partition; the kernel makes it fast (Linux 7.2 drivers/hv/mshv_root_hv_call.c). */
function partitionCall(name: string): Tell {
  const control = encodeControl({ code: callCode(name), fast: true });
  return (fields) => {
    const input = new Uint8Array(8);
    new DataView(input.buffer).setBigUint64(0, unsigned(fields('partition_id'), 64), true);
    const { status, repsCompleted } = decodeResult(unsigned(fields('status'), 64));
    const result = { status, reps: repsCompleted };
    return { kind: 'event', body: { kind: 'hypercall', control, input, result } };
  };
}

const VP_INDEX = fieldOf('mshv_create_vp', 'vp_index');

const createVp: Tell = (fields) => {
  const vp = vpOf(fields)?.vp ?? { partition: undefined, vp: undefined };
  const ret = Number(BigInt.asIntN(32, fields('vp_fd') ?? 0n));
  const arg = new Uint8Array(sizeOfStruct('mshv_create_vp'));
  writeField(arg, VP_INDEX, BigInt(vp.vp ?? 0));
  const out = ret < 0 ? {} : { out: { handle: { kind: 'vp' as const, ...vp } } };
  const handle = { kind: 'partition' as const, partition: vp.partition };
  return { kind: 'event', body: { kind: 'ioctl', handle, op: CREATE_VP, arg, ret, ...out } };
};

const REGION = {
  size: fieldOf('mshv_user_mem_region', 'size'),
  frame: fieldOf('mshv_user_mem_region', 'guest_pfn'),
  address: fieldOf('mshv_user_mem_region', 'userspace_addr'),
  flags: fieldOf('mshv_user_mem_region', 'flags'),
};
const PAGE_SHIFT = 12n;
const MAP_WRITABLE = constant('HV_MAP_GPA_WRITABLE');
const MAP_EXECUTABLE = constant('HV_MAP_GPA_EXECUTABLE');
const SET_WRITABLE = constant('MSHV_SET_MEM_BIT_WRITABLE');
const SET_EXECUTABLE = constant('MSHV_SET_MEM_BIT_EXECUTABLE');

/** The flags of the ioctl are the two of those of the hypercall that it chooses (mshv_partition_create_region). */
const mapMemory: Tell = (fields) => {
  const arg = new Uint8Array(sizeOfStruct('mshv_user_mem_region'));
  const map = unsigned(fields('map_flags'), 32);
  writeField(arg, REGION.size, BigInt.asUintN(64, unsigned(fields('nr_pages'), 64) << PAGE_SHIFT));
  writeField(arg, REGION.frame, unsigned(fields('start_gfn'), 64));
  writeField(arg, REGION.address, unsigned(fields('start_uaddr'), 64));
  const writable = (map & MAP_WRITABLE) === 0n ? 0n : SET_WRITABLE;
  const executable = (map & MAP_EXECUTABLE) === 0n ? 0n : SET_EXECUTABLE;
  writeField(arg, REGION.flags, writable | executable);
  const handle = { kind: 'partition' as const, partition: unsigned(fields('partition_id'), 64) };
  const ret = Number(BigInt.asIntN(32, fields('ret') ?? 0n));
  return { kind: 'event', body: { kind: 'ioctl', handle, op: SET_GUEST_MEMORY, arg, ret } };
};

const runEntry: Tell = (fields) => {
  const handle = { kind: 'vp' as const, ...(vpOf(fields)?.vp ?? { partition: undefined, vp: undefined }) };
  return { kind: 'entry', call: 'run-vp', body: { kind: 'ioctl', handle, op: RUN_VP } };
};

/** The message that a stop gave, of which the record has the type alone. */
const runExit: Tell = (fields) => {
  const ret = Number(BigInt.asIntN(32, fields('ret') ?? 0n));
  const type = numberOf(fields('hv_message_type')) ?? 0;
  const stopped = ret === 0 ? { out: { data: headerOf(type) } } : {};
  return { kind: 'return', call: 'run-vp', answer: { ret, ...stopped } };
};

function headerOf(type: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, type >>> 0, true);
  return bytes;
}

/** The 24 trace points of the mshv driver (Linux 7.2 drivers/hv/mshv_trace.h). */
export const MSHV_ROWS: readonly SourceRow[] = [
  row('note', 'mshv_create_partition', 'partition_id:d vm_fd:d', 'the argument and the device are not in it'),
  row('note', 'mshv_hvcall_create_partition', 'flags:x partition_id:d', 'most of the input, and the status'),
  row(
    'hypercall',
    'mshv_hvcall_initialize_partition',
    'partition_id:d status:x',
    'the input is the partition',
    partitionCall('HVCALL_INITIALIZE_PARTITION'),
  ),
  row(
    'note',
    'mshv_partition_release',
    'partition_id:d',
    'a step of the driver; which fd was closed is not in it',
  ),
  row('note', 'mshv_destroy_partition', 'partition_id:d', 'a step of the driver'),
  row(
    'hypercall',
    'mshv_hvcall_finalize_partition',
    'partition_id:d status:x',
    'the input is the partition',
    partitionCall('HVCALL_FINALIZE_PARTITION'),
  ),
  row(
    'note',
    'mshv_hvcall_withdraw_memory',
    'partition_id:d withdrawn:d status:x',
    'the sum of a loop of calls whose counts are not in it',
  ),
  row(
    'hypercall',
    'mshv_hvcall_delete_partition',
    'partition_id:d status:x',
    'the input is the partition',
    partitionCall('HVCALL_DELETE_PARTITION'),
  ),
  row('ioctl', 'mshv_create_vp', `${VP} vp_fd:d`, 'argument and result are in it', createVp),
  row(
    'note',
    'mshv_hvcall_map_vp_state_page',
    `${VP} page_type:d status:x`,
    'VTL, flags and place of the input are not in it',
  ),
  row('note', 'mshv_drain_vp_signals', VP, 'a step of the driver'),
  row('note', 'mshv_disable_vp_dispatch', `${VP} ret:d`, 'the registers written are not in it'),
  row('note', 'mshv_vp_release', VP, 'a step of the driver; which fd was closed is not in it'),
  row('ioctl', 'mshv_run_vp_entry', VP, 'the entry of RUN_VP', runEntry),
  row(
    'ioctl',
    'mshv_run_vp_exit',
    `${VP} hv_message_type:x ret:d`,
    'its return, with the message type',
    runExit,
  ),
  row('note', 'mshv_vp_clear_explicit_suspend', `${VP} ret:d`, 'the registers written are not in it'),
  row(
    'note',
    'mshv_xfer_to_guest_mode_work',
    `${VP} thread_info_flag:x ret:d`,
    'a step of the driver: signals and scheduling before the guest runs',
  ),
  row(
    'note',
    'mshv_hvcall_dispatch_vp',
    `${VP} flags:x dispatch_state:x dispatch_event:x irq_vectors:x status:x`,
    'time slice and speculation control of the input are not in it',
  ),
  row(
    'note',
    'mshv_update_routing_table',
    'partition_id:d old:x new:x numents:d',
    'the entries of the table are not in it',
  ),
  row(
    'ioctl',
    'mshv_map_user_memory',
    'partition_id:d start_uaddr:x start_gfn:x nr_pages:d map_flags:x ret:d',
    'the argument follows from it',
    mapMemory,
  ),
  row(
    'note',
    'mshv_assign_ioeventfd',
    'partition_id:d addr:x length:x datamatch:x wildcard:d eventfd:x ret:d',
    'the eventfd is a pointer, not an fd',
  ),
  row(
    'note',
    'mshv_deassign_ioeventfd',
    'partition_id:d addr:x length:x datamatch:x wildcard:d eventfd:x',
    'the eventfd is a pointer, not an fd',
  ),
  row(
    'note',
    'mshv_vp_wait_for_hv_kick',
    `${VP} kicked_by_hv:d blocked:d irq_pending:d`,
    'a step of the driver: it waits for the hypervisor',
  ),
  row(
    'note',
    'mshv_handle_gpa_intercept',
    `${VP} gfn:x access_type:d handled:d`,
    'which of the two GPA messages it was, and its payload, are not in it',
  ),
];
