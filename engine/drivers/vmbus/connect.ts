import { CHANNEL_MESSAGE } from '../../hypervisor/index.ts';
import type { DriverRun } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { Profile } from '../../trace/profile.ts';
import { CONNECTIONS, VMBUS } from '../cells/driver.ts';
import { allocateFrames, cellAt, driverOf } from '../kernel/objects.ts';
import { remark } from '../kernel/step.ts';
import { BASE_SHIFT } from '../kernel/synic.ts';
import { awaitMessage, channelHeader, postMessage } from './channel.ts';
import { CONNECT_CPU, connectionOf, VMBUS_SINT } from './cpu.ts';

/** What a conversation with the host came to; `waiting`: the answer has not come, and may never. */
export type Conversation = 'done' | 'refused' | 'waiting';

/** The newest protocol of a kernel, which it asks for first (Linux drivers/hv/connection.c, vmbus_versions). */
const VERSION_6_0 = 0x6_0000;
const VERSION_5_3 = 0x5_0003;
const NEWEST: Readonly<Record<Profile['kernel'], number>> = {
  'upstream-7.2': VERSION_6_0,
  'upstream-7.0': VERSION_6_0,
  'upstream-6.16': VERSION_5_3,
  rfc2020: VERSION_5_3,
  vtl: VERSION_6_0,
  unknown: VERSION_6_0,
};

/** Where INITIATE_CONTACT has the addresses of its two monitor pages. */
const MONITOR_PAGES = [24, 40] as const;

export function setConnection(context: Context, state: (typeof CONNECTIONS)[number]): void {
  const cell = cellAt(driverOf(context, VMBUS), VMBUS.slots.connection);
  context.store.set(cell, CONNECTIONS.indexOf(state));
}

/**
 * INITIATE_CONTACT and the wait for VERSION_RESPONSE (Linux 7.2 drivers/hv/connection.c, vmbus_connect): version,
 * the VP and SINT that messages are to go to, and two monitor pages.
 */
export function* connect(context: Context): DriverRun<Conversation> {
  setConnection(context, 'connecting');
  const version = NEWEST[context.profile.kernel];
  const monitor = allocateFrames(context, 2);
  const payload = new Uint8Array(40);
  payload.set(channelHeader(CHANNEL_MESSAGE.INITIATE_CONTACT));
  const fields = new DataView(payload.buffer);
  fields.setUint32(8, version, true);
  fields.setUint32(12, CONNECT_CPU, true);
  fields.setUint8(16, VMBUS_SINT);
  fields.setBigUint64(MONITOR_PAGES[0], monitor << BASE_SHIFT, true);
  fields.setBigUint64(MONITOR_PAGES[0] + 8, (monitor + 1n) << BASE_SHIFT, true);
  if (!(yield* postMessage(context, CONNECT_CPU, payload, MONITOR_PAGES))) return 'refused';
  const response = yield* awaitMessage(context, CONNECT_CPU, CHANNEL_MESSAGE.VERSION_RESPONSE);
  if (response === undefined) return 'waiting';
  if (response[8] === 0) return 'refused';
  context.store.set(cellAt(driverOf(context, VMBUS), VMBUS.slots.version), version);
  setConnection(context, 'connected');
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
