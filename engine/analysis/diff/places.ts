import type { DecodedField, DecodedStruct } from '../../abi/codec/decoded.ts';
import { integerToJson } from '../../abi/codec/integer-text.ts';
import type { Field, StructLayout } from '../../abi/layout/layout.ts';
import { layoutOfType } from '../../abi/layout/structs.ts';
import { hexOf, hexOfBytes } from '../../abi/text.ts';
import type { Name, NameKind } from './names.ts';

/** Bytes of a buffer that hold a name, or what the run chose and nobody refers to (`chosen`). */
export interface Place {
  readonly offset: number;
  readonly size: number;
  readonly kind: NameKind | 'chosen';
}

/** Frames that the kernel or the hypervisor picks (machine/bindable.ts), by struct and field. */
const CHOSEN = new Set([
  'hv_deposit_memory.gpa_page_list',
  'hv_output_withdraw_memory.gpa_page_list',
  'hv_input_map_gpa_pages.source_gpa_page_list',
  'hv_input_map_stats_page2.map_location',
  'hv_output_map_stats_page.map_location',
  'hv_input_map_vp_state_page.requested_map_location',
  'hv_output_map_vp_state_page.map_location',
  'vmbus_channel_initiate_contact.monitor_page1',
  'vmbus_channel_initiate_contact.monitor_page2',
  'vmbus_channel_modify_connection.monitor_page1',
  'vmbus_channel_modify_connection.monitor_page2',
]);

type Named = Pick<DecodedField, 'name' | 'display'>;

function kindOf(layout: string, field: Named, struct: string | undefined): Place['kind'] | undefined {
  if (CHOSEN.has(`${layout}.${field.name}`)) return 'chosen';
  if (field.display === 'partition') return 'partition';
  if (field.display === 'fd') return 'fd';
  if (field.name === 'userspace_addr') return 'address';
  if (field.display === 'gva' && field.name.endsWith('_ptr')) return 'chosen';
  if (struct === 'hv_port_id') return 'port';
  return struct === 'hv_connection_id' ? 'connection' : undefined;
}

const named = new Map<StructLayout, boolean>();

/** Whether a struct has a name anywhere, whatever its values. */
function mayHoldNames(layout: StructLayout): boolean {
  let known = named.get(layout);
  if (known === undefined) {
    known = layout.fields.some((field) => fieldMayHoldNames(layout, field));
    named.set(layout, known);
  }
  return known;
}

function fieldMayHoldNames(layout: StructLayout, field: Field): boolean {
  let { type } = field;
  while (type.kind === 'array') type = type.element;
  const inner = layoutOfType(type);
  return (
    kindOf(layout.name, field, inner?.name) !== undefined || (inner !== undefined && mayHoldNames(inner))
  );
}

/** Other values of the struct may have names in other places. */
function isShifting(layout: StructLayout): boolean {
  return layout.fields.some(
    (field) => (layout.kind === 'union' || field.when !== undefined) && fieldMayHoldNames(layout, field),
  );
}

/** Where names stand in a buffer, in order. `stable`: other values of the buffer have them in the same places. */
export function placesOf(decoded: DecodedStruct): { readonly places: Place[]; readonly stable: boolean } {
  const places: Place[] = [];
  let stable = true;
  const walk = (struct: DecodedStruct): void => {
    const { layout } = struct;
    stable &&= !isShifting(layout);
    for (const field of struct.fields)
      if (field.chosen && field.width === undefined) visit(layout.name, field);
  };
  const visit = (layout: string, field: DecodedField): void => {
    const { value, offset, size } = field;
    const kind = kindOf(layout, field, value.kind === 'struct' ? value.struct.layout.name : undefined);
    if (kind === 'chosen' && value.kind === 'array') {
      const last = value.elements.at(-1);
      if (last !== undefined) places.push({ offset, size: last.offset + last.size - offset, kind });
    } else if (kind !== undefined && value.kind !== 'array' && value.kind !== 'partial') {
      places.push({ offset, size, kind });
    } else if (value.kind === 'struct') walk(value.struct);
    else if (value.kind === 'array')
      for (const element of value.elements) visit(`${layout}.${field.name}`, element);
  };
  walk(decoded);
  const ordered = places.sort((a, b) => a.offset - b.offset);
  return { places: ordered.filter(({ offset }, i) => offset >= endOf(ordered[i - 1])), stable };
}

