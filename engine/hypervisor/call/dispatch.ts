import { decodeControl, type HypercallRow, hypercalls } from '../../abi/index.ts';
import type { HypercallAnswer, HypercallRequest } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { HypercallEvent } from '../../trace/event.ts';
import { MESSAGE_CALLS } from '../host/post.ts';
import { INTERCEPT_CALLS } from '../intercept/install.ts';
import { RESULT_CALLS } from '../intercept/results.ts';
import { ACCESS_CALLS } from '../memory/access.ts';
import { MAP_CALLS } from '../memory/map.ts';
import { ENUMERATE_CALLS } from '../partition/enumerate.ts';
import { LIFE_CYCLE_CALLS } from '../partition/life-cycle.ts';
import { POOL_CALLS } from '../partition/pool.ts';
import { PROPERTY_CALLS } from '../partition/property.ts';
import { PROPERTY_EX_CALLS } from '../partition/property-ex.ts';
import { STATE_PAGE_CALLS } from '../partition/state-page.ts';
import { STATS_PAGE_CALLS } from '../partition/stats-page.ts';
import { SYSTEM_CALLS } from '../partition/system.ts';
import { VP_CALLS } from '../partition/vp.ts';
import { PORT_CALLS } from '../port/calls.ts';
import { DIRECT_CALLS } from '../port/direct.ts';
import { PROCESSOR_CALLS } from '../vp/broadcast.ts';
import { DISPATCH_CALLS } from '../vp/dispatch.ts';
import { INTERRUPT_CALLS } from '../vp/interrupt.ts';
import { REGISTER_CALLS } from '../vp/register-calls.ts';
import { withSignals } from '../vp/signal.ts';
import { STATE_CALLS } from '../vp/state.ts';
import { TRANSLATE_CALLS } from '../vp/translate.ts';
import { type CallRow, failed, unmodelledCall } from './call.ts';
import { withFinishedCalls } from './completion.ts';
import { answerGuestCall, hearsGuest, unheardGuest } from './guest.ts';
import { refusedControl, refusedFastSize, refusedOverlap, refusedPointer } from './legality.ts';
import { STATUS } from './status.ts';

/** Every hypercall that the hypervisor models. */
export const CALL_ROWS: readonly CallRow[] = [
  ...LIFE_CYCLE_CALLS,
  ...ENUMERATE_CALLS,
  ...POOL_CALLS,
  ...MAP_CALLS,
  ...ACCESS_CALLS,
  ...PROPERTY_CALLS,
  ...PROPERTY_EX_CALLS,
  ...VP_CALLS,
  ...STATE_PAGE_CALLS,
  ...STATS_PAGE_CALLS,
  ...REGISTER_CALLS,
  ...DISPATCH_CALLS,
  ...PROCESSOR_CALLS,
  ...TRANSLATE_CALLS,
  ...STATE_CALLS,
  ...INTERCEPT_CALLS,
  ...RESULT_CALLS,
  ...INTERRUPT_CALLS,
  ...PORT_CALLS,
  ...DIRECT_CALLS,
  ...SYSTEM_CALLS,
  ...MESSAGE_CALLS,
];

interface Entry {
  readonly row: HypercallRow;
  readonly call: CallRow | undefined;
}

const ENTRIES: ReadonlyMap<number, Entry> = (() => {
  const byName = new Map(CALL_ROWS.map((call) => [call.name, call]));
  if (byName.size !== CALL_ROWS.length) throw new Error('two rows for one hypercall');
  const entries = new Map<number, Entry>();
  for (const row of hypercalls.all()) entries.set(row.value, { row, call: byName.get(row.abiName) });
  for (const { name } of CALL_ROWS) hypercalls.number(name);
  return entries;
})();

/**
 * Answers a hypercall. Order of the checks (the TLFS leaves it open): code, fast, reserved bits, variable header, rep rules,
 * pointers; then, by call, partition id, access rights, partition state, VP index, parameters, memory. Before all of
 * them stands whether a guest is heard at all.
 */
export function answerHypercall(context: Context, event: HypercallRequest | HypercallEvent): HypercallAnswer {
  if (event.vp !== undefined && !hearsGuest(context, event.vp)) return unheardGuest();
  const control = decodeControl(event.control);
  const entry = ENTRIES.get(control.code);
  if (entry === undefined) return failed(STATUS.INVALID_HYPERCALL_CODE, 'TLFS.control.code');
  const refused =
    refusedControl(control, entry.row) ??
    refusedFastSize(control, context.profile) ??
    refusedPointer(event.inputGpa, event.input?.length ?? 0, context.profile) ??
    refusedPointer(event.outputGpa, event.output?.length ?? 0, context.profile) ??
    refusedOverlap(control, event.inputGpa, event.outputGpa, context.profile);
  if (refused !== undefined) return failed(refused.status, refused.rule);
  if (event.vp !== undefined) {
    const answer = answerGuestCall(context, event, control, entry.row.abiName, entry.call);
    return withSignals(context, event.cpu, answer);
  }
  // A call that has no input needs none.
  const input = event.input ?? (entry.row.input === undefined ? new Uint8Array(0) : undefined);
  if (entry.call === undefined || input === undefined) return unmodelledCall(event);
  const answer = entry.call.answer({ context, control, input, event });
  return withFinishedCalls(context, event.cpu, withSignals(context, event.cpu, answer));
}
