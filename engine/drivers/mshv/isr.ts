import { constantNumber, fieldOf, messageTypes, readU32 } from '../../abi/index.ts';
import {
  CPU,
  cellAt,
  fileOf,
  groupAt,
  messageType,
  readMessage,
  SINT_INTERCEPT,
  takeRing,
} from '../../hypervisor/index.ts';
import type { DriverRun, Outcome } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { Handler } from '../../machine/sides.ts';
import { type ObjectId, TOP } from '../../state/store.ts';
import type { HypercallEvent, InterceptEvent, MsrEvent } from '../../trace/event.ts';
import { MSHV, MSHV_VP } from '../cells/driver.ts';
import { type Actor, writeMsr } from '../kernel/access.ts';
import { hypercall, hypercallCode } from '../kernel/hypercall.ts';
import { driverState } from '../kernel/objects.ts';
import { MASKED, PLAIN_MSRS } from '../kernel/synic.ts';
import { complete } from './completion.ts';
import { DOORBELL_SINT } from './eventfd/doorbell.ts';
import { signalOf } from './eventfd/ioeventfd.ts';
import { acknowledge } from './eventfd/resample.ts';
import { vpOf } from './objects.ts';
import { hasRootScheduler } from './scheduler.ts';
import { serveSignals } from './signals.ts';

const SINT = constantNumber('HV_SYNIC_INTERCEPTION_SINT_INDEX');
const OPAQUE_INTERCEPT = messageTypes.number('HVMSG_OPAQUE_INTERCEPT');
const APIC_EOI = messageTypes.number('HVMSG_X64_APIC_EOI');
const SINT_INDEX = fieldOf('hv_notification_message_payload', 'sint_index');
const EOI_VECTOR = fieldOf('hv_x64_apic_eoi_message', 'interrupt_vector');
const VP_INDEX = fieldOf('hv_opaque_intercept_message', 'vp_index');
const NOTIFY_PORT_RING_EMPTY = hypercallCode('NOTIFY_PORT_RING_EMPTY');
const PENDING = 1;

interface Slot {
  readonly content: Uint8Array;
  readonly flags: number;
}

/** The message in the slot of intercepts; undefined while the slot is free or its interrupt masked. */
function slotOf(context: Context, cpu: ObjectId): Slot | undefined {
  const { store } = context;
  const { slot, sint } = fileOf(context, SINT).slots;
  const at = groupAt(slot, SINT);
  if (store.low(cellAt(cpu, at + slot.slots.filled)) === 0) return undefined;
  if ((BigInt(store.low(cellAt(cpu, sint.first + SINT))) & MASKED) !== 0n) return undefined;
  return {
    content: store.blob(store.number(cellAt(cpu, at + slot.slots.content))),
    flags: store.low(cellAt(cpu, at + slot.slots.flags)),
  };
}

function isDoorbell(content: Uint8Array): boolean {
  if (messageType(content) !== SINT_INTERCEPT) return false;
  return readU32(readMessage(content).payload, SINT_INDEX) === DOORBELL_SINT;
}

/**
 * The ring of doorbells is read to its end; each port's eventfd is signalled. Of a ring that was full the hypervisor is
 * asked for the rest (mshv_doorbell_isr).
 */
function* drain(context: Context, actor: Actor, cpu: ObjectId): DriverRun<void> {
  for (;;) {
    const { ports, full } = takeRing(context, cpu);
    for (const port of ports) {
      const signal = signalOf(context, actor, port);
      if (signal !== undefined) yield signal;
    }
    if (!full) return;
    yield* hypercall(actor, NOTIFY_PORT_RING_EMPTY, Uint8Array.of(DOORBELL_SINT, 0, 0, 0, 0, 0, 0, 0), {
      fast: true,
    });
  }
}

/** Tells the call that waits for the VP; false for a message that nobody handles. */
function* kick(context: Context, actor: Actor, content: Uint8Array): DriverRun<boolean> {
  const { type, sender, payload } = readMessage(content);
  const { store } = context;
  // Every message of an intercept begins with the index of the VP.
  const vp = vpOf(context, sender, readU32(payload, VP_INDEX));
  if (vp === undefined) return false;
  if (type === APIC_EOI) {
    yield* acknowledge(context, actor, sender, readU32(payload, EOI_VECTOR));
    return true;
  }
  if (type !== OPAQUE_INTERCEPT) {
    if (context.profile.kernel !== 'rfc2020') return false;
    store.set(cellAt(vp, MSHV_VP.slots.message), store.intern(content));
  }
  store.set(cellAt(vp, MSHV_VP.slots.kicked), 1);
  return true;
}

/** The RFC of 2020 takes every message for an intercept's. */
function readsSignals({ profile }: Context): boolean {
  return profile.kernel !== 'rfc2020';
}

function* isHandled(context: Context, actor: Actor, content: Uint8Array): DriverRun<boolean> {
  if (readsSignals(context) && serveSignals(context, content)) return true;
  return complete(context, content) || (yield* kick(context, actor, content));
}

/** A message that nobody handles is left, and the slot with it: the quirk `unhandled-message-blocks-slot`. */
function staysInSlot({ profile }: Context): boolean {
  return profile.quirks['unhandled-message-blocks-slot'];
}

/**
 * The driver's part of the interrupt: messages are read one by one, the slot freed, and an EOM written only where
 * another waits; the RFC of 2020 always wrote one, and freed the slot whatever was in it (Linux 7.2 drivers/hv/mshv_synic.c, mshv_isr).
 */
function* serveCpu(context: Context, id: ObjectId): DriverRun<void> {
  const actor = { component: 'mshv', cpu: Number(context.store.key(id)) };
  for (;;) {
    const slot = slotOf(context, id);
    if (slot === undefined) return;
    if (isDoorbell(slot.content)) yield* drain(context, actor, id);
    else if (!(yield* isHandled(context, actor, slot.content)) && staysInSlot(context)) return;
    yield { kind: 'message', ...actor, sint: SINT, what: 'clear', flags: slot.flags };
    const always = context.profile.kernel === 'rfc2020';
    if (!always && (slot.flags & PENDING) === 0) return;
    yield* writeMsr(actor, PLAIN_MSRS.eom, 0n);
  }
}

/** The interrupt comes on one CPU; the others have nothing in their slot, and nothing is begun for them. */
export function* serveMessages(context: Context): DriverRun<void> {
  if (driverState(context, MSHV) === 'stopped') return;
  for (const cpu of context.store.children(TOP, CPU)) {
    if (slotOf(context, cpu) !== undefined) yield* serveCpu(context, cpu);
  }
}

/** A call has been made that the hypervisor's scheduler may have answered with a signal too. */
export function* serveScheduler(context: Context): DriverRun<void> {
  if (hasRootScheduler(context)) yield* serveMessages(context);
}

/** What the kernel does when a VP has stopped, or has done something of which the hypervisor tells. */
export const INTERCEPT_HANDLER: Handler<InterceptEvent | MsrEvent | HypercallEvent> = {
  *enter(context): DriverRun<Outcome> {
    yield* serveMessages(context);
    return { rule: 'Linux.mshv.isr' };
  },
};