function endOf(place: Place | undefined): number {
  return place === undefined ? 0 : place.offset + place.size;
}

/** Tells whether the names at a place are those of one thing. */
export type SameName = (kind: NameKind, a: Name, b: Name, place: Place) => boolean;

/** Offset of the first byte from `from` on that differs in meaning; -1 where none does, the shorter length where one is longer. */
export function firstDifference(
  a: Uint8Array,
  b: Uint8Array,
  places: readonly Place[],
  same: SameName,
  from = 0,
): number {
  const length = Math.min(a.length, b.length);
  let at = from;
  for (const place of places) {
    const { offset, size, kind } = place;
    if (offset < from) continue;
    if (offset + size > length) break;
    for (; at < offset; at++) if (a[at] !== b[at]) return at;
    if (kind !== 'chosen' && !same(kind, nameAt(a, place), nameAt(b, place), place)) return offset;
    at = offset + size;
  }
  for (; at < length; at++) if (a[at] !== b[at]) return at;
  return a.length === b.length ? -1 : length;
}

/** A name as a number; wide ones as text, which costs no BigInt. */
function nameAt(bytes: Uint8Array, { offset, size }: Place): Name {
  let [low, high] = [0, 0];
  for (let i = Math.min(size, 4) - 1; i >= 0; i--) low = low * 256 + (bytes[offset + i] ?? 0);
  for (let i = Math.min(size, 8) - 1; i >= 4; i--) high = high * 256 + (bytes[offset + i] ?? 0);
  if (high < 0x20_0000) return high * 0x1_0000_0000 + low;
  return `${high}:${low}`;
}

/** The innermost field at an offset: its path, its value in both, and where it ends. */
export function fieldAt(
  a: DecodedStruct | undefined,
  b: DecodedStruct | undefined,
  offset: number,
  bytes: readonly [Uint8Array, Uint8Array],
): { readonly path: string; readonly a: string; readonly b: string; readonly end: number } {
  const [one, other] = [a && leafAt(a, offset), b && leafAt(b, offset)];
  const path = one?.path ?? other?.path ?? hexOf(offset);
  const end = one?.end ?? other?.end ?? offset + SHOWN_BYTES;
  return {
    path,
    a: one?.text ?? byteText(bytes[0], offset),
    b: other?.text ?? byteText(bytes[1], offset),
    end,
  };
}

const SHOWN_BYTES = 8;

function byteText(bytes: Uint8Array, offset: number): string {
  return offset >= bytes.length ? 'nothing' : hexOfBytes(bytes.subarray(offset, offset + SHOWN_BYTES));
}

function leafAt(
  struct: DecodedStruct,
  offset: number,
  above = '',
): { readonly path: string; readonly text: string; readonly end: number } | undefined {
  for (const field of struct.fields) {
    if (!field.chosen || field.width !== undefined || field.name === '') continue;
    const found = inField(field, offset, above);
    if (found !== undefined) return found;
  }
  return undefined;
}

function inField(field: DecodedField, offset: number, above: string): ReturnType<typeof leafAt> {
  const { value, name } = field;
  const path = /^[0-9]+$/.test(name) ? `${above}[${name}]` : `${above}${above === '' ? '' : '.'}${name}`;
  if (value.kind === 'array') {
    for (const element of value.elements) {
      const found = inField(element, offset, path);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (offset < field.offset || offset >= field.offset + field.size) return undefined;
  if (value.kind === 'struct') return leafAt(value.struct, offset, path);
  const end = field.offset + field.size;
  if (value.kind !== 'integer') return { path, text: hexOfBytes(value.bytes.subarray(0, SHOWN_BYTES)), end };
  const json = integerToJson(value.value, field.display);
  const text = Array.isArray(json) ? `${json.join(' ')} (${hexOf(value.value)})` : String(json);
  return { path, text, end };
}
