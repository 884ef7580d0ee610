import { constant } from '../../abi/index.ts';
import { OWN_PARTITION } from '../../hypervisor/index.ts';
import type { Context } from '../../machine/context.ts';
import { isRoot } from '../kernel/objects.ts';

/** The caller's own partition (TLFS: HV_PARTITION_ID_SELF). */
export const SELF = constant('HV_PARTITION_ID_SELF');

/** Its number as the kernel knows it: a root has asked for it, an L1VH partition may not (Linux: hv_current_partition_id). */
export function ownPartition(context: Context): bigint {
  return isRoot(context) ? BigInt(OWN_PARTITION) : SELF;
}
