import { cellAt, hasIntercept, interceptMessage, paddedMessage } from '../../../hypervisor/index.ts';
import type { DriverRun, Outcome } from '../../../machine/child.ts';
import type { Context } from '../../../machine/context.ts';
import type { IoctlEvent } from '../../../trace/event.ts';
import { MSHV, MSHV_VP } from '../../cells/driver.ts';
import type { Actor } from '../../kernel/access.ts';
import { errnoOf, failure } from '../../kernel/errno.ts';
import { driverState } from '../../kernel/objects.ts';
import type { IoctlRow } from '../ioctl-row.ts';
import { serveMessages } from '../isr.ts';
import { vpOf } from '../objects.ts';
import type { VpId } from '../pages.ts';
import { hasRootScheduler } from '../scheduler.ts';
import { doubtState } from '../state/data.ts';
import { handleFault } from './fault.ts';
import { takeRecorded } from './recorded.ts';
import { EXPLICIT_SUSPEND, getRegisters, INTERCEPT_SUSPEND, setRegisters } from './registers.ts';
import { enterRoot, readyRoot, wakeRoot } from './root.ts';
import { driverVp, guestVp, vpOfCall } from './vp.ts';

const RULE = 'Linux.mshv.run-vp';

/** Lets the VP go on, then waits for the hypervisor to say that it stopped (mshv_run_vp_with_hyp_scheduler). */
function* resume(context: Context, actor: Actor, vp: VpId): DriverRun<Outcome> {
  const answer = yield* setRegisters(actor, vp, [
    [INTERCEPT_SUSPEND, 0],
    [EXPLICIT_SUSPEND, 0],
  ]);
  const ret = errnoOf(answer, context.profile);
  if (ret !== 0) return { ret, rule: RULE };
  doubtState(context, driverVp(context, vp));
  // One that cannot run with the registers that it has stopped at once.
  const guest = guestVp(context, vp);
  if (guest !== undefined && hasIntercept(context, guest)) yield* serveMessages(context);
  return { rule: RULE };
}

function* enter(context: Context, actor: Actor, event: IoctlEvent): DriverRun<Outcome> {
  if (hasRootScheduler(context)) return yield* enterRoot(context, actor, event);
  return yield* resume(context, actor, vpOfCall(event));
}

/**
 * The driver has been told of a stop. Where its start is not in the trace, the interrupts that tell it may not be
 * either: then the stop itself counts.
 */
function ready(context: Context, event: IoctlEvent): boolean {
  if (hasRootScheduler(context)) return readyRoot(context, event);
  const vp = vpOfCall(event);
  const own = vpOf(context, vp.partition, vp.index);
  const guest = guestVp(context, vp);
  if (own === undefined || guest === undefined || !hasIntercept(context, guest)) return false;
  if (driverState(context, MSHV) === 'unseen') return true;
  return context.store.low(cellAt(own, MSHV_VP.slots.kicked)) === 1;
}

/** A signal: the VP is suspended; a message that is on its way is waited for (mshv_suspend_vp). */
function* suspend(
  context: Context,
  actor: Actor,
  vp: VpId,
): DriverRun<{ readonly ret: number; readonly inFlight: boolean }> {
  const answer = yield* setRegisters(actor, vp, [[EXPLICIT_SUSPEND, 1]]);
  const failed = errnoOf(answer, context.profile);
  if (failed !== 0) return { ret: failed, inFlight: false };
  const { answer: asked, values } = yield* getRegisters(actor, vp, [INTERCEPT_SUSPEND]);
  return { ret: errnoOf(asked, context.profile), inFlight: values[0] !== 0n };
}

/** Takes the message; one that the kernel deals with lets the VP go on. */
function* take(context: Context, actor: Actor, vp: VpId): DriverRun<Outcome> {
  const kicked = cellAt(driverVp(context, vp), MSHV_VP.slots.kicked);
  if (context.store.low(kicked) === 1) context.store.set(kicked, 0);
  const guest = guestVp(context, vp);
  if (guest === undefined) return { rule: RULE };
  const message = interceptMessage(context, guest);
  if (yield* handleFault(context, actor, vp.partition, message)) return yield* resume(context, actor, vp);
  return { ret: 0, out: { data: paddedMessage(message) }, rule: RULE };
}

function* wake(context: Context, actor: Actor, event: IoctlEvent, signal: boolean): DriverRun<Outcome> {
  if (hasRootScheduler(context)) return yield* wakeRoot(context, actor, event, signal);
  const vp = vpOfCall(event);
  if (signal) {
    const suspended = yield* suspend(context, actor, vp);
    if (suspended.ret !== 0) return { ret: suspended.ret, rule: RULE };
    if (!suspended.inFlight) return { ret: failure('EINTR'), rule: RULE };
  }
  if (ready(context, event)) return yield* take(context, actor, vp);
  return yield* takeRecorded(context, event, RULE);
}

/** MSHV_RUN_VP (Linux 7.2 drivers/hv/mshv_root_main.c, mshv_vp_ioctl_run_vp), under either scheduler. */
export const RUN_VP_IOCTL: IoctlRow = {
  fd: 'vp',
  name: 'MSHV_RUN_VP',
  argBytes: 0,
  enter,
  ready,
  wake,
  loops: hasRootScheduler,
};
