import type { PartitionState } from '../cells/partition.ts';

/**
 * In which states of a partition a call that names it is legal, the others being answered with
 * INVALID_PARTITION_STATE. Source: TLFS 2013, partition states, and the entries of the calls; where the Linux
 * driver relies on more (withdrawing from and deleting a partition that was never initialised, properties set
 * before it is), that holds (Linux 7.2 drivers/hv/mshv_root_main.c).
 */
export const PHASES = {
  INITIALIZE_PARTITION: ['uninitialized'],
  FINALIZE_PARTITION: ['active', 'finalizing'],
  DELETE_PARTITION: ['uninitialized', 'finalized'],
  DEPOSIT_MEMORY: ['uninitialized', 'active'],
  WITHDRAW_MEMORY: ['uninitialized', 'active', 'finalizing', 'finalized'],
  GET_PARTITION_PROPERTY: ['uninitialized', 'active', 'finalizing', 'finalized'],
  SET_PARTITION_PROPERTY: ['uninitialized', 'active'],
  CREATE_VP: ['active'],
  DELETE_VP: ['active'],
  VP_REGISTERS: ['active'],
  DISPATCH_VP: ['active'],
  STATE_PAGE: ['active'],
  STATS_PAGE: ['active'],
  GPA: ['active'],
  VP_STATE: ['active'],
  INTERCEPT: ['active'],
  INTERRUPT: ['active'],
  PORT: ['active'],
} as const satisfies Readonly<Record<string, readonly PartitionState[]>>;
