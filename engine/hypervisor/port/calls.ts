import { constantNumber, type FieldHandle, fieldOf, readU32, readU64 } from '../../abi/index.ts';
import type { HypercallAnswer } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import { type Call, type CallRow, failed, succeeded, unmodelledCall } from '../call/call.ts';
import { STATUS } from '../call/status.ts';
import { SINT_COUNT } from '../cells/cpu.ts';
import { cellAt } from '../cells/place.ts';
import { CONNECTION, PORT } from '../cells/port.ts';
import { domainFields, returnPages, takePages, wrongDomain } from '../partition/pages.ts';
import { PHASES } from '../partition/phases.ts';
import { findPartition, isOwn, RESERVED, reservedSet, wrongState } from '../partition/target.ts';
import { FLAG_COUNT } from '../synic/flags.ts';

const CREATE = {
  partition: fieldOf('hv_input_create_port', 'port_partition_id'),
  port: fieldOf('hv_input_create_port', 'port_id'),
  connecting: fieldOf('hv_input_create_port', 'connection_partition_id'),
  type: fieldOf('hv_input_create_port', 'port_info.port_type'),
  sint: fieldOf('hv_input_create_port', 'port_info.doorbell_port_info.target_sint'),
  vp: fieldOf('hv_input_create_port', 'port_info.doorbell_port_info.target_vp'),
  baseFlag: fieldOf('hv_input_create_port', 'port_info.event_port_info.base_flag_number'),
  flagCount: fieldOf('hv_input_create_port', 'port_info.event_port_info.flag_count'),
  reserved: [
    fieldOf('hv_input_create_port', 'padding'),
    fieldOf('hv_input_create_port', 'port_info.padding'),
  ],
  monitor: fieldOf('hv_input_create_port', 'port_info.monitor_port_info.monitor_address'),
  ...domainFields('hv_input_create_port'),
};
const DELETE = {
  partition: fieldOf('hv_input_delete_port', 'port_partition_id'),
  port: fieldOf('hv_input_delete_port', 'port_id'),
  reserved: fieldOf('hv_input_delete_port', 'reserved'),
};
const CONNECT = {
  partition: fieldOf('hv_input_connect_port', 'connection_partition_id'),
  connection: fieldOf('hv_input_connect_port', 'connection_id'),
  portPartition: fieldOf('hv_input_connect_port', 'port_partition_id'),
  port: fieldOf('hv_input_connect_port', 'port_id'),
  type: fieldOf('hv_input_connect_port', 'connection_info.port_type'),
  gpa: fieldOf('hv_input_connect_port', 'connection_info.doorbell_connection_info.gpa'),
  trigger: fieldOf('hv_input_connect_port', 'connection_info.doorbell_connection_info.trigger_value'),
  flags: fieldOf('hv_input_connect_port', 'connection_info.doorbell_connection_info.flags'),
  reserved: ['rsvdz0', 'rsvdz1', 'reserved2', 'connection_info.padding'].map((name) =>
    fieldOf('hv_input_connect_port', name),
  ),
  monitor: fieldOf('hv_input_connect_port', 'connection_info.monitor_connection_info.monitor_address'),
  ...domainFields('hv_input_connect_port'),
};
const DISCONNECT = {
  partition: fieldOf('hv_input_disconnect_port', 'connection_partition_id'),
  connection: fieldOf('hv_input_disconnect_port', 'connection_id'),
  reserved: fieldOf('hv_input_disconnect_port', 'reserved'),
};
const MESSAGE = constantNumber('HV_PORT_TYPE_MESSAGE');
const EVENT = constantNumber('HV_PORT_TYPE_EVENT');
const MONITOR = constantNumber('HV_PORT_TYPE_MONITOR');
const DOORBELL = constantNumber('HV_PORT_TYPE_DOORBELL');
const KNOWN_FLAGS = 0x8000_0007n;
/** HV_DOORBELL_FLAG_TRIGGER_SIZE_…: any, byte, word, double and quad word. */
const SIZE_MASK = 7n;
const LAST_SIZE = 4n;
/** What must be zero of the part that hangs on the type. */
const RESERVED_OF_PORT = byType('hv_input_create_port', 'port_info', [
  [MESSAGE, 'message_port_info.rsvdz'],
  [EVENT, 'event_port_info.rsvdz'],
  [MONITOR, 'monitor_port_info.rsvdz'],
  [DOORBELL, 'doorbell_port_info.rsvdz'],
]);
const RESERVED_OF_CONNECTION = byType('hv_input_connect_port', 'connection_info', [
  [MESSAGE, 'message_connection_info.rsvdz'],
  [EVENT, 'event_connection_info.rsvdz'],
]);

