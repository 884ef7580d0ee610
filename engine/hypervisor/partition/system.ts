import { constantNumber, fieldOf, readU32, writeField } from '../../abi/index.ts';
import type { HypercallAnswer } from '../../machine/child.ts';
import { TOP } from '../../state/store.ts';
import type { Profile } from '../../trace/profile.ts';
import { type Call, type CallRow, failed, succeeded, unmodelledCall } from '../call/call.ts';
import { STATUS } from '../call/status.ts';
import { HYPERVISOR } from '../cells/host.ts';
import { cellAt } from '../cells/place.ts';
import { isRoot, RESERVED, reservedSet } from './target.ts';

const GET = {
  id: fieldOf('hv_input_get_system_property', 'property_id'),
  reserved: fieldOf('hv_input_get_system_property', 'reserved'),
  scheduler: fieldOf('hv_output_get_system_property', 'scheduler_type'),
};
const SET = {
  id: fieldOf('hv_input_set_system_property', 'property_id'),
  reserved: fieldOf('hv_input_set_system_property', 'reserved'),
  state: fieldOf('hv_input_set_system_property', 'set_sleep_state_info.sleep_state'),
  pm1a: fieldOf('hv_input_set_system_property', 'set_sleep_state_info.pm1a_slp_typ'),
  pm1b: fieldOf('hv_input_set_system_property', 'set_sleep_state_info.pm1b_slp_typ'),
};
const ENTERED = fieldOf('hv_input_enter_sleep_state', 'sleep_state');
const SLEEP_STATE = constantNumber('HV_SYSTEM_PROPERTY_SLEEP_STATE');
/** S1 to S5 (ACPI 6.5, 7.4.2). */
const LAST_SLEEP_STATE = 5;
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

const NOT_ROOT = failed(STATUS.ACCESS_DENIED, 'choice.sleep.not-root');
const NO_SLEEP_STATE = failed(STATUS.INVALID_PARAMETER, 'choice.sleep.state');

function isSleepState(state: number): boolean {
  return state >= 1 && state <= LAST_SLEEP_STATE;
}

function keep({ context: { store } }: Call, slot: number, value: number): void {
  const id = store.find(TOP, HYPERVISOR, 0);
  if (id === undefined) throw new Error('there is no hypervisor');
  store.set(cellAt(id, slot), value);
}

/** What the chipset is to be told to sleep (Linux 7.2 drivers/hv/mshv_common.c, hv_initialize_sleep_states). */
function set(call: Call): HypercallAnswer {
  const { input, event } = call;
  if (!isRoot(call)) return NOT_ROOT;
  if (readU32(input, SET.id) !== SLEEP_STATE) return unmodelledCall(event);
  if (!isSleepState(readU32(input, SET.state))) return NO_SLEEP_STATE;
  if (reservedSet(call, [SET.reserved])) return RESERVED;
  keep(call, HYPERVISOR.slots.sleep.state, readU32(input, SET.state));
  keep(call, HYPERVISOR.slots.sleep.pm1a, readU32(input, SET.pm1a));
  keep(call, HYPERVISOR.slots.sleep.pm1b, readU32(input, SET.pm1b));
  return succeeded('Linux.sleep.set');
}

/** The machine sleeps: for S5 nothing comes after it (hv_machine_power_off). */
function sleep(call: Call): HypercallAnswer {
  if (!isRoot(call)) return NOT_ROOT;
  const state = readU32(call.input, ENTERED);
  if (!isSleepState(state)) return NO_SLEEP_STATE;
  keep(call, HYPERVISOR.slots.sleep.entered, state);
  return succeeded('Linux.sleep.enter');
}

export const SYSTEM_CALLS: readonly CallRow[] = [
  { name: 'GET_SYSTEM_PROPERTY', answer: get },
  { name: 'SET_SYSTEM_PROPERTY', answer: set },
  { name: 'ENTER_SLEEP_STATE', answer: sleep },
];
