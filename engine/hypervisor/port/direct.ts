import { type FieldHandle, fieldOf, readU32, sizeOfStruct, writeField } from '../../abi/index.ts';
import type { HypercallAnswer } from '../../machine/child.ts';
import { type Call, type CallRow, failed, recordedAnswer, succeeded, unmodelledCall } from '../call/call.ts';
import { STATUS } from '../call/status.ts';
import { SINT_COUNT } from '../cells/cpu.ts';
import { cellAt } from '../cells/place.ts';
import { RING_ENTRY } from '../cells/port.ts';
import { readMessage } from '../intercept/message.ts';
import { PHASES } from '../partition/phases.ts';
import { findChild, RESERVED, reservedSet, wrongState } from '../partition/target.ts';
import { canDeliver, cpuOf, deliver } from '../synic/deliver.ts';
import { VP_FILE } from '../synic/file.ts';
import { signalAt } from './event.ts';
import { type Receiver, receiverOf, SYNIC_OFF } from './target.ts';

const SIGNAL = {
  id: fieldOf('hv_input_signal_event_direct', 'target_partition'),
  index: fieldOf('hv_input_signal_event_direct', 'target_vp'),
  sint: fieldOf('hv_input_signal_event_direct', 'target_sint'),
  flag: fieldOf('hv_input_signal_event_direct', 'flag_number'),
  newly: fieldOf('hv_output_signal_event_direct', 'newly_signaled'),
  bytes: sizeOfStruct('hv_output_signal_event_direct'),
};
const POST = {
  id: fieldOf('hv_input_post_message_direct', 'partition_id'),
  index: fieldOf('hv_input_post_message_direct', 'vp_index'),
  sint: fieldOf('hv_input_post_message_direct', 'sint_index'),
  message: fieldOf('hv_input_post_message_direct', 'message').offset,
  reserved: ['padding', 'padding2'].map((name) => fieldOf('hv_input_post_message_direct', name)),
};
const MESSAGE_BYTES = 256;
const HEADER_BYTES = 16;
const MAX_PAYLOAD = 240;
const SIZE_AT = 4;
const RING = {
  sint: fieldOf('hv_input_notify_port_ring_empty', 'sint_index'),
  reserved: fieldOf('hv_input_notify_port_ring_empty', 'reserved'),
};
const PARAMETER = failed(STATUS.INVALID_PARAMETER, 'HDR.direct.parameter');

type Target = { readonly receiver: Receiver; readonly sint: number } | { readonly answer: HypercallAnswer };

/** The SINT of a VP of a child, as both calls name it. */
function target(
  call: Call,
  fields: { readonly id: FieldHandle; readonly index: FieldHandle; readonly sint: FieldHandle },
): Target {
  const found = findChild(call, fields.id);
  if ('answer' in found) return found;
  const wrong = wrongState(call, found.id, PHASES.PORT);
  if (wrong !== undefined) return { answer: wrong };
  const receiver = receiverOf(call.context, found.id, readU32(call.input, fields.index));
  if (receiver === undefined) {
    return { answer: failed(STATUS.INVALID_VP_INDEX, 'TLFS2013.vp.unknown-index') };
  }
  const sint = readU32(call.input, fields.sint);
  return sint >= SINT_COUNT ? { answer: PARAMETER } : { receiver, sint };
}

/**
 * A guest whose accesses are not in the trace may have switched its SynIC on unseen: a record that says otherwise is
 * believed.
 */
function off(call: Call): HypercallAnswer {
  const { result } = recordedAnswer(call.event);
  const differs = result !== undefined && result.status !== SYNIC_OFF.status;
  return differs ? unmodelledCall(call.event) : failed(SYNIC_OFF.status, SYNIC_OFF.rule);
}

/** A signal to a VP without a port (rust-vmm/mshv, hv-headers: HVCALL_SIGNAL_EVENT_DIRECT). */
function signal(call: Call): HypercallAnswer {
  const found = target(call, SIGNAL);
  if ('answer' in found) return found.answer;
  const { receiver, sint } = found;
  const answer = signalAt(call.context, receiver, sint, readU32(call.input, SIGNAL.flag));
  if ('kind' in answer) return answer.result.status === SYNIC_OFF.status ? off(call) : answer;
  const output = new Uint8Array(SIGNAL.bytes);
  writeField(output, SIGNAL.newly, answer.newly ? 1 : 0);
  return succeeded('HDR.direct.signal', output, answer.emitted);
}

/** A whole message to a VP without a port; its type may be any but none (rust-vmm/mshv, hv-headers). */
function post(call: Call): HypercallAnswer {
  const found = target(call, POST);
  if ('answer' in found) return found.answer;
  const { context, input } = call;
  if (reservedSet(call, POST.reserved)) return RESERVED;
  const bytes = input.subarray(POST.message, POST.message + MESSAGE_BYTES);
  const size = bytes[SIZE_AT] ?? 0;
  if (readMessage(bytes).type === 0 || size > MAX_PAYLOAD) return PARAMETER;
  const { owner } = found.receiver;
  if (!canDeliver(context, owner, VP_FILE)) return off(call);
  const slot = bytes.slice(0, HEADER_BYTES + size);
  return succeeded('HDR.direct.post', undefined, deliver(context, owner, VP_FILE, found.sint, slot));
}

/**
 * The driver has emptied a ring that was full: what did not fit is put in now (Linux 7.2 drivers/hv/mshv_synic.c,
 * mshv_doorbell_isr). Its entries are numbered from 0 again.
 */
function ringEmpty(call: Call): HypercallAnswer {
  const { context, input } = call;
  const { store } = context;
  if (readU32(input, RING.sint) >= SINT_COUNT) {
    return failed(STATUS.INVALID_PARAMETER, 'HDR.doorbell.ring-empty');
  }
  if (reservedSet(call, [RING.reserved])) return RESERVED;
  const cpu = cpuOf(context, call.event.cpu ?? 0);
  const entries = cpu === undefined ? [] : store.children(cpu, RING_ENTRY);
  const ports = entries.map((id) => store.number(cellAt(id, RING_ENTRY.slots.port)));
  for (const id of entries) store.destroy(id);
  ports.forEach((port, i) => {
    if (cpu !== undefined) store.set(cellAt(store.create(cpu, RING_ENTRY, i), RING_ENTRY.slots.port), port);
  });
  return succeeded('HDR.doorbell.ring-empty');
}

/** Messages and signals that need no port, and the ring of those that do. */
export const DIRECT_CALLS: readonly CallRow[] = [
  { name: 'SIGNAL_EVENT_DIRECT', answer: signal },
  { name: 'POST_MESSAGE_DIRECT', answer: post },
  { name: 'NOTIFY_PORT_RING_EMPTY', answer: ringEmpty },
];
