import type { ObjectKind } from '../state/schema.ts';
import { CPU, CPU_MSR, QUEUED } from './cells/cpu.ts';
import { HOST, HYPERVISOR } from './cells/host.ts';
import { PARTITION, POOL_RUN, PROPERTY, VP } from './cells/partition.ts';

/** The kinds of object that the hypervisor's side creates. */
export const HYPERVISOR_KINDS: readonly ObjectKind[] = [
  CPU,
  CPU_MSR,
  QUEUED,
  PARTITION,
  PROPERTY,
  POOL_RUN,
  VP,
  HYPERVISOR,
  HOST,
];
