import { constantNumber, fieldOf, messageTypes, readU32, writeField } from '../../abi/index.ts';
import type { Emitted, InterceptAnswer } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import { keyOf, type ObjectId, TOP } from '../../state/store.ts';
import type { InterceptEvent } from '../../trace/event.ts';
import type { VpRef } from '../../trace/handle.ts';
import { CPU } from '../cells/cpu.ts';
import { PARTITION } from '../cells/partition.ts';
import { cellAt } from '../cells/place.ts';
import { CONNECTION, PORT, RING_ENTRY } from '../cells/port.ts';
import { OWN_PARTITION } from '../initialise.ts';
import { messageOf } from '../intercept/message.ts';
import { UNMODELLED } from '../rule-ids.ts';
import { canDeliver, deliver, ownerOf } from '../synic/deliver.ts';
import { PLAIN_FILE } from '../synic/file.ts';

export const SINT_INTERCEPT = messageTypes.number('HVMSG_SYNIC_SINT_INTERCEPT');
const SINT_INDEX = fieldOf('hv_notification_message_payload', 'sint_index');
/** Behind the notification, in the event alone: the port that was rung. */
const PORT_AT = 4;
const PAYLOAD_BYTES = 8;
const DOORBELL = constantNumber('HV_PORT_TYPE_DOORBELL');
const INTERCEPT_SINT = constantNumber('HV_SYNIC_INTERCEPTION_SINT_INDEX');
const ANY_VALUE = 0x8000_0000n;
const SIZE_MASK = 7n;
/** HV_DOORBELL_FLAG_TRIGGER_SIZE_…: 0 is any, else 2^(n-1) bytes. */
const SIZES: readonly number[] = [0, 1, 2, 4, 8];
/** Entries of a ring (Linux 7.2 include/hyperv: struct hv_synic_event_ring). */
const RING_ENTRIES = 63;
const RULE = 'HDR.doorbell.ring';
const ENABLE = 1;
const RING_FULL = 'HDR.doorbell.ring-full';

/** What a write of the guest rings; undefined where it is a write like any other. */
export function doorbellAt(
  { store }: Context,
  partition: bigint,
  write: { readonly gpa: bigint; readonly bytes: number; readonly value: bigint },
): number | undefined {
  const owner = store.find(TOP, PARTITION, keyOf(partition));
  if (owner === undefined) return undefined;
  const { type, gpa, trigger, flags, port } = CONNECTION.slots;
  const found = store.children(owner, CONNECTION).find((id) => {
    if (store.low(cellAt(id, type)) !== DOORBELL || store.get(cellAt(id, gpa)) !== write.gpa) return false;
    const asked = store.get(cellAt(id, flags));
    const size = SIZES[Number(asked & SIZE_MASK)];
    if (size !== 0 && size !== write.bytes) return false;
    return (asked & ANY_VALUE) !== 0n || store.get(cellAt(id, trigger)) === write.value;
  });
  if (found === undefined) return undefined;
  const id = store.number(cellAt(found, port));
  return doorbellPort({ store }, id) === undefined ? undefined : id;
}

function doorbellPort({ store }: Pick<Context, 'store'>, id: number): ObjectId | undefined {
  const own = store.find(TOP, PARTITION, OWN_PARTITION);
  const port = own === undefined ? undefined : store.find(own, PORT, id);
  return port !== undefined && store.low(cellAt(port, PORT.slots.type)) === DOORBELL ? port : undefined;
}

/** An event that says that a doorbell was rung: SINT and port. */
export function ringEvent(vp: VpRef, sint: number, port: number) {
  const payload = new Uint8Array(PAYLOAD_BYTES);
  writeField(payload, SINT_INDEX, sint);
  new DataView(payload.buffer).setUint32(PORT_AT, port, true);
  return { kind: 'intercept', component: 'hypervisor', vp, type: SINT_INTERCEPT, payload } as const;
}

/**
 * A doorbell was rung: the port goes into the event ring of its SINT, and a message that names the SINT into the slot
 * of intercepts, unless the driver is being told already (Linux 7.2 drivers/hv/mshv_synic.c, mshv_doorbell_isr). The
 * VP goes on.
 */
export function answerRing(context: Context, event: InterceptEvent): InterceptAnswer {
  const { store } = context;
  const { payload = new Uint8Array(0) } = event;
  const id = readU32(payload, { ...SINT_INDEX, offset: PORT_AT });
  const port = doorbellPort(context, id);
  const cpu = store.children(TOP, CPU).find((each) => canDeliver(context, each, PLAIN_FILE));
  if (port === undefined || cpu === undefined) return { kind: 'intercept', rule: UNMODELLED };
  if ((store.low(cellAt(cpu, CPU.slots.synic.sirbp)) & ENABLE) === 0) return lost(context, cpu, port);
  const entries = store.children(cpu, RING_ENTRY).length;
  // What a full ring has no room for stands behind it, and is put in when the driver says that it is empty.
  store.set(cellAt(store.create(cpu, RING_ENTRY, entries), RING_ENTRY.slots.port), id);
  if (entries > 0) return { kind: 'intercept', rule: entries < RING_ENTRIES ? RULE : RING_FULL };
  const sint = new Uint8Array(4);
  writeField(sint, SINT_INDEX, store.low(cellAt(port, PORT.slots.sint)));
  const message = messageOf(SINT_INTERCEPT, BigInt(OWN_PARTITION), sint);
  const emitted: Emitted[] = deliver(context, cpu, PLAIN_FILE, INTERCEPT_SINT, message);
  return { kind: 'intercept', rule: RULE, emitted };
}

/** Without a ring page there is nowhere to put it. */
function lost(context: Context, cpu: ObjectId, port: ObjectId): InterceptAnswer {
  const sint = context.store.low(cellAt(port, PORT.slots.sint));
  const to = { kind: 'message', component: 'hypervisor', ...ownerOf(context, cpu), sint } as const;
  return {
    kind: 'intercept',
    rule: 'choice.doorbell.ring-off',
    emitted: [{ ...to, what: 'drop', reason: 'synic-off' }],
  };
}

/**
 * Takes the ports that were rung on a CPU out of its ring, oldest first. `full`: there are more that did not fit, which the
 * driver has to ask for (HVCALL_NOTIFY_PORT_RING_EMPTY).
 */
export function takeRing(
  { store }: Context,
  cpu: ObjectId,
): { readonly ports: readonly number[]; readonly full: boolean } {
  const all = store.children(cpu, RING_ENTRY);
  const entries = all.slice(0, RING_ENTRIES);
  const ports = entries.map((id) => store.number(cellAt(id, RING_ENTRY.slots.port)));
  for (const id of entries) store.destroy(id);
  return { ports, full: all.length > RING_ENTRIES };
}
