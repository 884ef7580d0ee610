import { fieldOf, readU64 } from '../../abi/index.ts';
import type { TraceEvent } from '../../trace/event.ts';
import { type Answered, call } from './hypercall.ts';

export const ACCEPT = call('ACCEPT_GPA_PAGES');
export const VISIBILITY = call('MODIFY_SPARSE_GPA_PAGE_HOST_VISIBILITY');
export const PROTECT = call('MODIFY_VTL_PROTECTION_MASK');
export const ACQUIRE = call('ACQUIRE_SPARSE_SPA_PAGE_HOST_ACCESS');
export const RELEASE = call('RELEASE_SPARSE_SPA_PAGE_HOST_ACCESS');
export const DEPOSIT = call('DEPOSIT_MEMORY');

const LISTS = new Map([
  [VISIBILITY, fieldOf('hv_gpa_range_for_visibility', 'gpa_page_list')],
  [PROTECT, fieldOf('hv_input_modify_vtl_protection_mask', 'gpa_page_list')],
  [ACQUIRE, fieldOf('hv_input_modify_sparse_spa_page_host_access', 'spa_page_list')],
  [RELEASE, fieldOf('hv_input_modify_sparse_spa_page_host_access', 'spa_page_list')],
  [DEPOSIT, fieldOf('hv_deposit_memory', 'gpa_page_list')],
]);

/** A frame of the list of such a call. */
export function frameOf({ control, input }: Answered, index: number): bigint {
  const list = LISTS.get(control.code);
  if (list === undefined) throw new Error(`hypercall ${control.code} has no list of pages`);
  return readU64(input, list, index);
}

/** The elements that a call completed itself, from its rep start on. */
export function* completed(hypercall: Answered): Generator<bigint> {
  for (let i = hypercall.control.repStart; i < hypercall.reps; i++) yield frameOf(hypercall, i);
}

/** Whose pages a call names: those of a guest, or of the partition that is traced. */
export function spaceOf({ vp, component }: TraceEvent): string {
  return vp?.partition === undefined ? (component === 'guest' ? 'guest' : 'own') : String(vp.partition);
}
