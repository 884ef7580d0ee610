import { constantNumber, fieldOf, readU32, writeField } from '../../../abi/index.ts';
import {
  BLOCKED,
  cellAt,
  hasInjected,
  hasIntercept,
  interceptMessage,
  paddedMessage,
  VP,
} from '../../../hypervisor/index.ts';
import type { DriverRun, HypercallAnswer, Outcome, ShownCall } from '../../../machine/child.ts';
import type { Context } from '../../../machine/context.ts';
import type { IoctlEvent } from '../../../trace/event.ts';
import { MSHV, MSHV_VP, SCHEDULER_WAITS } from '../../cells/driver.ts';
import type { Actor } from '../../kernel/access.ts';
import { errnoOf, failure } from '../../kernel/errno.ts';
import { hypercall, hypercallCode } from '../../kernel/hypercall.ts';
import { driverState } from '../../kernel/objects.ts';
import { serveMessages } from '../isr.ts';
import { vpOf } from '../objects.ts';
import type { VpId } from '../pages.ts';
import { doubtState } from '../state/data.ts';
import { handleFault } from './fault.ts';
import { takeRecorded } from './recorded.ts';
import { EXPLICIT_SUSPEND, setRegisters } from './registers.ts';
import { driverVp, guestVp, vpOfCall } from './vp.ts';

const RULE = 'Linux.mshv.run-vp-root';
const DISPATCH_VP = hypercallCode('DISPATCH_VP');
const INPUT = {
  bytes: 32,
  id: fieldOf('hv_input_dispatch_vp', 'partition_id'),
  index: fieldOf('hv_input_dispatch_vp', 'vp_index'),
  flags: fieldOf('hv_input_dispatch_vp', 'flags'),
};
const STATE = fieldOf('hv_output_dispatch_vp', 'dispatch_state');
const EVENT = fieldOf('hv_output_dispatch_vp', 'dispatch_event');
const OUTPUT_BYTES = 8;
const CLEAR_INTERCEPT_SUSPEND = constantNumber('HV_DISPATCH_VP_FLAG_CLEAR_INTERCEPT_SUSPEND');
const SCAN_INTERRUPT_INJECTION = constantNumber('HV_DISPATCH_VP_FLAG_SCAN_INTERRUPT_INJECTION');
const STATE_BLOCKED = constantNumber('HV_VP_DISPATCH_STATE_BLOCKED');
const STATE_READY = constantNumber('HV_VP_DISPATCH_STATE_READY');
const EVENT_SUSPEND = constantNumber('HV_VP_DISPATCH_EVENT_SUSPEND');
const EVENT_INTERCEPT = constantNumber('HV_VP_DISPATCH_EVENT_INTERCEPT');
const EINTR = failure('EINTR');
const { kicked, scheduler } = MSHV_VP.slots;

type Waits = (typeof SCHEDULER_WAITS)[number];

function waitsFor(context: Context, vp: VpId): Waits {
  const own = vpOf(context, vp.partition, vp.index);
  if (own === undefined) return 'nothing';
  return SCHEDULER_WAITS[context.store.low(cellAt(own, scheduler.waits))] ?? 'nothing';
}

/** The call waits. */
function wait(context: Context, vp: VpId, waits: Waits): Outcome {
  context.store.set(cellAt(driverVp(context, vp), scheduler.waits), SCHEDULER_WAITS.indexOf(waits));
  return { rule: RULE };
}

/** The call is over. */
function over(context: Context, vp: VpId, outcome: Outcome): Outcome {
  context.store.set(cellAt(driverVp(context, vp), scheduler.waits), 0);
  return outcome;
}

/** Interrupts wait on the register page (mshv_vp_interrupt_pending). */
function hasVectors(context: Context, vp: VpId): boolean {
  const guest = guestVp(context, vp);
  return guest !== undefined && hasInjected(context, guest);
}

/**
 * A signal has come, or an interrupt on the register page, and the counter of the thread says that the VP is not blocked any more. Where the driver's start
 * is not in the trace its signals may not be either: then what the hypervisor says counts.
 */
function isSignalled(context: Context, vp: VpId): boolean {
  const { store } = context;
  if (hasVectors(context, vp)) return true;
  const isTold =
    driverState(context, MSHV) === 'unseen' || store.low(cellAt(driverVp(context, vp), kicked)) === 1;
  const guest = guestVp(context, vp);
  return isTold && (guest === undefined || BLOCKED[store.low(cellAt(guest, VP.slots.blocked))] === 'no');
}

/** The wait for a signal is over (mshv_vp_wait_for_hv_kick). */
function takeSignal({ store }: Context, own: ReturnType<typeof driverVp>): void {
  store.set(cellAt(own, scheduler.blocked), 0);
  store.set(cellAt(own, kicked), 0);
}

/** One dispatch, without a time slice: the VP runs until something happens (mshv_vp_dispatch). */
function* dispatch(
  actor: Actor,
  vp: VpId,
  flags: number,
  shown: ShownCall | undefined,
): DriverRun<HypercallAnswer> {
  const input = new Uint8Array(INPUT.bytes);
  writeField(input, INPUT.id, vp.partition);
  writeField(input, INPUT.index, vp.index);
  writeField(input, INPUT.flags, flags);
  return yield* hypercall(actor, DISPATCH_VP, input, shown === undefined ? {} : { recorded: shown });
}

