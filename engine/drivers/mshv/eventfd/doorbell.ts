import { constantNumber, fieldOf, writeField } from '../../../abi/index.ts';
import { OWN_PARTITION } from '../../../hypervisor/index.ts';
import type { DriverRun } from '../../../machine/child.ts';
import type { Context } from '../../../machine/context.ts';
import { MSHV, MSHV_PARTITION } from '../../cells/driver.ts';
import { MSHV_DOORBELL } from '../../cells/eventfd.ts';
import type { Actor } from '../../kernel/access.ts';
import { hypercall, hypercallCode } from '../../kernel/hypercall.ts';
import { driverOf } from '../../kernel/objects.ts';
import { hypercallWithMemory } from '../deposit.ts';

const CREATE_PORT = hypercallCode('CREATE_PORT');
const DELETE_PORT = hypercallCode('DELETE_PORT');
const CONNECT_PORT = hypercallCode('CONNECT_PORT');
const DISCONNECT_PORT = hypercallCode('DISCONNECT_PORT');
const CREATE = {
  bytes: 56,
  owner: fieldOf('hv_input_create_port', 'port_partition_id'),
  port: fieldOf('hv_input_create_port', 'port_id'),
  connecting: fieldOf('hv_input_create_port', 'connection_partition_id'),
  type: fieldOf('hv_input_create_port', 'port_info.port_type'),
  sint: fieldOf('hv_input_create_port', 'port_info.doorbell_port_info.target_sint'),
  vp: fieldOf('hv_input_create_port', 'port_info.doorbell_port_info.target_vp'),
};
const CONNECT = {
  bytes: 72,
  partition: fieldOf('hv_input_connect_port', 'connection_partition_id'),
  connection: fieldOf('hv_input_connect_port', 'connection_id'),
  portOwner: fieldOf('hv_input_connect_port', 'port_partition_id'),
  port: fieldOf('hv_input_connect_port', 'port_id'),
  type: fieldOf('hv_input_connect_port', 'connection_info.port_type'),
  gpa: fieldOf('hv_input_connect_port', 'connection_info.doorbell_connection_info.gpa'),
  trigger: fieldOf('hv_input_connect_port', 'connection_info.doorbell_connection_info.trigger_value'),
  flags: fieldOf('hv_input_connect_port', 'connection_info.doorbell_connection_info.flags'),
};
/** Both name a partition, then what of it; the third word says that it is a doorbell. */
const TAKE = {
  bytes: 16,
  partition: fieldOf('hv_input_disconnect_port', 'connection_partition_id'),
  id: fieldOf('hv_input_disconnect_port', 'connection_id'),
  isDoorbell: fieldOf('hv_input_disconnect_port', 'is_doorbell'),
};
const DOORBELL = constantNumber('HV_PORT_TYPE_DOORBELL');
export const DOORBELL_SINT = constantNumber('HV_SYNIC_DOORBELL_SINT_INDEX');
const ANY_VP = 0xffff_ffff;
const OWN = BigInt(OWN_PARTITION);

/** The lowest number that no port of the module has. */
function freePort(context: Context): number {
  const { store } = context;
  const taken = new Set<bigint | number>();
  for (const partition of store.children(driverOf(context, MSHV), MSHV_PARTITION))
    for (const id of store.children(partition, MSHV_DOORBELL)) taken.add(Number(store.key(id)));
  let port = 1;
  while (taken.has(port)) port++;
  return port;
}

/** What a doorbell waits for. */
export interface Ring {
  readonly gpa: bigint;
  readonly trigger: bigint;
  readonly flags: number;
}

/** A port of the own partition and a connection of the guest's (mshv_register_doorbell); the errno, or the port. */
export function* addDoorbell(
  context: Context,
  actor: Actor,
  partition: bigint,
  ring: Ring,
): DriverRun<{ readonly ret: number; readonly port: number }> {
  const port = freePort(context);
  const create = new Uint8Array(CREATE.bytes);
  writeField(create, CREATE.owner, OWN);
  writeField(create, CREATE.port, port);
  writeField(create, CREATE.connecting, partition);
  writeField(create, CREATE.type, DOORBELL);
  writeField(create, CREATE.sint, DOORBELL_SINT);
  writeField(create, CREATE.vp, ANY_VP);
  const created = yield* hypercallWithMemory(context, actor, OWN, CREATE_PORT, create);
  if (created.ret !== 0) return { ret: created.ret, port };
  const connect = new Uint8Array(CONNECT.bytes);
  writeField(connect, CONNECT.partition, partition);
  writeField(connect, CONNECT.connection, port);
  writeField(connect, CONNECT.portOwner, OWN);
  writeField(connect, CONNECT.port, port);
  writeField(connect, CONNECT.type, DOORBELL);
  writeField(connect, CONNECT.gpa, ring.gpa);
  writeField(connect, CONNECT.trigger, ring.trigger);
  writeField(connect, CONNECT.flags, ring.flags);
  const { ret } = yield* hypercallWithMemory(context, actor, partition, CONNECT_PORT, connect);
  if (ret !== 0) yield* deletePort(actor, port);
  return { ret, port };
}

function* deletePort(actor: Actor, port: number): DriverRun<void> {
  const input = new Uint8Array(TAKE.bytes);
  writeField(input, TAKE.partition, OWN);
  writeField(input, TAKE.id, port);
  yield* hypercall(actor, DELETE_PORT, input, { fast: true });
}

/** Takes a doorbell away (mshv_unregister_doorbell). */
export function* removeDoorbell(actor: Actor, partition: bigint, port: number): DriverRun<void> {
  const input = new Uint8Array(TAKE.bytes);
  writeField(input, TAKE.partition, partition);
  writeField(input, TAKE.id, port);
  writeField(input, TAKE.isDoorbell, 1);
  yield* hypercall(actor, DISCONNECT_PORT, input, { fast: true });
  yield* deletePort(actor, port);
}
