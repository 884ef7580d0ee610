import type { TraceEvent } from './event.ts';

/** Whether the answer says that it did not work. */
export function failed(event: TraceEvent): boolean {
  switch (event.kind) {
    case 'msr':
      return event.fault === true;
    case 'hypercall':
      return event.fault === true || (event.result !== undefined && event.result.status !== 0);
    case 'ioctl':
    case 'fd':
    case 'lifecycle':
      return typeof event.ret === 'number' && event.ret < 0;
    case 'message':
      return event.what === 'drop';
    default:
      return false;
  }
}
