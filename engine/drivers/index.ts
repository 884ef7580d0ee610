import type { DriverSide } from '../machine/sides.ts';
import { initialise } from './initialise.ts';
import { lifecycleHandler } from './lifecycle.ts';
import { lost } from './lost.ts';
import { statisticsMapped } from './mshv/debugfs.ts';
import { ioctlHandler } from './mshv/ioctl.ts';
import { INTERCEPT_HANDLER } from './mshv/isr.ts';
import { pagesFollowed, regionMapped } from './mshv/memory/kind.ts';
import { fdHandler } from './process/fd.ts';
import { fileOfFd } from './process/files.ts';
import { messageDelivered, messagePosted } from './vmbus/traffic.ts';
import { flagHandler } from './vtl/events.ts';

export { ruleOfStep } from './lifecycle-rules.ts';
export { isInitLine } from './mshv/eventfd/route.ts';
export { guestsOf } from './process/munmap.ts';

/** The kernel's side of a machine. It has no state of its own: one serves any number of machines. */
export function createDrivers(): DriverSide {
  return {
    initialise,
    handler(context, event) {
      switch (event.kind) {
        case 'lifecycle':
          return lifecycleHandler(context, event);
        case 'ioctl':
          return ioctlHandler(context, event);
        case 'intercept':
        case 'msr':
        case 'hypercall':
          return INTERCEPT_HANDLER;
        case 'fd':
          return fdHandler(context, event);
        case 'message':
          return flagHandler(context, event);
      }
    },
    called(context, call, answer) {
      messagePosted(context, call, answer);
      regionMapped(context, call);
      statisticsMapped(context, call);
    },
    followed: pagesFollowed,
    file: fileOfFd,
    lost,
    noted: messageDelivered,
  };
}
