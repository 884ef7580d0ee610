import { constantNumber, messageTypes } from '../../abi/index.ts';
import type { Emitted, InterceptAnswer } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import { type ObjectId, TOP } from '../../state/store.ts';
import type { InterceptEvent } from '../../trace/event.ts';
import { CPU } from '../cells/cpu.ts';
import { PARTITION } from '../cells/partition.ts';
import { cellAt } from '../cells/place.ts';
import { VP } from '../cells/vp.ts';
import { timeOf } from '../partition/reference.ts';
import { answerRing, SINT_INTERCEPT } from '../port/doorbell.ts';
import { UNMODELLED } from '../rule-ids.ts';
import { canDeliver, deliver } from '../synic/deliver.ts';
import { expireTimers } from '../synic/expire.ts';
import { PLAIN_FILE } from '../synic/file.ts';
import { vpOfRef } from '../vp/find.ts';
import { showOnPage } from '../vp/register-page.ts';
import { waitForStart } from '../vp/suspend.ts';
import { endNotification } from './deliverability.ts';
import { messageOf, opaqueIntercept } from './message.ts';
import { takeRegisters } from './registers.ts';

const NO_MESSAGE = messageTypes.number('HVMSG_NONE');
const MESSAGE_PAGE = constantNumber('HV_PARTITION_CREATION_FLAG_INTERCEPT_MESSAGE_PAGE_ENABLED');
const INTERCEPT_SINT = constantNumber('HV_SYNIC_INTERCEPTION_SINT_INDEX');
const RULE = 'TLFS2013.intercept.message';

/** The CPU of the parent that gets the message: the event's, else the first whose SynIC takes messages. */
function receiver(context: Context, cpu: number | undefined): ObjectId | undefined {
  const { store } = context;
  if (cpu !== undefined) return store.find(TOP, CPU, cpu);
  const cpus = store.children(TOP, CPU);
  return cpus.find((cpu) => canDeliver(context, cpu, PLAIN_FILE)) ?? cpus[0];
}

/** A SynIC that nobody in the trace has switched on: its owner's part is not in the trace. */
function isUntouched(context: Context, cpu: ObjectId): boolean {
  const { disabledBy } = PLAIN_FILE.slots;
  return !canDeliver(context, cpu, PLAIN_FILE) && context.store.number(cellAt(cpu, disabledBy)) === 0;
}

function tellParent(
  context: Context,
  event: InterceptEvent,
  partition: ObjectId,
  message: Uint8Array,
): Emitted[] {
  const flags = context.store.number(cellAt(partition, PARTITION.slots.flags));
  const id = BigInt(context.store.key(partition));
  const slot = (flags & MESSAGE_PAGE) !== 0 ? opaqueIntercept(id, event.vp.vp ?? 0) : message;
  return messageToParent(context, event.cpu, slot);
}

/** A message about a partition to its parent, which has them on the SINT of intercepts. */
export function messageToParent(context: Context, cpu: number | undefined, message: Uint8Array): Emitted[] {
  const to = receiver(context, cpu);
  if (to === undefined || isUntouched(context, to)) return [];
  return deliver(context, to, PLAIN_FILE, INTERCEPT_SINT, message);
}

/**
 * A VP stops before its instruction completes (TLFS 2013, intercepts): its registers are what the guest made of
 * them, it stays suspended until its parent lets it go on, and the message stands on its intercept page, with
 * only OPAQUE_INTERCEPT in the slot of SINT0; without such a page the slot has the whole message. Of type
 * HVMSG_NONE it stopped for another reason (its parent suspended it), and there is no message. Of type
 * HVMSG_SYNIC_SINT_INTERCEPT it rang a doorbell, and did not stop at all.
 */
export function answerIntercept(context: Context, event: InterceptEvent): InterceptAnswer {
  if (event.type === SINT_INTERCEPT) return answerRing(context, event);
  const vp = vpOfRef(context, event.vp);
  if (vp === undefined) return { kind: 'intercept', rule: UNMODELLED };
  const { store } = context;
  takeRegisters(context, vp, event);
  showOnPage(context, vp);
  if (event.type === NO_MESSAGE) return withExpired([], context, vp, event);
  // Who stops has run: a start-up interrupt that is not in the trace started it.
  waitForStart(context, vp, false);
  store.set(cellAt(vp, VP.slots.suspend.intercept), 1);
  const payload = event.payload ?? new Uint8Array(0);
  endNotification(context, vp, event.type, payload);
  const partition = store.parent(vp);
  const message = messageOf(event.type, BigInt(store.key(partition)), payload);
  store.set(cellAt(vp, VP.slots.intercept.type), event.type);
  store.set(cellAt(vp, VP.slots.intercept.content), store.intern(message));
  // A parent that schedules hears of it by the end of the dispatch (Linux 7.2: it counts every other message as a signal).
  const told = context.profile.scheduler === 'root' ? [] : tellParent(context, event, partition, message);
  return withExpired(told, context, vp, event);
}

/** Timers that have expired by then are told of too. */
function withExpired(
  told: readonly Emitted[],
  context: Context,
  vp: ObjectId,
  event: InterceptEvent,
): InterceptAnswer {
  const emitted = [...told, ...expireTimers(context, vp, timeOf(event))];
  return emitted.length === 0
    ? { kind: 'intercept', rule: RULE }
    : { kind: 'intercept', rule: RULE, emitted };
}

/** The message of a VP's last stop, as its intercept page has it. */
export function interceptMessage({ store }: Context, vp: ObjectId): Uint8Array {
  return store.blob(store.number(cellAt(vp, VP.slots.intercept.content)));
}

/** A message of the VP is there that its parent has not answered by letting it go on. */
export function hasIntercept({ store }: Context, vp: ObjectId): boolean {
  return store.low(cellAt(vp, VP.slots.suspend.intercept)) === 1;
}
