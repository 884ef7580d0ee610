import type { DecodedField, DecodedStruct, DecodedValue } from '../abi/codec/decoded.ts';
import { integerToJson } from '../abi/codec/integer-text.ts';
import { GUID_BYTES, guidOf, hexOf, hexOfBytes } from '../abi/text.ts';
import type { FieldView } from './api.ts';

/** Bytes of a run that are shown as a field's value; the rest is in the buffer beside it. */
const SHOWN_BYTES = 16;

/** The fields of a decoded buffer as one list, outermost first, each with its place in the buffer. */
export function fieldViews(struct: DecodedStruct): FieldView[] {
  const views: FieldView[] = [];
  for (const field of struct.fields) add(views, field, '', 0);
  if (struct.trailing.length > 0) {
    const offset = struct.bytes.length - struct.trailing.length;
    views.push({
      path: 'trailing bytes',
      value: bytesText(struct.trailing),
      offset,
      size: struct.trailing.length,
      depth: 0,
    });
  }
  return views;
}

function add(views: FieldView[], field: DecodedField, parent: string, depth: number): void {
  const path = /^[0-9]+$/.test(field.name)
    ? `${parent}[${field.name}]`
    : `${parent}${parent === '' ? '' : '.'}${field.name}`;
  const { value } = field;
  views.push({
    path,
    ...text(value, field),
    offset: field.offset,
    size: field.size,
    ...(field.lsb === undefined ? {} : { lsb: field.lsb }),
    ...(field.width === undefined ? {} : { width: field.width }),
    depth,
  });
  if (value.kind === 'struct') for (const inner of value.struct.fields) add(views, inner, path, depth + 1);
  if (value.kind === 'array') for (const inner of value.elements) add(views, inner, path, depth + 1);
}

function text(value: DecodedValue, field: DecodedField): { value: string; meaning?: string } {
  switch (value.kind) {
    case 'integer': {
      const number = hexOf(value.value);
      const json = integerToJson(value.value, field.display);
      const meaning = Array.isArray(json) ? json.join(' ') : String(json);
      return meaning === number || meaning === '' ? { value: number } : { value: number, meaning };
    }
    case 'bytes':
      return { value: field.display === 'guid' ? guidText(value.bytes) : bytesText(value.bytes) };
    case 'partial':
      return { value: bytesText(value.bytes), meaning: 'cut off: the buffer ends here' };
    case 'array':
      return { value: `${value.elements.length} elements` };
    case 'struct':
      return { value: '', meaning: value.struct.layout.name };
  }
}

function guidText(bytes: Uint8Array): string {
  return bytes.length === GUID_BYTES ? guidOf(bytes) : bytesText(bytes);
}

function bytesText(bytes: Uint8Array): string {
  const shown = hexOfBytes(bytes.subarray(0, SHOWN_BYTES));
  return bytes.length > SHOWN_BYTES ? `${shown}… (${bytes.length} bytes)` : shown;
}
