import type { ObjectKind } from '../state/schema.ts';
import { CPU, CPU_MSR, QUEUED } from './cells/cpu.ts';
import { EVENT_FLAGS, VP_EVENT_FLAGS } from './cells/event-flags.ts';
import { GPA, GPA_ACCESS, MEMORY } from './cells/gpa.ts';
import { HOST, HYPERVISOR, PROCESSOR } from './cells/host.ts';
import { CPUID_RESULT, INTERCEPT, MSR_RESULT } from './cells/intercept.ts';
import { OWN_VP, PARTITION, POOL_RUN, PROPERTY } from './cells/partition.ts';
import { CONNECTION, PORT, RING_ENTRY } from './cells/port.ts';
import { VP, VP_QUEUED, VP_REGISTER } from './cells/vp.ts';

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

/** Those that came later: they stand behind the kinds of the drivers, whose places must not change. */
export const LATER_HYPERVISOR_KINDS: readonly ObjectKind[] = [
  GPA,
  VP_REGISTER,
  INTERCEPT,
  CPUID_RESULT,
  MSR_RESULT,
  VP_QUEUED,
];

/** Flags of the SIEF pages, which came last. */
export const FLAG_KINDS: readonly ObjectKind[] = [EVENT_FLAGS, VP_EVENT_FLAGS];

/** Those after these. */
export const PORT_KINDS: readonly ObjectKind[] = [PORT, CONNECTION, RING_ENTRY];

/** What has nothing but a page of statistics. */
export const STATISTICS_KINDS: readonly ObjectKind[] = [PROCESSOR, OWN_VP];

/** What is known of the states of a guest's pages. */
export const ACCESS_KINDS: readonly ObjectKind[] = [GPA_ACCESS];

/** What is known of a guest's memory itself. */
export const MEMORY_KINDS: readonly ObjectKind[] = [MEMORY];
