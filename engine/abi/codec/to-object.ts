import type { StructLayout } from '../layout/layout.ts';
import type { Display } from '../lookup/bit-fields.ts';
import { MESSAGE_HEADER_BYTES } from '../lookup/messages.ts';
import { GUID_BYTES, guidOf, hexOf, hexOfBytes } from '../text.ts';
import { type DecodeOptions, decodeLayout } from './decode.ts';
import type { DecodedField, DecodedStruct, DecodedValue } from './decoded.ts';
import { fromObject } from './from-object.ts';
import { integerToJson } from './integer-text.ts';
import type { AbiJson, AbiObject } from './json.ts';
import { compressPages } from './page-list.ts';
import { unsignedAt } from './scope.ts';

/**
 * The event text's form of a struct. Integers are always written; bit fields, reserved fields, nested structs and
 * lists are left out while they are zero, and the zero elements at the end of a list of fixed length. Of members
 * that share bytes the chosen one is written. What all this does not say stands beside it as
 * `"bytes":{"0x14":"<hex>"}`, by offset; a buffer shorter than the struct is `"bytes":"<hex>"` as a whole.
 * `length` is what a reader knows to be the length (see `fromObject`); of a posted message it knows without.
 */
export function toObject(
  layout: StructLayout,
  bytes: Uint8Array,
  options: DecodeOptions & { readonly length?: number } = {},
): AbiJson {
  let whole = bytes;
  if (bytes.length < layout.size) {
    const isPosted = layout.form === 'posted' && bytes.length >= MESSAGE_HEADER_BYTES;
    const isKnown = bytes.length > 0 && options.length === bytes.length;
    if (!isPosted && !isKnown) return { bytes: hexOfBytes(bytes) };
    whole = new Uint8Array(layout.size);
    whole.set(bytes);
  }
  const json = structToJson(decodeLayout(layout, whole, { ...options, chosenOnly: true }));
  const read = fromObject(layout, json, { length: options.length });
  if (!read.ok) throw new Error(`${layout.name}: ${read.error.path}: ${read.error.message}`);
  // A reader would cut off zeros beyond the length that it knows.
  const cut = read.bytes.length === options.length && isZero(bytes.subarray(options.length));
  if (cut && bytes.length > read.bytes.length) return { bytes: hexOfBytes(bytes) };
  const patches = differences(read.bytes, bytes);
  if (patches === undefined) return { bytes: hexOfBytes(bytes) };
  if (Object.keys(patches).length === 0) return json;
  return typeof json === 'object' && !Array.isArray(json)
    ? { ...json, bytes: patches }
    : { bytes: hexOfBytes(bytes) };
}

/**
 * Where `made` is not `wanted`, what to put there; undefined when `made` is too long. What lies beyond `made` a
 * reader fills with zeros up to the last byte that is given.
 */
function differences(made: Uint8Array, wanted: Uint8Array): AbiObject | undefined {
  if (made.length > wanted.length) return undefined;
  const patches: Record<string, string> = {};
  const last = wanted.length - 1;
  const differs = (at: number) =>
    at < made.length ? made[at] !== wanted[at] : wanted[at] !== 0 || at === last;
  for (let at = 0; at < wanted.length; ) {
    const start = at;
    while (at < wanted.length && differs(at)) at++;
    if (at > start) patches[hexOf(start)] = hexOfBytes(wanted.subarray(start, at));
    else at++;
  }
  return patches;
}

/** Form of a decoded struct, before anything is said of bytes that its members do not cover. */
export function structToJson(decoded: DecodedStruct): AbiJson {
  const { layout, bytes } = decoded;
  if (layout.form === 'integer') return hexOf(unsignedAt(bytes, 0, layout.size));
  const object: Record<string, AbiJson> = {};
  for (const field of decoded.fields) {
    if (!field.chosen || field.name.startsWith('@')) continue;
    const json = fieldToJson(field);
    if (json === undefined) continue;
    if (layout.form === 'message' && field.name === 'header') Object.assign(object, json);
    else object[field.name] = json;
  }
  return object;
}

function fieldToJson(field: DecodedField): AbiJson | undefined {
  const { value, display } = field;
  if (value.kind === 'integer') {
    if (isZeroValue(value) && (field.reserved || field.width !== undefined)) return undefined;
    return integerToJson(value.value, display);
  }
  return valueToJson(value, display, field.size > 0);
}

/** Undefined for what is all zero and may be left out. */
function valueToJson(value: DecodedValue, display: Display, fixed: boolean): AbiJson | undefined {
  switch (value.kind) {
    case 'integer':
      return integerToJson(value.value, display);
    case 'bytes':
    case 'partial': {
      if (display === 'guid' && value.bytes.length === GUID_BYTES)
        return isZero(value.bytes) ? undefined : guidOf(value.bytes);
      const run = fixed ? withoutTrailingZeros(value.bytes) : value.bytes;
      return run.length === 0 ? undefined : hexOfBytes(run);
    }
    case 'struct':
      // A register's value is written like an integer, also when it is 0.
      return isZero(value.struct.bytes) && value.struct.layout.form !== 'integer'
        ? undefined
        : structToJson(value.struct);
    case 'array': {
      return arrayToJson(value.elements, display, fixed);
    }
  }
}

function arrayToJson(
  elements: readonly DecodedField[],
  display: Display,
  fixed: boolean,
): AbiJson | undefined {
  let count = elements.length;
  if (fixed) while (count > 0 && isZeroValue((elements[count - 1] as DecodedField).value)) count--;
  if (count === 0) return undefined;
  const kept = elements.slice(0, count);
  if (display === 'pfn') {
    const pages = kept.map(({ value }) => (value.kind === 'integer' ? BigInt(value.value) : 0n));
    if (kept.every(({ value }) => value.kind === 'integer')) return compressPages(pages);
  }
  return kept.map(({ value }) =>
    value.kind === 'struct' ? structToJson(value.struct) : (valueToJson(value, display, false) ?? ''),
  );
}

function isZeroValue(value: DecodedValue): boolean {
  switch (value.kind) {
    case 'integer':
      return value.value === 0 || value.value === 0n;
    case 'array':
      return value.elements.every((element) => isZeroValue(element.value));
    case 'struct':
      return isZero(value.struct.bytes);
    default:
      return isZero(value.bytes);
  }
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

function withoutTrailingZeros(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return bytes.subarray(0, end);
}
