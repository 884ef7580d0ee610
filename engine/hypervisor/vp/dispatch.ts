import { constantNumber, fieldOf, readU32, writeField } from '../../abi/index.ts';
import type { Emitted, HypercallAnswer } from '../../machine/child.ts';
import type { ObjectId } from '../../state/store.ts';
import { type Call, type CallRow, failed, recordedAnswer, succeeded } from '../call/call.ts';
import { STATUS } from '../call/status.ts';
import { cellAt } from '../cells/place.ts';
import { BLOCKED, VP } from '../cells/vp.ts';
import { PHASES } from '../partition/phases.ts';
import { findChild, findVp, wrongState } from '../partition/target.ts';
import { invalidStop, isImpossible } from './impossible.ts';
import { takeInjected } from './inject.ts';
import { mayRun, setControl } from './suspend.ts';

const INPUT = {
  id: fieldOf('hv_input_dispatch_vp', 'partition_id'),
  index: fieldOf('hv_input_dispatch_vp', 'vp_index'),
  flags: fieldOf('hv_input_dispatch_vp', 'flags'),
};
const OUTPUT = {
  bytes: 8,
  state: fieldOf('hv_output_dispatch_vp', 'dispatch_state'),
  event: fieldOf('hv_output_dispatch_vp', 'dispatch_event'),
};
const CLEAR_INTERCEPT_SUSPEND = constantNumber('HV_DISPATCH_VP_FLAG_CLEAR_INTERCEPT_SUSPEND');
const SCAN_INTERRUPT_INJECTION = constantNumber('HV_DISPATCH_VP_FLAG_SCAN_INTERRUPT_INJECTION');
/** Seven flags (Linux 7.2 include/hyperv: HV_DISPATCH_VP_FLAG_…). */
const KNOWN_FLAGS = 0x7f;
const STATE_BLOCKED = constantNumber('HV_VP_DISPATCH_STATE_BLOCKED');
const STATE_READY = constantNumber('HV_VP_DISPATCH_STATE_READY');
const EVENT_NONE = constantNumber('HV_VP_DISPATCH_EVENT_INVALID');
const EVENT_SUSPEND = constantNumber('HV_VP_DISPATCH_EVENT_SUSPEND');
const EVENT_INTERCEPT = constantNumber('HV_VP_DISPATCH_EVENT_INTERCEPT');
const { suspend, blocked, intercept } = VP.slots;

interface End {
  readonly state: number;
  readonly event: number;
  readonly emitted?: readonly Emitted[];
}

/** What a recorded dispatch of a VP that nothing held came to. */
function recordedEnd(call: Call): End | undefined {
  const { output } = recordedAnswer(call.event);
  if (output === undefined || output.length < OUTPUT.bytes) return undefined;
  const end = { state: readU32(output, OUTPUT.state), event: readU32(output, OUTPUT.event) };
  return end.event === EVENT_SUSPEND ? undefined : end;
}

/**
 * The guest runs: what it does until the processor comes back is not known here. Without a record it comes back at
 * once, READY and with no event, and the guest's stop, when there is one, is for the next dispatch to tell.
 */
function run(call: Call, vp: ObjectId): End {
  const { context } = call;
  setControl(context, vp, suspend.intercept, 0n);
  const end = recordedEnd(call);
  if (end === undefined) return { state: STATE_READY, event: EVENT_NONE };
  context.bind('dispatch', BigInt(end.event), BigInt(EVENT_NONE));
  if (end.state === STATE_READY && end.event === EVENT_INTERCEPT) {
    setControl(context, vp, suspend.intercept, 1n);
    // What it stopped for is yet to be told.
    context.store.set(cellAt(vp, intercept.type), 0);
  }
  return end;
}

function endOf(call: Call, vp: ObjectId): End {
  const { store } = call.context;
  if (store.low(cellAt(vp, suspend.explicit)) === 1 || store.low(cellAt(vp, suspend.dispatch)) === 1) {
    return { state: STATE_BLOCKED, event: EVENT_SUSPEND };
  }
  if (!mayRun(call.context, vp)) return { state: STATE_READY, event: EVENT_INTERCEPT };
  if (isImpossible(call.context, vp)) {
    const stop = invalidStop(call.context, vp, call.event.cpu);
    return { state: STATE_READY, event: EVENT_INTERCEPT, emitted: [stop] };
  }
  return run(call, vp);
}

/**
 * HVCALL_DISPATCH_VP: the parent lends its processor to a VP (Linux 7.2 drivers/hv/mshv_root_main.c, mshv_vp_dispatch
 * and mshv_run_vp_with_root_scheduler). A VP that is explicitly suspended, as each is at first, is BLOCKED; one that
 * stopped stays so until a dispatch lifts the suspension. Vectors on its register page are taken where the call says so.
 */
function dispatch(call: Call): HypercallAnswer {
  const found = findChild(call, INPUT.id);
  if ('answer' in found) return found.answer;
  const { context, input } = call;
  if (context.profile.scheduler !== 'root')
    return failed(STATUS.OPERATION_DENIED, 'choice.dispatch.scheduler');
  const wrong = wrongState(call, found.id, PHASES.DISPATCH_VP);
  if (wrong !== undefined) return wrong;
  const vp = findVp(call, found.id, readU32(input, INPUT.index));
  if ('answer' in vp) return vp.answer;
  const flags = readU32(input, INPUT.flags);
  if ((flags & ~KNOWN_FLAGS) !== 0) return failed(STATUS.INVALID_PARAMETER, 'HDR.dispatch.flags');
  if ((flags & CLEAR_INTERCEPT_SUSPEND) !== 0) setControl(context, vp.id, suspend.intercept, 0n);
  if ((flags & SCAN_INTERRUPT_INJECTION) !== 0) takeInjected(context, vp.id);
  const end = endOf(call, vp.id);
  const reason = end.state !== STATE_BLOCKED ? 'no' : end.event === EVENT_SUSPEND ? 'suspended' : 'idle';
  context.store.set(cellAt(vp.id, blocked), BLOCKED.indexOf(reason));
  const output = new Uint8Array(OUTPUT.bytes);
  writeField(output, OUTPUT.state, end.state);
  writeField(output, OUTPUT.event, end.event);
  return succeeded('Linux.dispatch', output, end.emitted);
}

/** The scheduler of the root partition. */
export const DISPATCH_CALLS: readonly CallRow[] = [{ name: 'DISPATCH_VP', answer: dispatch }];
