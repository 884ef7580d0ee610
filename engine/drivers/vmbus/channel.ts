import { channelMessages, channelType, fieldOf, VMBUS_MESSAGE_TYPE, writeField } from '../../abi/index.ts';
import { CPU, cellAt, fileOf, groupAt } from '../../hypervisor/index.ts';
import type { BindReason } from '../../machine/bindable.ts';
import type { DriverRun } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import { type CellId, TOP } from '../../state/store.ts';
import { VMBUS } from '../cells/driver.ts';
import { writeMsr } from '../kernel/access.ts';
import { hypercall, hypercallCode } from '../kernel/hypercall.ts';
import { driverOf, isNested } from '../kernel/objects.ts';
import { vmbusActor, vmbusMsrs } from './actor.ts';
import { VMBUS_SINT } from './sint.ts';

const POST_MESSAGE = hypercallCode('POST_MESSAGE');
const POSTED = {
  connection: fieldOf('hv_input_post_message', 'connectionid'),
  type: fieldOf('hv_input_post_message', 'message_type'),
  size: fieldOf('hv_input_post_message', 'payload_size'),
};
/** Before the payload of a message, posted or delivered. */
const HEADER_BYTES = 16;
const PENDING = 1;

/**
 * Posts a channel message (Linux 7.2 drivers/hv/hv.c, hv_post_message); true where it got through. `frames` are
 * the bytes of the payload that cannot be known, for `reason`: names of pages, unless said otherwise.
 */
export function* postMessage(
  context: Context,
  cpu: number,
  payload: Uint8Array,
  frames?: readonly [from: number, to: number],
  reason: BindReason = 'kernel-page',
): DriverRun<boolean> {
  const input = new Uint8Array(HEADER_BYTES + payload.length);
  writeField(input, POSTED.connection, context.store.number(messageConnection(context)));
  writeField(input, POSTED.type, VMBUS_MESSAGE_TYPE);
  writeField(input, POSTED.size, payload.length);
  input.set(payload, HEADER_BYTES);
  const nested = isNested(context);
  const bound = frames && ([frames[0] + HEADER_BYTES, frames[1] + HEADER_BYTES] as const);
  const options = bound === undefined ? { nested } : { nested, bind: reason, bound };
  const answer = yield* hypercall(vmbusActor(cpu), POST_MESSAGE, input, options);
  return answer.fault !== true && answer.result.status === 0;
}

/** The cell with the connection that messages are posted on. */
export function messageConnection(context: Context): CellId {
  return cellAt(driverOf(context, VMBUS), VMBUS.slots.messageConnection);
}

/**
 * The message in VMBus' slot of a CPU, if there is one: it is read, the slot freed, and an EOM written only
 * where another message waits (Linux 7.2 drivers/hv/vmbus_drv.c, vmbus_on_msg_dpc and vmbus_signal_eom).
 */
function* takeMessage(context: Context, cpu: number): DriverRun<Uint8Array | undefined> {
  const { store } = context;
  const id = store.find(TOP, CPU, cpu);
  if (id === undefined) return undefined;
  const { slot } = fileOf(context, VMBUS_SINT).slots;
  const at = groupAt(slot, VMBUS_SINT);
  if (store.low(cellAt(id, at + slot.slots.filled)) === 0) return undefined;
  const content = store.blob(store.number(cellAt(id, at + slot.slots.content)));
  const message = { kind: 'message', component: 'vmbus', cpu, sint: VMBUS_SINT } as const;
  yield { ...message, what: 'read' };
  const flags = store.low(cellAt(id, at + slot.slots.flags));
  yield { ...message, what: 'clear', flags };
  if ((flags & PENDING) !== 0) yield* writeMsr(vmbusActor(cpu), vmbusMsrs(context).eom, 0n);
  return content.subarray(HEADER_BYTES);
}

/** Reads messages until one of that type has come; undefined where none does. */
export function* awaitMessage(
  context: Context,
  cpu: number,
  name: string,
): DriverRun<Uint8Array | undefined> {
  const type = channelMessages.number(name);
  for (;;) {
    const payload = yield* takeMessage(context, cpu);
    if (payload === undefined || channelType(payload) === type) return payload;
  }
}
