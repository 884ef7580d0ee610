import type { IoctlRow } from '../mshv/ioctl-row.ts';
import { DEVICE_IOCTLS } from './device.ts';
import { HVCALL_IOCTLS } from './hvcall.ts';
import { REGISTER_IOCTLS } from './registers.ts';
import { RETURN_IOCTL } from './return.ts';
import { SINT_IOCTLS } from './sint.ts';
import { MEMORY_IOCTLS } from './vtl.ts';

/** The ioctls of a kernel in VTL 2. */
export const VTL_IOCTLS: readonly IoctlRow[] = [
  ...DEVICE_IOCTLS,
  ...MEMORY_IOCTLS,
  ...REGISTER_IOCTLS,
  RETURN_IOCTL,
  ...SINT_IOCTLS,
  ...HVCALL_IOCTLS,
];
