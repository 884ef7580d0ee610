import type { IoctlRow } from '../mshv/ioctl-row.ts';
import { DEVICE_IOCTLS } from './device.ts';
import { MEMORY_IOCTLS } from './memory.ts';
import { PARTITION_IOCTLS } from './partition.ts';
import { REGISTER_IOCTLS } from './registers.ts';
import { RUN_IOCTL } from './run.ts';
import { STATE_IOCTLS } from './state.ts';

/** The ioctls of the RFC of 2020 that are modelled. */
export const RFC2020_IOCTLS: readonly IoctlRow[] = [
  ...DEVICE_IOCTLS,
  ...MEMORY_IOCTLS,
  ...PARTITION_IOCTLS,
  ...REGISTER_IOCTLS,
  RUN_IOCTL,
  ...STATE_IOCTLS,
];
