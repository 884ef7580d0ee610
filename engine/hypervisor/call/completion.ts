import { fieldOf, messageTypes, writeField } from '../../abi/index.ts';
import type { Emitted, HypercallAnswer } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import { type ObjectId, TOP } from '../../state/store.ts';
import { PARTITION } from '../cells/partition.ts';
import { cellAt } from '../cells/place.ts';
import { messageOf } from '../intercept/message.ts';
import { messageToParent } from '../intercept/stop.ts';
import { type Call, failed, recordedAnswer } from './call.ts';
import { STATUS } from './status.ts';

const MESSAGE = {
  type: messageTypes.number('HVMSG_ASYNC_CALL_COMPLETION'),
  bytes: 24,
  partition: fieldOf('hv_async_completion_message_payload', 'partition_id'),
  status: fieldOf('hv_async_completion_message_payload', 'status'),
  count: fieldOf('hv_async_completion_message_payload', 'completion_count'),
};
/** The message comes from no partition. */
const HYPERVISOR = 0n;
const { pendingCalls } = PARTITION.slots;
const PENDING = failed(STATUS.CALL_PENDING, 'profile.async-calls');
const RECORDED_PENDING = failed(STATUS.CALL_PENDING, 'HDR.property.pending');

/** Tells the parent that calls on a partition are finished (Linux 7.2 include/hyperv: hv_async_completion_message_payload). */
function completion(
  context: Context,
  cpu: number | undefined,
  partition: ObjectId,
  count: number,
): Emitted[] {
  const payload = new Uint8Array(MESSAGE.bytes);
  writeField(payload, MESSAGE.partition, BigInt(context.store.key(partition)));
  writeField(payload, MESSAGE.status, STATUS.SUCCESS);
  writeField(payload, MESSAGE.count, count);
  return messageToParent(context, cpu, messageOf(MESSAGE.type, HYPERVISOR, payload));
}

/**
 * The answer to a call that has been carried out, where the hypervisor says that it finishes it later (profile `asyncCalls`);
 * undefined where it answers at once, as it also does where nobody could be told. Else a recorded
 * CALL_PENDING is bound, and its message is recorded too where messages are.
 */
export function pendingAnswer(call: Call, partition: ObjectId): HypercallAnswer | undefined {
  const { context, event } = call;
  const { store, profile } = context;
  const told = profile.asyncCalls === 'never' ? [] : completion(context, event.cpu, partition, 1);
  if (told.length === 0) return recordedPending(call);
  if (profile.asyncCalls === 'at-once') return { ...PENDING, emitted: told };
  const pending = cellAt(partition, pendingCalls);
  store.set(pending, store.number(pending) + 1);
  return PENDING;
}

function recordedPending({ context, event }: Call): HypercallAnswer | undefined {
  if (recordedAnswer(event).result?.status !== STATUS.CALL_PENDING) return undefined;
  context.bind('async-call', BigInt(STATUS.CALL_PENDING), 0n);
  return RECORDED_PENDING;
}

/**
 * Calls that the hypervisor has finished when it answers another hypercall: one message for a partition, where the answer sends
 * the parent no other one.
 */
export function withFinishedCalls(
  context: Context,
  cpu: number | undefined,
  answer: HypercallAnswer,
): HypercallAnswer {
  const { store, profile } = context;
  if (profile.asyncCalls !== 'later' || answer.result.status === STATUS.CALL_PENDING) return answer;
  const { emitted = [] } = answer;
  if (emitted.some((event) => event.kind === 'message' && event.vp === undefined)) return answer;
  const partition = store.children(TOP, PARTITION).find((id) => store.number(cellAt(id, pendingCalls)) > 0);
  if (partition === undefined) return answer;
  const pending = cellAt(partition, pendingCalls);
  const told = completion(context, cpu, partition, store.number(pending));
  if (told.length === 0) return answer;
  store.set(pending, 0);
  return { ...answer, emitted: [...emitted, ...told] };
}
