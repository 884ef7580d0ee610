import { constantNumber } from '../../abi/index.ts';
import type { HypercallAnswer } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import { failed, succeeded } from '../call/call.ts';
import { STATUS } from '../call/status.ts';
import { cellAt, groupAt } from '../cells/place.ts';
import { PORT } from '../cells/port.ts';
import { messageOf, readMessage } from '../intercept/message.ts';
import { canDeliver, deliver, queueOf } from '../synic/deliver.ts';
import { portBehind, type Receiver, receiverOfPort, SYNIC_OFF } from './target.ts';

const MESSAGE = constantNumber('HV_PORT_TYPE_MESSAGE');

/** Messages of a port that wait: each has one of the port's buffers (TLFS 2013, HvCreatePort). */
function waiting({ store }: Context, { owner, file }: Receiver, sint: number, port: bigint): number {
  const kind = queueOf(file);
  return store.children(owner, kind).filter((id) => {
    if (store.low(cellAt(id, kind.slots.sint)) !== sint) return false;
    return readMessage(store.blob(store.number(cellAt(id, kind.slots.content)))).sender === port;
  }).length;
}

/** Posts a message over a connection: into the slot of the port's SINT, or into one of its buffers. */
export function postOver(
  context: Context,
  connection: ObjectId,
  type: number,
  payload: Uint8Array,
): HypercallAnswer {
  const found = portBehind(context, connection, MESSAGE);
  if ('refused' in found) return failed(found.refused.status, found.refused.rule);
  const { store, profile } = context;
  const { port } = found;
  const receiver = receiverOfPort(context, port, ({ owner, file }) => canDeliver(context, owner, file));
  if (receiver === undefined) return failed(SYNIC_OFF.status, SYNIC_OFF.rule);
  const sint = store.low(cellAt(port, PORT.slots.sint));
  const id = BigInt(store.key(port));
  const { owner, file } = receiver;
  const { slot } = file.slots;
  const isFilled = store.low(cellAt(owner, groupAt(slot, sint) + slot.slots.filled)) !== 0;
  if (isFilled && waiting(context, receiver, sint, id) >= profile.messageBuffers) {
    return failed(STATUS.INSUFFICIENT_BUFFERS, 'profile.message-buffers');
  }
  const emitted = deliver(context, owner, file, sint, messageOf(type, id, payload));
  return succeeded('TLFS2013.port.post', undefined, emitted);
}