function byType(
  struct: string,
  info: string,
  rows: readonly (readonly [type: number, field: string])[],
): ReadonlyMap<number, FieldHandle> {
  return new Map(rows.map(([type, field]) => [type, fieldOf(struct, `${info}.${field}`)]));
}

function reservedOfType(call: Call, rows: ReadonlyMap<number, FieldHandle>, type: number): boolean {
  const field = rows.get(type);
  return field !== undefined && reservedSet(call, [field]);
}

const PORT_ID = failed(STATUS.INVALID_PORT_ID, 'TLFS2013.port.id');
const CONNECTION_ID = failed(STATUS.INVALID_CONNECTION_ID, 'TLFS2013.connection.id');
const PARAMETER = failed(STATUS.INVALID_PARAMETER, 'TLFS2013.port.parameter');

function active(call: Call, field: typeof CREATE.partition): ObjectId | { readonly answer: HypercallAnswer } {
  const found = findPartition(call, field);
  if ('answer' in found) return found;
  const wrong = wrongState(call, found.id, PHASES.PORT);
  return wrong === undefined ? found.id : { answer: wrong };
}

/** What a port takes from the pool of the partition that receives: of messages its buffers too (TLFS 2013, ports). */
function portPages({ context: { profile } }: Call, type: number): number {
  const { port, messageBuffer } = profile.pool;
  return type === MESSAGE ? port + profile.messageBuffers * messageBuffer : port;
}

/** The own partition of a recording that began mid-life may have ports that it has not seen. */
function isUnseen(call: Call, owner: ObjectId): boolean {
  return call.context.profile.initial === 'unknown' && isOwn(call, owner);
}

/** HvCreatePort (TLFS 2013): the id is free in the partition that will receive, the SINT exists. */
function create(call: Call): HypercallAnswer {
  const owner = active(call, CREATE.partition);
  if (typeof owner === 'object') return owner.answer;
  const { input, context } = call;
  const { store } = context;
  if (reservedSet(call, CREATE.reserved)) return RESERVED;
  const id = readU32(input, CREATE.port);
  const [type, sint] = [readU32(input, CREATE.type), readU32(input, CREATE.sint)];
  if (id === 0 || store.find(owner, PORT, id) !== undefined) return PORT_ID;
  // A monitored port has an address there, and no SINT.
  const wrongSint = type !== MONITOR && sint >= SINT_COUNT;
  if (type < MESSAGE || type > DOORBELL || wrongSint) return PARAMETER;
  const [base, count] = [readU32(input, CREATE.baseFlag), readU32(input, CREATE.flagCount)];
  if (type === EVENT && base + count > FLAG_COUNT) return PARAMETER;
  if (reservedOfType(call, RESERVED_OF_PORT, type)) return RESERVED;
  const domain = wrongDomain(call, CREATE);
  if (domain !== undefined) return domain;
  const short = takePages(call, owner, 'port', portPages(call, type));
  if (short !== undefined) return short;
  const port = store.create(owner, PORT, id);
  const { slots } = PORT;
  store.set(cellAt(port, slots.type), type);
  if (type === MONITOR) store.set(cellAt(port, slots.monitor), readU64(input, CREATE.monitor));
  else {
    store.set(cellAt(port, slots.sint), sint);
    store.set(cellAt(port, slots.vp), readU32(input, CREATE.vp));
  }
  if (type === EVENT) {
    store.set(cellAt(port, slots.baseFlag), base);
    store.set(cellAt(port, slots.flagCount), count);
  }
  store.set(cellAt(port, slots.connectionPartition), readU64(input, CREATE.connecting));
  return succeeded('TLFS2013.port.create');
}

