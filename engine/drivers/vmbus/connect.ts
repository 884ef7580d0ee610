import { channelMessage, constantNumber, fieldOf, writeField } from '../../abi/index.ts';
import { cellAt, MESSAGE_CONNECTION, MESSAGE_CONNECTION_V5 } from '../../hypervisor/index.ts';
import type { DriverRun } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { Profile } from '../../trace/profile.ts';
import { VMBUS } from '../cells/driver.ts';
import { allocateFrames, driverOf } from '../kernel/objects.ts';
import { remark } from '../kernel/step.ts';
import { BASE_SHIFT } from '../kernel/synic.ts';
import { connectionOf } from './actor.ts';
import { awaitMessage, messageConnection, postMessage } from './channel.ts';
import { CONNECT_CPU, VMBUS_SINT } from './sint.ts';
import { setConnection, VERSION_5_0 } from './track-connection.ts';

/** What a conversation with the host came to; `waiting`: the answer has not come, and may never. */
export type Conversation = 'done' | 'refused' | 'waiting';

/** Protocols that Linux asks for, newest first (Linux 7.2 drivers/hv/connection.c, vmbus_versions). */
const VERSIONS: readonly number[] = ['V6_0', 'V5_3', 'V5_2', 'V5_1', 'V5', 'V4_1']
  .map((name) => constantNumber(`VERSION_WIN10_${name}`))
  .concat(constantNumber('VERSION_WIN10'));
/** Kernels before 7.0 do not know 6.0. */
const WITHOUT_6_0: readonly Profile['kernel'][] = ['upstream-6.16', 'rfc2020'];

const CONTACT = 'vmbus_channel_initiate_contact';
const FIELDS = {
  version: fieldOf(CONTACT, 'vmbus_version_requested'),
  targetVcpu: fieldOf(CONTACT, 'target_vcpu'),
  interruptPage: fieldOf(CONTACT, 'interrupt_page'),
  sint: fieldOf(CONTACT, 'msg_sint'),
  monitorPage1: fieldOf(CONTACT, 'monitor_page1'),
  monitorPage2: fieldOf(CONTACT, 'monitor_page2'),
};
/** Where the addresses of its two monitor pages stand. */
const MONITOR_PAGES = [
  FIELDS.monitorPage1.offset,
  FIELDS.monitorPage2.offset + FIELDS.monitorPage2.size,
] as const;

/**
 * Offers the host one protocol after the other until it accepts one (Linux 7.2 drivers/hv/connection.c,
 * vmbus_connect). What the answers change is in traffic.ts.
 */
export function* connect(context: Context): DriverRun<Conversation> {
  setConnection(context, 'connecting');
  const interrupt = allocateFrames(context, 1);
  const monitor = allocateFrames(context, 2);
  const skipped = WITHOUT_6_0.includes(context.profile.kernel) ? 1 : 0;
  for (const version of VERSIONS.slice(skipped)) {
    const conversation = yield* offer(context, version, contact(version, interrupt, monitor));
    if (conversation !== 'refused') return conversation;
  }
  return 'refused';
}

/**
 * INITIATE_CONTACT: version, the VP that messages are to go to, and pages that the host and the guest share. From
 * 5.0 on the SINT stands where older versions have the interrupt page.
 */
function contact(version: number, interrupt: bigint, monitor: bigint): Uint8Array {
  const payload = channelMessage('INITIATE_CONTACT');
  writeField(payload, FIELDS.version, version);
  writeField(payload, FIELDS.targetVcpu, CONNECT_CPU);
  if (version >= VERSION_5_0) writeField(payload, FIELDS.sint, VMBUS_SINT);
  else writeField(payload, FIELDS.interruptPage, interrupt << BASE_SHIFT);
  writeField(payload, FIELDS.monitorPage1, monitor << BASE_SHIFT);
  writeField(payload, FIELDS.monitorPage2, (monitor + 1n) << BASE_SHIFT);
  return payload;
}

/** After a hibernation the protocol that was agreed on is offered again, and no other (vmbus_bus_resume). */
export function* connectAgain(context: Context): DriverRun<Conversation> {
  setConnection(context, 'connecting');
  const frames = allocateFrames(context, 3);
  const version = context.store.number(cellAt(driverOf(context, VMBUS), VMBUS.slots.version));
  return yield* offer(context, version, contact(version, frames, frames + 1n));
}

/** One offer and the wait for VERSION_RESPONSE, which from 5.0 on names the connection for what follows. */
function* offer(context: Context, version: number, payload: Uint8Array): DriverRun<Conversation> {
  const connection = version >= VERSION_5_0 ? MESSAGE_CONNECTION_V5 : MESSAGE_CONNECTION;
  context.store.set(messageConnection(context), connection);
  if (!(yield* postMessage(context, CONNECT_CPU, payload, MONITOR_PAGES))) return 'refused';
  const response = yield* awaitMessage(context, CONNECT_CPU, 'VERSION_RESPONSE');
  if (response === undefined) return 'waiting';
  return connectionOf(context) === 'connected' ? 'done' : 'refused';
}

/**
 * REQUESTOFFERS, and what the host has to say at once: VMBus is up whatever comes of it (Linux 7.2
 * drivers/hv/vmbus_drv.c, vmbus_bus_init; channel_mgmt.c, vmbus_request_offers).
 */
export function* requestOffers(context: Context): DriverRun<void> {
  yield* postMessage(context, CONNECT_CPU, channelMessage('REQUESTOFFERS'));
  yield* awaitMessage(context, CONNECT_CPU, 'ALLOFFERS_DELIVERED');
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
  yield* postMessage(context, CONNECT_CPU, channelMessage('UNLOAD'));
  const response = yield* awaitMessage(context, CONNECT_CPU, 'UNLOAD_RESPONSE');
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
  yield* postMessage(context, cpu, channelMessage('UNLOAD'));
  yield* awaitMessage(context, CONNECT_CPU, 'UNLOAD_RESPONSE');
}
