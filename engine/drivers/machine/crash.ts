import type { DriverRun, Outcome } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import { cleanUp } from '../arch/boot.ts';
import { VMBUS } from '../cells/driver.ts';
import { driverState } from '../kernel/objects.ts';
import { step } from '../kernel/step.ts';
import { unloadInCrash } from '../vmbus/connect.ts';
import { disableRegisters } from '../vmbus/cpu.ts';
import { startAnew } from './restart.ts';

/**
 * A panic with a crash kernel loaded: no notifier runs, other CPUs have stopped. VMBus says that it unloads and
 * gives up the pages of this CPU alone, SCONTROL stays on; then the last clean-up (Linux 7.2
 * drivers/hv/vmbus_drv.c, hv_crash_handler; arch/x86/kernel/cpu/mshyperv.c, hv_machine_crash_shutdown).
 */
export function* crash(context: Context, cpu: number): DriverRun<Outcome> {
  if (driverState(context, VMBUS) === 'running') {
    yield* step('component-stop', 'vmbus', giveUp(context, cpu), () => 0);
  }
  yield* step('component-stop', 'arch', cleanUp({ component: 'arch', cpu }), () => 0);
  startAnew(context, true);
  return { ret: 0, rule: 'Linux.crash' };
}

function* giveUp(context: Context, cpu: number): DriverRun<void> {
  yield* unloadInCrash(context, cpu);
  yield* disableRegisters(context, cpu);
}
