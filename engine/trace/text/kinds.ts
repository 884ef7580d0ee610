import type { EventKind } from '../event.ts';
import { HYPERCALL_TEXT } from './hypercall.ts';
import { INTERCEPT_TEXT } from './intercept.ts';
import { IOCTL_TEXT } from './ioctl.ts';
import type { KindText } from './kind.ts';
import { MESSAGE_TEXT } from './message.ts';
import { PAGE_TEXT } from './page.ts';
import { FD_TEXT, LIFECYCLE_TEXT, MARK_TEXT, MSR_TEXT } from './plain-kinds.ts';

/** How each kind of event is read and written. */
export const KINDS: Readonly<Record<EventKind, KindText>> = {
  ioctl: IOCTL_TEXT,
  hypercall: HYPERCALL_TEXT,
  msr: MSR_TEXT,
  message: MESSAGE_TEXT,
  intercept: INTERCEPT_TEXT,
  fd: FD_TEXT,
  page: PAGE_TEXT,
  lifecycle: LIFECYCLE_TEXT,
  mark: MARK_TEXT,
};
