import { constantNumber, fieldOf, writeField } from '../../abi/index.ts';
import { cellAt, resetPartition } from '../../hypervisor/index.ts';
import type { DriverRun, Outcome } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import { ENDS, SYSTEM } from '../cells/system.ts';
import { hypercall, hypercallCode } from '../kernel/hypercall.ts';
import { isRoot, systemOf } from '../kernel/objects.ts';
import { notifyMshv } from './kexec.ts';
import { startAnew } from './restart.ts';

const SET_SYSTEM_PROPERTY = hypercallCode('SET_SYSTEM_PROPERTY');
const ENTER_SLEEP_STATE = hypercallCode('ENTER_SLEEP_STATE');
const PROPERTY = {
  bytes: 72,
  id: fieldOf('hv_input_set_system_property', 'property_id'),
  state: fieldOf('hv_input_set_system_property', 'set_sleep_state_info.sleep_state'),
  pm1a: fieldOf('hv_input_set_system_property', 'set_sleep_state_info.pm1a_slp_typ'),
  pm1b: fieldOf('hv_input_set_system_property', 'set_sleep_state_info.pm1b_slp_typ'),
};
const SLEEP = { bytes: 4, state: fieldOf('hv_input_enter_sleep_state', 'sleep_state') };
const SLEEP_STATE = constantNumber('HV_SYSTEM_PROPERTY_SLEEP_STATE');
const S5 = 5;
/** What most chipsets take for S5 (the firmware's \_S5 object has the value; a record's own stands). */
const SLEEP_TYPE = 7;

/** A root of Linux 7.0 and later has the hypervisor switch the machine off, for good; before, ACPI did. */
export function asksHypervisor(context: Context): boolean {
  const { kernel } = context.profile;
  return isRoot(context) && (kernel === 'upstream-7.2' || kernel === 'upstream-7.0');
}

/**
 * The kernel's own notifier, registered at boot and so before that of mshv: how the chipset is told to sleep (Linux 7.2
 * drivers/hv/mshv_common.c, hv_reboot_notifier_handler). What it answers changes nothing.
 */
function* tellSleepType(context: Context, cpu: number): DriverRun<void> {
  if (!asksHypervisor(context)) return;
  const input = new Uint8Array(PROPERTY.bytes);
  writeField(input, PROPERTY.id, SLEEP_STATE);
  writeField(input, PROPERTY.state, S5);
  writeField(input, PROPERTY.pm1a, SLEEP_TYPE);
  writeField(input, PROPERTY.pm1b, SLEEP_TYPE);
  const bound = [PROPERTY.pm1a.offset, PROPERTY.pm1b.offset + PROPERTY.pm1b.size] as const;
  yield* hypercall({ component: 'arch', cpu }, SET_SYSTEM_PROPERTY, input, { bind: 'sleep-type', bound });
}

function end(context: Context, how: (typeof ENDS)[number]): void {
  context.store.set(cellAt(systemOf(context), SYSTEM.slots.end), ENDS.indexOf(how));
}

/**
 * Power off: the notifiers; then a root has the hypervisor enter S5, which does not return (hv_machine_power_off). Where
 * that is refused, and elsewhere, firmware does it, and the partition is as new when it is switched on again.
 */
export function* powerOff(context: Context, cpu: number): DriverRun<Outcome> {
  const rule = 'Linux.power-off';
  yield* tellSleepType(context, cpu);
  yield* notifyMshv(context, cpu);
  if (asksHypervisor(context)) {
    const input = new Uint8Array(SLEEP.bytes);
    writeField(input, SLEEP.state, S5);
    const { fault, result } = yield* hypercall({ component: 'arch', cpu }, ENTER_SLEEP_STATE, input);
    if (fault !== true && result.status === 0) {
      end(context, 'off');
      return { rule };
    }
  }
  resetPartition(context);
  startAnew(context);
  return { ret: 0, rule };
}

/** Halt: the notifiers, and the CPUs stop with everything as it is. It has no end. */
export function* halt(context: Context, cpu: number): DriverRun<Outcome> {
  yield* tellSleepType(context, cpu);
  yield* notifyMshv(context, cpu);
  end(context, 'halted');
  return { rule: 'Linux.halt' };
}
