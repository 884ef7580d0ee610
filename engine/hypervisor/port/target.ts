import type { Context } from '../../machine/context.ts';
import { type Key, keyOf, type ObjectId, TOP } from '../../state/store.ts';
import type { Refusal } from '../call/legality.ts';
import { STATUS } from '../call/status.ts';
import { CPU } from '../cells/cpu.ts';
import { PARTITION } from '../cells/partition.ts';
import { cellAt } from '../cells/place.ts';
import { CONNECTION, PORT } from '../cells/port.ts';
import { VP } from '../cells/vp.ts';
import { OWN_PARTITION } from '../initialise.ts';
import { PLAIN_FILE, type SynicFile, VP_FILE } from '../synic/file.ts';

const ANY_VP = 0xffff_ffff;
const NO_PORT: Refusal = { status: STATUS.INVALID_PORT_ID, rule: 'TLFS2013.port.dead' };
/** A SynIC, its page or its SINT is off (TLFS 2013, HvPostMessage and HvSignalEvent). */
export const SYNIC_OFF: Refusal = { status: STATUS.INVALID_SYNIC_STATE, rule: 'TLFS2013.synic.state' };

/** The SynIC that a message or signal goes to: of a CPU of the own partition, or of a VP of a child. */
export interface Receiver {
  readonly owner: ObjectId;
  readonly file: SynicFile;
}

/** The SynIC of one processor of a partition; undefined where there is no such processor. */
export function receiverOf({ store }: Context, partition: ObjectId, index: number): Receiver | undefined {
  const own = store.key(partition) === OWN_PARTITION;
  const owner = own ? store.find(TOP, CPU, index) : store.find(partition, VP, index);
  return owner === undefined ? undefined : { owner, file: own ? PLAIN_FILE : VP_FILE };
}

/** A connection of a partition, of any type. */
export function connectionOf({ store }: Context, partition: Key, id: number): ObjectId | undefined {
  const owner = store.find(TOP, PARTITION, partition);
  // Of one that the recording does not show its caller decides.
  return owner !== undefined && store.shows(owner, CONNECTION, id)
    ? store.find(owner, CONNECTION, id)
    : undefined;
}

/** The port behind a connection; a connection to one that is gone is dead (TLFS 2013, HvDeletePort). */
export function portBehind(
  { store }: Context,
  connection: ObjectId,
  type: number,
): { readonly port: ObjectId } | { readonly refused: Refusal } {
  const { slots } = CONNECTION;
  const owner = store.find(TOP, PARTITION, keyOf(store.get(cellAt(connection, slots.portPartition))));
  const id = store.number(cellAt(connection, slots.port));
  const port = owner === undefined ? undefined : store.find(owner, PORT, id);
  if (port === undefined || store.low(cellAt(port, PORT.slots.type)) !== type) return { refused: NO_PORT };
  return { port };
}

/**
 * The processor that a port names; of a port for any of them the first that `takes` it. Off is what refuses a single one
 * and what is passed over among many (TLFS 2013, HvPostMessage).
 */
export function receiverOfPort(
  context: Context,
  port: ObjectId,
  takes: (receiver: Receiver) => boolean,
): Receiver | undefined {
  const { store } = context;
  const partition = store.parent(port);
  const index = store.low(cellAt(port, PORT.slots.vp));
  const own = store.key(partition) === OWN_PARTITION;
  const candidates =
    index === ANY_VP
      ? store.children(own ? TOP : partition, own ? CPU : VP).map((id) => Number(store.key(id)))
      : [index];
  for (const each of candidates) {
    const receiver = receiverOf(context, partition, each);
    if (receiver !== undefined && takes(receiver)) return receiver;
  }
  return undefined;
}
