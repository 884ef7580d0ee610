import type { Context } from '../../machine/context.ts';

const HINTS_LEAF = 0x4000_0004;
/** The hypervisor recommends against auto-EOI (TLFS, implementation recommendations; Linux: HV_DEPRECATING_AEOI_RECOMMENDED). */
const DEPRECATING_AUTO_EOI = 1 << 9;

/** Linux: hv_recommend_using_aeoi. Without the leaf there is no such recommendation. */
export function usesAutoEoi(context: Context): boolean {
  const leaf = context.profile.cpuid.get(HINTS_LEAF);
  return leaf === undefined || (leaf.eax & DEPRECATING_AUTO_EOI) === 0;
}
