import {
  ACCESS_KINDS,
  FLAG_KINDS,
  HYPERVISOR_KINDS,
  LATER_HYPERVISOR_KINDS,
  PORT_KINDS,
  STATISTICS_KINDS,
} from '../hypervisor/index.ts';
import type { ObjectKind } from '../state/schema.ts';
import {
  ARCH,
  ARCH_CPU,
  DRIVER,
  MSHV,
  MSHV_CPU,
  MSHV_OPEN,
  MSHV_PARTITION,
  MSHV_PRESENT,
  MSHV_REGION,
  MSHV_ROUTE,
  MSHV_STATISTICS,
  MSHV_VP,
  VMBUS,
  VMBUS_CPU,
} from './cells/driver.ts';
import { EVENTFD, MSHV_DOORBELL, MSHV_IRQFD } from './cells/eventfd.ts';
import { FD, PROCESS, SYSTEM } from './cells/system.ts';
import { VMBUS_CHANNEL, VMBUS_CONNECT, VMBUS_GPADL, VMBUS_TIMER } from './cells/vmbus.ts';
import { VTL, VTL_EVENTFD, VTL_HVCALL, VTL_MEMORY, VTL_POLL } from './cells/vtl.ts';

/** Every kind of object of a machine: a file names a kind by its place here, so rows are only ever appended. */
export const OBJECT_KINDS: readonly ObjectKind[] = [
  ...HYPERVISOR_KINDS,
  SYSTEM,
  PROCESS,
  FD,
  DRIVER,
  ARCH,
  ARCH_CPU,
  VMBUS,
  VMBUS_CPU,
  MSHV,
  MSHV_CPU,
  MSHV_PARTITION,
  MSHV_VP,
  ...LATER_HYPERVISOR_KINDS,
  MSHV_REGION,
  MSHV_ROUTE,
  MSHV_OPEN,
  ...PORT_KINDS,
  MSHV_IRQFD,
  EVENTFD,
  MSHV_DOORBELL,
  VMBUS_CHANNEL,
  VMBUS_GPADL,
  ...FLAG_KINDS,
  VTL,
  VTL_HVCALL,
  VTL_EVENTFD,
  VTL_POLL,
  VTL_MEMORY,
  ...STATISTICS_KINDS,
  MSHV_STATISTICS,
  VMBUS_TIMER,
  VMBUS_CONNECT,
  ...ACCESS_KINDS,
  MSHV_PRESENT,
];