function remove(call: Call): HypercallAnswer {
  const owner = active(call, DELETE.partition);
  if (typeof owner === 'object') return owner.answer;
  if (reservedSet(call, [DELETE.reserved])) return RESERVED;
  const port = call.context.store.find(owner, PORT, readU32(call.input, DELETE.port));
  if (port === undefined) return isUnseen(call, owner) ? unmodelledCall(call.event) : PORT_ID;
  const { store } = call.context;
  returnPages(call, owner, 'port', portPages(call, store.low(cellAt(port, PORT.slots.type))));
  store.destroy(port);
  return succeeded('TLFS2013.port.delete');
}

/** HvConnectPort (TLFS 2013): a free id, a port of the same type that waits for this partition. */
function connect(call: Call): HypercallAnswer {
  const owner = active(call, CONNECT.partition);
  if (typeof owner === 'object') return owner.answer;
  const portOwner = active(call, CONNECT.portPartition);
  if (typeof portOwner === 'object') return portOwner.answer;
  const { input, context } = call;
  const { store } = context;
  if (reservedSet(call, CONNECT.reserved)) return RESERVED;
  const id = readU32(input, CONNECT.connection);
  if (id === 0 || store.find(owner, CONNECTION, id) !== undefined) return CONNECTION_ID;
  const portId = readU32(input, CONNECT.port);
  const port = store.find(portOwner, PORT, portId);
  const type = readU32(input, CONNECT.type);
  const waitsFor = port === undefined ? 0n : store.get(cellAt(port, PORT.slots.connectionPartition));
  if (port === undefined && isUnseen(call, portOwner)) return unmodelledCall(call.event);
  if (port === undefined || store.low(cellAt(port, PORT.slots.type)) !== type) return PORT_ID;
  if (waitsFor !== BigInt(store.key(owner))) return PORT_ID;
  const flags = readU64(input, CONNECT.flags);
  const isSize = (flags & SIZE_MASK) <= LAST_SIZE;
  if (type === DOORBELL && ((flags & ~KNOWN_FLAGS) !== 0n || !isSize)) return PARAMETER;
  if (reservedOfType(call, RESERVED_OF_CONNECTION, type)) return RESERVED;
  const domain = wrongDomain(call, CONNECT);
  if (domain !== undefined) return domain;
  const short = takePages(call, owner, 'connection', context.profile.pool.connection);
  if (short !== undefined) return short;
  const connection = store.create(owner, CONNECTION, id);
  const { slots } = CONNECTION;
  store.set(cellAt(connection, slots.type), type);
  store.set(cellAt(connection, slots.portPartition), BigInt(store.key(portOwner)));
  store.set(cellAt(connection, slots.port), portId);
  if (type === MONITOR) store.set(cellAt(connection, slots.gpa), readU64(input, CONNECT.monitor));
  if (type === DOORBELL) {
    store.set(cellAt(connection, slots.gpa), readU64(input, CONNECT.gpa));
    store.set(cellAt(connection, slots.trigger), readU64(input, CONNECT.trigger));
    store.set(cellAt(connection, slots.flags), flags);
  }
  return succeeded('TLFS2013.port.connect');
}

function disconnect(call: Call): HypercallAnswer {
  const owner = active(call, DISCONNECT.partition);
  if (typeof owner === 'object') return owner.answer;
  if (reservedSet(call, [DISCONNECT.reserved])) return RESERVED;
  const connection = call.context.store.find(owner, CONNECTION, readU32(call.input, DISCONNECT.connection));
  if (connection === undefined) return CONNECTION_ID;
  call.context.store.destroy(connection);
  returnPages(call, owner, 'connection', call.context.profile.pool.connection);
  return succeeded('TLFS2013.port.disconnect');
}

/** Ports and connections go with their partition; connections to its ports lead nowhere then. */
export function removePorts({ store }: Context, partition: ObjectId): void {
  for (const id of store.children(partition, PORT)) store.destroy(id);
  for (const id of store.children(partition, CONNECTION)) store.destroy(id);
}

/** Ports and connections. A port takes its pages from the receiver's pool, a connection from the sender's. */
export const PORT_CALLS: readonly CallRow[] = [
  { name: 'CREATE_PORT', answer: create },
  { name: 'DELETE_PORT', answer: remove },
  { name: 'CONNECT_PORT', answer: connect },
  { name: 'DISCONNECT_PORT', answer: disconnect },
];