/** A call that is known to have come back with a message: its dispatch ended with an intercept. */
function shownBy({ ret }: IoctlEvent): ShownCall | undefined {
  if (ret !== 0) return undefined;
  const output = new Uint8Array(OUTPUT_BYTES);
  writeField(output, STATE, STATE_READY);
  writeField(output, EVENT, EVENT_INTERCEPT);
  return { result: { status: 0, reps: 0 }, output };
}

/** The message is on the intercept page; undefined where the kernel deals with it and the VP is to go on. */
function* take(context: Context, actor: Actor, vp: VpId): DriverRun<Outcome | undefined> {
  const guest = guestVp(context, vp);
  if (guest === undefined) return { rule: RULE };
  const message = interceptMessage(context, guest);
  if (yield* handleFault(context, actor, vp.partition, message)) return undefined;
  return { ret: 0, out: { data: paddedMessage(message) }, rule: RULE };
}

/** A dispatch was answered BLOCKED: true when a signal has come and the VP may be dispatched again. */
function* unblock(context: Context, actor: Actor, vp: VpId, event: number): DriverRun<boolean | number> {
  const own = driverVp(context, vp);
  if (event === EVENT_SUSPEND) {
    const answer = yield* setRegisters(actor, vp, [[EXPLICIT_SUSPEND, 0]]);
    const ret = errnoOf(answer, context.profile);
    if (ret !== 0) return ret;
    yield* serveMessages(context);
  } else context.store.set(cellAt(own, scheduler.blocked), 1);
  if (!isSignalled(context, vp)) return false;
  takeSignal(context, own);
  return true;
}

/** What the VP stopped for is in the trace, or the hypervisor's own doing; else only the record of the call tells. */
function isTold(context: Context, vp: VpId): boolean {
  const guest = guestVp(context, vp);
  if (guest === undefined || !hasIntercept(context, guest)) return false;
  return context.store.low(cellAt(guest, VP.slots.intercept.type)) !== 0;
}

/** Dispatches the VP until it stops (mshv_run_vp_with_root_scheduler). */
function* run(context: Context, actor: Actor, event: IoctlEvent, shown?: ShownCall): DriverRun<Outcome> {
  const vp = vpOfCall(event);
  const own = driverVp(context, vp);
  const { store } = context;
  for (;;) {
    const lifts = store.low(cellAt(own, scheduler.intercept)) === 1;
    const scans = hasVectors(context, vp) ? SCAN_INTERRUPT_INJECTION : 0;
    const answer = yield* dispatch(actor, vp, (lifts ? CLEAR_INTERCEPT_SUSPEND : 0) | scans, shown);
    const ret = errnoOf(answer, context.profile);
    if (ret !== 0) return over(context, vp, { ret, rule: RULE });
    if (lifts) store.set(cellAt(own, scheduler.intercept), 0);
    const output = answer.output ?? new Uint8Array(OUTPUT_BYTES);
    const happened = readU32(output, EVENT);
    if (readU32(output, STATE) === STATE_BLOCKED) {
      const unblocked = yield* unblock(context, actor, vp, happened);
      if (typeof unblocked === 'number') return over(context, vp, { ret: unblocked, rule: RULE });
      if (!unblocked) return wait(context, vp, 'signal');
      continue;
    }
    doubtState(context, own);
    // The guest has the processor: what it does next is the next event, or it is recorded.
    if (happened !== EVENT_INTERCEPT) return wait(context, vp, 'guest');
    store.set(cellAt(own, scheduler.intercept), 1);
    if (!isTold(context, vp)) return over(context, vp, yield* takeRecorded(context, event, RULE));
    const taken = yield* take(context, actor, vp);
    if (taken !== undefined) return over(context, vp, taken);
  }
}

/** MSHV_RUN_VP where the root partition schedules. */
export function* enterRoot(context: Context, actor: Actor, event: IoctlEvent): DriverRun<Outcome> {
  const vp = vpOfCall(event);
  const own = driverVp(context, vp);
  if (context.store.low(cellAt(own, scheduler.blocked)) === 1) {
    // Left so by a call that a signal interrupted.
    if (!isSignalled(context, vp)) return wait(context, vp, 'signal');
    takeSignal(context, own);
  }
  return yield* run(context, actor, event);
}

/** The hypervisor has signalled, or the guest that runs has stopped. */
export function readyRoot(context: Context, event: IoctlEvent): boolean {
  const vp = vpOfCall(event);
  switch (waitsFor(context, vp)) {
    case 'signal':
      return isSignalled(context, vp);
    case 'guest': {
      const guest = guestVp(context, vp);
      return guest !== undefined && hasIntercept(context, guest);
    }
    case 'nothing':
      return false;
  }
}

/**
 * The call goes on. A signal ends the wait, and the processor comes back from the guest: EINTR before the next
 * dispatch, unless the dispatch has ended with an intercept. A VP that was blocked stays marked so.
 */
export function* wakeRoot(
  context: Context,
  actor: Actor,
  event: IoctlEvent,
  signal: boolean,
): DriverRun<Outcome> {
  const vp = vpOfCall(event);
  const isReady = readyRoot(context, event);
  const interrupted = (): Outcome => over(context, vp, { ret: EINTR, rule: RULE });
  if (waitsFor(context, vp) === 'signal') {
    if (signal && !isReady) return interrupted();
    takeSignal(context, driverVp(context, vp));
    if (signal) return interrupted();
  } else if (signal && !isReady) return interrupted();
  return yield* run(context, actor, event, shownBy(event));
}
