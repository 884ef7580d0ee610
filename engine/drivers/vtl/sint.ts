import { constantNumber, fieldOf, readU32, readU64, writeField } from '../../abi/index.ts';
import { cellAt } from '../../hypervisor/index.ts';
import type { DriverRun, Outcome } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { IoctlEvent } from '../../trace/event.ts';
import { VTL, VTL_EVENTFD } from '../cells/vtl.ts';
import { type Actor, writeMsr } from '../kernel/access.ts';
import { usesAutoEoi } from '../kernel/aeoi.ts';
import { errnoOf, failure } from '../kernel/errno.ts';
import { hypercallCode, issue } from '../kernel/hypercall.ts';
import { onlineCpus } from '../kernel/objects.ts';
import { AUTO_EOI, CALLBACK_VECTOR, MASKED, PLAIN_MSRS } from '../kernel/synic.ts';
import { notAnEventfd } from '../mshv/eventfd/not-an-eventfd.ts';
import type { IoctlRow } from '../mshv/ioctl-row.ts';
import { afterCall, unread } from './answer.ts';
import { vtlOf } from './files.ts';

const RULE = 'Linux.vtl.sint';
/** The SINT of VMBus for VTL 2 (VTL2_VMBUS_SINT_INDEX). */
const SINT7 = PLAIN_MSRS.sint0 + 7;
const MAX_PAYLOAD = constantNumber('HV_MESSAGE_PAYLOAD_BYTE_COUNT');
const FLAGS = constantNumber('HV_EVENT_FLAGS_COUNT');

const POST = {
  code: hypercallCode('POST_MESSAGE'),
  arg: 24,
  type: fieldOf('mshv_vtl_sint_post_msg', 'message_type'),
  connection: fieldOf('mshv_vtl_sint_post_msg', 'connection_id'),
  size: fieldOf('mshv_vtl_sint_post_msg', 'payload_size'),
  header: 16,
};
const POSTED = {
  connection: fieldOf('hv_input_post_message', 'connectionid'),
  type: fieldOf('hv_input_post_message', 'message_type'),
  size: fieldOf('hv_input_post_message', 'payload_size'),
};
const SIGNAL = { code: hypercallCode('SIGNAL_EVENT'), arg: 8 };
const EVENTFD = {
  arg: 8,
  fd: fieldOf('mshv_vtl_set_eventfd', 'fd'),
  flag: fieldOf('mshv_vtl_set_eventfd', 'flag'),
};
const MASK = { arg: 8, mask: fieldOf('mshv_sint_mask', 'mask') };

/** The result is the status of the hypercall itself, not an errno (Linux 7.2 drivers/hv/hv.c, hv_post_message). */
function* postMessage(
  _context: Context,
  actor: Actor,
  event: IoctlEvent,
  arg: Uint8Array,
): DriverRun<Outcome> {
  const size = readU32(arg, POST.size);
  if (size > MAX_PAYLOAD) return { ret: failure('EINVAL'), rule: RULE };
  const payload = event.in ?? new Uint8Array(0);
  if (payload.length < size) return unread(event, RULE);
  const input = new Uint8Array(POST.header + size);
  writeField(input, POSTED.connection, readU32(arg, POST.connection));
  // An enumeration of 32 bits: the upper half of the argument's field is lost.
  writeField(input, POSTED.type, Number(readU64(arg, POST.type) & 0xffff_ffffn));
  writeField(input, POSTED.size, size);
  input.set(payload.subarray(0, size), POST.header);
  const { ret } = event;
  const recorded = typeof ret === 'number' && ret >= 0 ? { result: { status: ret, reps: 0 } } : {};
  const answer = yield* issue(actor, POST.code, input, { recorded });
  // Without a hypercall page all bits of the result are ones.
  const status = answer.fault === true ? 0xffff : answer.result.status;
  return afterCall(event, answer, { ret: status, rule: RULE });
}

/** Connection and flag are the argument as it stands. */
function* signalEvent(
  context: Context,
  actor: Actor,
  event: IoctlEvent,
  arg: Uint8Array,
): DriverRun<Outcome> {
  const recorded = event.ret === 0 ? { result: { status: 0, reps: 0 } } : {};
  const answer = yield* issue(actor, SIGNAL.code, arg.slice(0, SIGNAL.arg), { fast: true, recorded });
  return afterCall(event, answer, { ret: errnoOf(answer, context.profile), rule: RULE });
}

/** An eventfd for a flag, in place of the one before; a negative descriptor takes it away. */
function setEventfd(context: Context, _actor: Actor, event: IoctlEvent, arg: Uint8Array): Outcome {
  const flag = readU32(arg, EVENTFD.flag);
  if (flag >= FLAGS) return { ret: failure('EINVAL'), rule: RULE };
  const fd = readU32(arg, EVENTFD.fd) | 0;
  const refused = fd < 0 ? undefined : notAnEventfd(event);
  if (refused !== undefined) return refused;
  const { store } = context;
  const vtl = vtlOf(context);
  const old = store.find(vtl, VTL_EVENTFD, flag);
  if (fd < 0) {
    if (old !== undefined) store.destroy(old);
    return { ret: 0, rule: RULE };
  }
  const id = old ?? store.create(vtl, VTL_EVENTFD, flag);
  store.set(cellAt(id, VTL_EVENTFD.slots.fd), fd);
  store.set(cellAt(id, VTL_EVENTFD.slots.pid), event.pid ?? 0);
  return { ret: 0, rule: RULE };
}

/** SINT7 of every CPU. They are told at the same time: in which order the writes come is not defined. */
function* pause(context: Context, actor: Actor, _event: IoctlEvent, arg: Uint8Array): DriverRun<Outcome> {
  const isPaused = readU32(arg, MASK.mask) !== 0;
  const bits = (isPaused ? MASKED : 0n) | (usesAutoEoi(context) ? AUTO_EOI : 0n);
  for (const cpu of onlineCpus(context)) yield* writeMsr({ ...actor, cpu }, SINT7, CALLBACK_VECTOR | bits);
  context.store.set(cellAt(vtlOf(context), VTL.slots.paused), isPaused ? 1 : 0);
  return { ret: 0, rule: RULE };
}

/** /dev/mshv_sint: VMBus of the lower VTL (Linux 7.2 drivers/hv/mshv_vtl_main.c, mshv_vtl_sint_ioctl). */
export const SINT_IOCTLS: readonly IoctlRow[] = [
  { fd: 'sint', name: 'MSHV_SINT_POST_MESSAGE', argBytes: POST.arg, enter: postMessage },
  { fd: 'sint', name: 'MSHV_SINT_SIGNAL_EVENT', argBytes: SIGNAL.arg, enter: signalEvent },
  { fd: 'sint', name: 'MSHV_SINT_SET_EVENTFD', argBytes: EVENTFD.arg, enter: setEventfd },
  { fd: 'sint', name: 'MSHV_SINT_PAUSE_MESSAGE_STREAM', argBytes: MASK.arg, enter: pause },
];
