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
import { EXPLICIT_SUSPEND, getRegisters, INTERCEPT_SUSPEND, setRegisters } from '../mshv/run/registers.ts';
import { driverVp, guestVp, vpOfCall } from '../mshv/run/vp.ts';
import { doubtState } from '../mshv/state/data.ts';

const RULE = 'Linux.rfc2020.run-vp';
const { kicked, message, missed } = MSHV_VP.slots;

/**
 * A VP that nothing suspends is not run. One that has stopped has a message that a call before missed, since a signal came
 * first: that is all that is waited for. Else the explicit suspension is lifted first: the other way round than upstream.
 */
function* enter(context: Context, actor: Actor, event: IoctlEvent): DriverRun<Outcome> {
  const vp = vpOfCall(event);
  const own = driverVp(context, vp);
  const { store } = context;
  const { answer, values } = yield* getRegisters(actor, vp, [EXPLICIT_SUSPEND, INTERCEPT_SUSPEND]);
  const asked = errnoOf(answer, context.profile);
  if (asked !== 0) return { ret: asked, rule: RULE };
  const [explicit = 0n, intercept = 0n] = values;
  if (explicit === 0n && intercept === 0n) return { ret: failure('EBADFD'), rule: RULE };
  store.set(cellAt(own, missed), intercept === 0n ? 0 : 1);
  if (intercept !== 0n) return isKicked(context, vp) ? taken(context, vp) : { rule: RULE };
  const lifted = yield* setRegisters(actor, vp, [
    [EXPLICIT_SUSPEND, 0],
    [INTERCEPT_SUSPEND, 0],
  ]);
  const ret = errnoOf(lifted, context.profile);
  if (ret !== 0) return { ret, rule: RULE };
  doubtState(context, own);
  return { rule: RULE };
}

/** The interrupt has told of a message that no call has taken. */
function isKicked(context: Context, vp: VpId): boolean {
  return context.store.low(cellAt(driverVp(context, vp), kicked)) === 1;
}

function ready(context: Context, event: IoctlEvent): boolean {
  const vp = vpOfCall(event);
  const guest = guestVp(context, vp);
  if (guest === undefined || !hasIntercept(context, guest)) return false;
  return driverState(context, MSHV) === 'unseen' || isKicked(context, vp);
}

/** The message that the interrupt copied; where the trace shows no interrupt, that of the stop itself. */
function takeMessage(context: Context, vp: VpId): Uint8Array {
  const own = driverVp(context, vp);
  const { store } = context;
  const copied = store.blob(store.number(cellAt(own, message)));
  if (isKicked(context, vp)) store.set(cellAt(own, kicked), 0);
  if (copied.length > 0) {
    store.set(cellAt(own, message), 0);
    return copied;
  }
  const guest = guestVp(context, vp);
  return guest === undefined ? copied : interceptMessage(context, guest);
}

/** What the program gets: 256 bytes, the first of them the type. */
function taken(context: Context, vp: VpId): Outcome {
  const content = takeMessage(context, vp);
  if (content.every((byte) => byte === 0)) return { ret: failure('ENOMSG'), rule: RULE };
  return { ret: 0, out: { data: paddedMessage(content) }, rule: RULE };
}

/**
 * However it ends, the VP is explicitly suspended again; the message of a stop is taken with the other suspension lifted, of
 * which the next call sees that nothing was missed.
 */
function* wake(context: Context, actor: Actor, event: IoctlEvent, signal: boolean): DriverRun<Outcome> {
  const vp = vpOfCall(event);
  const { store } = context;
  const wasMissed = store.low(cellAt(driverVp(context, vp), missed)) === 1;
  const recorded = signal || ready(context, event) ? undefined : yield* takeRecorded(context, event, RULE);
  if (recorded !== undefined && recorded.ret === undefined) return recorded;
  if (wasMissed) return recorded ?? (signal ? { ret: failure('EINTR'), rule: RULE } : taken(context, vp));
  if ((yield* suspend(context, actor, vp, EXPLICIT_SUSPEND, 1)) !== 0)
    return { ret: failure('EBADFD'), rule: RULE };
  if (signal) return { ret: failure('EINTR'), rule: RULE };
  if ((yield* suspend(context, actor, vp, INTERCEPT_SUSPEND, 0)) !== 0)
    return { ret: failure('EBADFD'), rule: RULE };
  return recorded ?? taken(context, vp);
}

function* suspend(
  context: Context,
  actor: Actor,
  vp: VpId,
  register: number,
  value: number,
): DriverRun<number> {
  return errnoOf(yield* setRegisters(actor, vp, [[register, value]]), context.profile);
}

/** MSHV_RUN_VP of the RFC of 2020 (patch 10/18, mshv_vp_ioctl_run_vp): every stop goes to user space. */
export const RUN_IOCTL: IoctlRow = { fd: 'vp', name: 'MSHV_RUN_VP', argBytes: 0, enter, ready, wake };
