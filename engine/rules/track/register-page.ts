import { type FieldHandle, fieldOf, readU64 } from '../../abi/index.ts';
import type { PageBytes } from '../../trace/event.ts';

export const REGISTER_PAGE_VALID = fieldOf('hv_vp_register_page', 'isvalid');
export const REGISTER_PAGE_DIRTY = fieldOf('hv_vp_register_page', 'dirty');
export const REGISTER_PAGE_RIP = fieldOf('hv_vp_register_page', 'rip');

/** Where a register stands on the page, by its name without prefix. */
export function registerField(name: string): FieldHandle {
  return fieldOf('hv_vp_register_page', name.toLowerCase());
}

/** A field of a page of which the trace shows some bytes; undefined where it does not show all of it. */
export function readPage(bytes: readonly PageBytes[] | undefined, field: FieldHandle): bigint | undefined {
  for (const { offset, bytes: part } of bytes ?? []) {
    if (offset > field.offset || offset + part.length < field.offset + field.size) continue;
    return readU64(part, { ...field, offset: field.offset - offset });
  }
  return undefined;
}
