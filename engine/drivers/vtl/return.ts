import type { DriverRun, Outcome } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { IoctlEvent } from '../../trace/event.ts';
import type { Actor } from '../kernel/access.ts';
import { failure } from '../kernel/errno.ts';
import type { IoctlRow } from '../mshv/ioctl-row.ts';

const RULE = 'Linux.vtl.return';

/** The processor is in the lower VTL until something brings it back. */
function enter(): Outcome {
  return { rule: RULE };
}

/**
 * A signal, or a cancellation that user space wrote into the run page: EINTR. Else the lower VTL has stopped: its message is
 * in the run page, which is memory of the caller's and not part of the call, and only the record can show that it came.
 */
function* wake(context: Context, _actor: Actor, event: IoctlEvent, signal: boolean): DriverRun<Outcome> {
  yield* [];
  if (signal) return { ret: failure('EINTR'), rule: RULE };
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
  // Nothing in the machine says that the lower VTL has stopped.
  ready: () => false,
  wake,
};
