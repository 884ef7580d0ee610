import {
  CHANNEL_MESSAGE,
  cellAt,
  MESSAGE_CONNECTION,
  MESSAGE_CONNECTION_V5,
} from '../../hypervisor/index.ts';
import type { DriverRun } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { Profile } from '../../trace/profile.ts';
import { CONNECTIONS, VMBUS } from '../cells/driver.ts';
import { allocateFrames, driverOf } from '../kernel/objects.ts';
import { remark } from '../kernel/step.ts';
import { BASE_SHIFT } from '../kernel/synic.ts';
import { awaitMessage, channelHeader, messageConnection, postMessage } from './channel.ts';
import { CONNECT_CPU, connectionOf, VMBUS_SINT } from './cpu.ts';

/** What a conversation with the host came to; `waiting`: the answer has not come, and may never. */
export type Conversation = 'done' | 'refused' | 'waiting';

/** Protocols that Linux asks for, newest first (Linux 7.2 drivers/hv/connection.c, vmbus_versions). */
const VERSIONS: readonly number[] = [0x6_0000, 0x5_0003, 0x5_0002, 0x5_0001, 0x5_0000, 0x4_0001, 0x4_0000];
/** Kernels before 7.0 do not know 6.0. */
const WITHOUT_6_0: readonly Profile['kernel'][] = ['upstream-6.16', 'rfc2020'];
const VERSION_5_0 = 0x5_0000;

/** Where INITIATE_CONTACT has the addresses of its two monitor pages. */
const MONITOR_PAGES = [24, 40] as const;

export function setConnection(context: Context, state: (typeof CONNECTIONS)[number]): void {
  const cell = cellAt(driverOf(context, VMBUS), VMBUS.slots.connection);
  context.store.set(cell, CONNECTIONS.indexOf(state));
}

/**
 * Offers the host one protocol after the other until it accepts one (Linux 7.2 drivers/hv/connection.c,
 * vmbus_connect).
 */
export function* connect(context: Context): DriverRun<Conversation> {
  setConnection(context, 'connecting');
  const interrupt = allocateFrames(context, 1);
  const monitor = allocateFrames(context, 2);
  const skipped = WITHOUT_6_0.includes(context.profile.kernel) ? 1 : 0;
  for (const version of VERSIONS.slice(skipped)) {
    const conversation = yield* offer(context, version, contact(version, interrupt, monitor));
    if (conversation === 'refused') continue;
    if (conversation === 'done') {
      context.store.set(cellAt(driverOf(context, VMBUS), VMBUS.slots.version), version);
      setConnection(context, 'connected');
    }
    return conversation;
  }
  return 'refused';
}

/**
 * INITIATE_CONTACT: version, the VP that messages are to go to, and pages that the host and the guest share. From
 * 5.0 on the SINT stands where older versions have the interrupt page (struct vmbus_channel_initiate_contact).
 */
function contact(version: number, interrupt: bigint, monitor: bigint): Uint8Array {
  const payload = new Uint8Array(40);
  payload.set(channelHeader(CHANNEL_MESSAGE.INITIATE_CONTACT));
  const fields = new DataView(payload.buffer);
  fields.setUint32(8, version, true);
  fields.setUint32(12, CONNECT_CPU, true);
  if (version >= VERSION_5_0) fields.setUint8(16, VMBUS_SINT);
  else fields.setBigUint64(16, interrupt << BASE_SHIFT, true);
  fields.setBigUint64(MONITOR_PAGES[0], monitor << BASE_SHIFT, true);
  fields.setBigUint64(MONITOR_PAGES[0] + 8, (monitor + 1n) << BASE_SHIFT, true);
  return payload;
}

/** One offer and the wait for VERSION_RESPONSE, which from 5.0 on names the connection for what follows. */
function* offer(context: Context, version: number, payload: Uint8Array): DriverRun<Conversation> {
  const connection = messageConnection(context);
  context.store.set(connection, version >= VERSION_5_0 ? MESSAGE_CONNECTION_V5 : MESSAGE_CONNECTION);
  if (!(yield* postMessage(context, CONNECT_CPU, payload, MONITOR_PAGES))) return 'refused';
  const response = yield* awaitMessage(context, CONNECT_CPU, CHANNEL_MESSAGE.VERSION_RESPONSE);
  if (response === undefined) return 'waiting';
  if (response.length < 16 || response[8] === 0) return 'refused';
  const named = new DataView(response.buffer, response.byteOffset).getUint32(12, true);
  if (version >= VERSION_5_0) context.store.set(connection, named);
  return 'done';
}

/**
 * UNLOAD and the wait for its response, which comes to the connect CPU and has no time limit (Linux 7.2
 * drivers/hv/channel_mgmt.c, vmbus_initiate_unload). Whether a response that could not be delivered holds the
 * kernel up for good has not been seen: the profile's `vmbusUnload` decides (`answered`: VMBus goes on as if it
 * had come; `lost`: it waits for ever).
 */
export function* unload(context: Context): DriverRun<Conversation> {
  if (connectionOf(context) !== 'connected') return 'done';
  setConnection(context, 'disconnected');
  const waiting = cellAt(driverOf(context, VMBUS), VMBUS.slots.unloading);
  context.store.set(waiting, 1);
  yield* postMessage(context, CONNECT_CPU, channelHeader(CHANNEL_MESSAGE.UNLOAD));
  const response = yield* awaitMessage(context, CONNECT_CPU, CHANNEL_MESSAGE.UNLOAD_RESPONSE);
  if (response === undefined && context.profile.vmbusUnload === 'lost') {
    yield remark('vmbus', CONNECT_CPU, 'waits for UNLOAD_RESPONSE, which cannot be delivered');
    return 'waiting';
  }
  if (response === undefined) {
    yield remark('vmbus', CONNECT_CPU, 'UNLOAD_RESPONSE was not delivered; goes on as if it had been');
  }
  context.store.set(waiting, 0);
  return 'done';
}

/** A crashing kernel polls for the response for a while and then goes on without it (vmbus_wait_for_unload). */
export function* unloadInCrash(context: Context, cpu: number): DriverRun<void> {
  if (connectionOf(context) !== 'connected') return;
  setConnection(context, 'disconnected');
  yield* postMessage(context, cpu, channelHeader(CHANNEL_MESSAGE.UNLOAD));
  yield* awaitMessage(context, CONNECT_CPU, CHANNEL_MESSAGE.UNLOAD_RESPONSE);
}
