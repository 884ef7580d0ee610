import { constantNumber, fieldOf, messageTypes, readU32, readU64 } from '../../abi/index.ts';
import { CPU, cellAt, groupAt, messageType, readMessage } from '../../hypervisor/index.ts';
import type { Context } from '../../machine/context.ts';
import { type ObjectId, TOP } from '../../state/store.ts';
import { MSHV_PARTITION } from '../cells/driver.ts';
import { partitionOf } from './objects.ts';

const COMPLETION = messageTypes.number('HVMSG_ASYNC_CALL_COMPLETION');
const PARTITION_ID = fieldOf('hv_async_completion_message_payload', 'partition_id');
const STATUS = fieldOf('hv_async_completion_message_payload', 'status');
const PAYLOAD_BYTES = 24;
const SINT = constantNumber('HV_SYNIC_INTERCEPTION_SINT_INDEX');
const { caller, completed, status } = MSHV_PARTITION.slots.late;

/**
 * A call that the hypervisor took and finishes later has been finished: its status is kept for whoever waits (Linux 7.2
 * drivers/hv/mshv_synic.c, mshv_async_call_completion_isr). False for another message, and for a partition that is gone.
 */
export function complete(context: Context, content: Uint8Array): boolean {
  if (messageType(content) !== COMPLETION) return false;
  const { payload } = readMessage(content);
  if (payload.length < PAYLOAD_BYTES) return false;
  const partition = partitionOf(context, readU64(payload, PARTITION_ID));
  if (partition === undefined) return false;
  context.store.set(cellAt(partition, status), readU32(payload, STATUS));
  context.store.set(cellAt(partition, completed), 1);
  return true;
}

/** A call has been finished, and nobody has taken its status (mshv_init_async_handler refuses the next one). */
export function isCompleted({ store }: Context, partition: ObjectId): boolean {
  return store.low(cellAt(partition, completed)) === 1;
}

/** The event of the call on the partition that the hypervisor has taken and that waits for its end; 0: none. */
export function callerOf({ store }: Context, partition: ObjectId): number {
  return store.number(cellAt(partition, caller));
}

export function setCaller({ store }: Context, partition: ObjectId, seq: number): void {
  store.set(cellAt(partition, caller), seq);
}

/** A CPU has the message of its end, which the interrupt is about to read. */
export function isAnnounced(context: Context, partition: ObjectId): boolean {
  const { store } = context;
  const { slot } = CPU.slots.synic;
  const at = groupAt(slot, SINT);
  return store.children(TOP, CPU).some((cpu) => {
    if (store.low(cellAt(cpu, at + slot.slots.type)) !== COMPLETION) return false;
    const content = store.blob(store.number(cellAt(cpu, at + slot.slots.content)));
    const { payload } = readMessage(content);
    return (
      payload.length >= PAYLOAD_BYTES && partitionOf(context, readU64(payload, PARTITION_ID)) === partition
    );
  });
}

/** Takes the status of a call that has been finished; undefined while none has. */
export function takeCompleted(context: Context, partition: ObjectId): number | undefined {
  if (!isCompleted(context, partition)) return undefined;
  context.store.set(cellAt(partition, completed), 0);
  return context.store.number(cellAt(partition, status));
}
