import { cellAt, hasIntercept, interceptMessage, paddedMessage } from '../../hypervisor/index.ts';
import type { DriverRun, Outcome } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { IoctlEvent } from '../../trace/event.ts';
import { MSHV, MSHV_VP } from '../cells/driver.ts';
import type { Actor } from '../kernel/access.ts';
import { errnoOf, failure } from '../kernel/errno.ts';
import { driverState } from '../kernel/objects.ts';
import type { IoctlRow } from '../mshv/ioctl-row.ts';
import type { VpId } from '../mshv/pages.ts';
import { takeRecorded } from '../mshv/run/recorded.ts';
import { EXPLICIT_SUSPEND, INTERCEPT_SUSPEND, setRegisters } from '../mshv/run/registers.ts';
import { driverVp, guestVp, vpOfCall } from '../mshv/run/vp.ts';
import { doubtState } from '../mshv/state/data.ts';

const RULE = 'Linux.rfc2020.run-vp';
const { kicked, message, running } = MSHV_VP.slots;

/** The explicit suspension is lifted first: the other way round than upstream. */
function* enter(context: Context, actor: Actor, event: IoctlEvent): DriverRun<Outcome> {
  const vp = vpOfCall(event);
  const own = driverVp(context, vp);
  const { store } = context;
  if (store.low(cellAt(own, running)) === 1) return { ret: failure('EBADFD'), rule: RULE };
  const answer = yield* setRegisters(actor, vp, [
    [EXPLICIT_SUSPEND, 0],
    [INTERCEPT_SUSPEND, 0],
  ]);
  const ret = errnoOf(answer, context.profile);
  if (ret !== 0) return { ret, rule: RULE };
  store.set(cellAt(own, running), 1);
  doubtState(context, own);
  return { rule: RULE };
}

function ready(context: Context, event: IoctlEvent): boolean {
  const vp = vpOfCall(event);
  const guest = guestVp(context, vp);
  if (guest === undefined || !hasIntercept(context, guest)) return false;
  if (driverState(context, MSHV) === 'unseen') return true;
  return context.store.low(cellAt(driverVp(context, vp), kicked)) === 1;
}

/** The message that the interrupt copied; where the trace shows no interrupt, that of the stop itself. */
function takeMessage(context: Context, vp: VpId): Uint8Array {
  const own = driverVp(context, vp);
  const { store } = context;
  const copied = store.blob(store.number(cellAt(own, message)));
  if (store.low(cellAt(own, kicked)) === 1) store.set(cellAt(own, kicked), 0);
  if (copied.length > 0) {
    store.set(cellAt(own, message), 0);
    return copied;
  }
  const guest = guestVp(context, vp);
  return guest === undefined ? copied : interceptMessage(context, guest);
}

/** However it ends, the VP is suspended again. */
function* wake(context: Context, actor: Actor, event: IoctlEvent, signal: boolean): DriverRun<Outcome> {
  const vp = vpOfCall(event);
  const isReady = ready(context, event);
  if (!signal && !isReady) {
    const taken = yield* takeRecorded(context, event, RULE);
    if (taken.ret === undefined) return taken;
    const failed = yield* suspend(context, actor, vp);
    return failed === 0 ? taken : { ret: failed, rule: RULE };
  }
  const failed = yield* suspend(context, actor, vp);
  if (failed !== 0) return { ret: failed, rule: RULE };
  if (signal) return { ret: failure('EINTR'), rule: RULE };
  const taken = takeMessage(context, vp);
  if (taken.length === 0) return { ret: failure('ENOMSG'), rule: RULE };
  return { ret: 0, out: { data: paddedMessage(taken) }, rule: RULE };
}

function* suspend(context: Context, actor: Actor, vp: VpId): DriverRun<number> {
  const answer = yield* setRegisters(actor, vp, [[EXPLICIT_SUSPEND, 1]]);
  context.store.set(cellAt(driverVp(context, vp), running), 0);
  return errnoOf(answer, context.profile);
}

/** MSHV_RUN_VP of the RFC of 2020: every stop goes to user space. */
export const RUN_IOCTL: IoctlRow = { fd: 'vp', name: 'MSHV_RUN_VP', argBytes: 0, enter, ready, wake };
