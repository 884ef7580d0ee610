import { resetPartition } from '../../hypervisor/index.ts';
import type { DriverRun, Outcome } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import { notifyMshv } from './kexec.ts';
import { startAnew } from './restart.ts';

/** A reboot runs the notifiers only: VMBus' kexec handler does not run, the machine is reset. */
export function* reboot(context: Context, cpu: number): DriverRun<Outcome> {
  yield* notifyMshv(context, cpu);
  resetPartition(context);
  startAnew(context);
  return { ret: 0, rule: 'Linux.reboot' };
}
