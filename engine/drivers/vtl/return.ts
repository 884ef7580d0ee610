import type { DriverRun, Outcome } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { IoctlEvent } from '../../trace/event.ts';
import type { Actor } from '../kernel/access.ts';
import { failure } from '../kernel/errno.ts';
import type { IoctlRow } from '../mshv/ioctl-row.ts';
import { forgetCancel, isCancelled } from './events.ts';

const RULE = 'Linux.vtl.return';

/** The processor is in the lower VTL until something brings it back. */
function enter(): Outcome {
  return { rule: RULE };
}

/**
 * A signal, the file that the CPU polls, or a cancellation that user space wrote into the run page: EINTR. Else the lower VTL has stopped: its message is
 * in the run page, which is memory of the caller's and not part of the call, and only the record can show that it came.
 */
function* wake(context: Context, _actor: Actor, event: IoctlEvent, signal: boolean): DriverRun<Outcome> {
  yield* [];
  const cpu = event.cpu ?? 0;
  const cancelled = isCancelled(context, cpu) && event.ret !== 0;
  if (signal || cancelled) {
    forgetCancel(context, cpu);
    return { ret: failure('EINTR'), rule: RULE };
  }
  if (event.ret !== 0) return { rule: RULE };
  context.bind('intercept', 1n, 0n);
  return { ret: 0, rule: RULE };
}

/** MSHV_RETURN_TO_LOWER_VTL (Linux 7.2 drivers/hv/mshv_vtl_main.c, mshv_vtl_ioctl_return_to_lower_vtl). */
export const RETURN_IOCTL: IoctlRow = {
  fd: 'vtl',
  name: 'MSHV_RETURN_TO_LOWER_VTL',
  argBytes: 0,
  enter,
  // That the lower VTL has stopped nothing in the machine says.
  ready: (context, event) => isCancelled(context, event.cpu ?? 0),
  wake,
};
