import { constantNumber, fieldOf, readU32, writeField } from '../../abi/index.ts';
import type { HypercallAnswer } from '../../machine/child.ts';
import type { Profile } from '../../trace/profile.ts';
import { type Call, type CallRow, succeeded, unmodelledCall } from '../call/call.ts';
import { RESERVED, reservedSet } from './target.ts';

const GET = {
  id: fieldOf('hv_input_get_system_property', 'property_id'),
  reserved: fieldOf('hv_input_get_system_property', 'reserved'),
  scheduler: fieldOf('hv_output_get_system_property', 'scheduler_type'),
};
const OUTPUT_BYTES = 8;
const SCHEDULER_TYPE = constantNumber('HV_SYSTEM_PROPERTY_SCHEDULER_TYPE');

/** Linux calls type 3 "core scheduler" with or without SMT, and type 1 the classic one (mshv_root_main.c). */
const SCHEDULERS: Readonly<Record<Profile['scheduler'], number>> = {
  'core-smt': constantNumber('HV_SCHEDULER_TYPE_CORE_SMT'),
  core: constantNumber('HV_SCHEDULER_TYPE_CORE_SMT'),
  classic: constantNumber('HV_SCHEDULER_TYPE_LP'),
  root: constantNumber('HV_SCHEDULER_TYPE_ROOT'),
};

/** Of the system's properties only the scheduler is modelled: it is a choice of the profile. */
function get(call: Call): HypercallAnswer {
  if (readU32(call.input, GET.id) !== SCHEDULER_TYPE) return unmodelledCall(call.event);
  if (reservedSet(call, [GET.reserved])) return RESERVED;
  const output = new Uint8Array(OUTPUT_BYTES);
  writeField(output, GET.scheduler, SCHEDULERS[call.context.profile.scheduler]);
  return succeeded('profile.scheduler', output);
}

export const SYSTEM_CALLS: readonly CallRow[] = [{ name: 'GET_SYSTEM_PROPERTY', answer: get }];
