import { sameBytes } from '../bytes.ts';
import { structOf } from '../layout/structs.ts';
import { hexOfBytes } from '../text.ts';
import { fromObject } from './from-object.ts';
import { type AbiJson, type AbiObject, isObject, type JsonObject, type ObjectResult } from './json.ts';
import { toObject } from './to-object.ts';

// The register ioctls carry lists of hv_register_assoc: name u32, reserved, value at byte 16 (uapi linux/mshv.h);
// the RFC of 2020 two lists, names of 4 bytes and values of 16.
const ASSOC_BYTES = 32;
const VALUE_OFFSET = 16;
const NAME_BYTES = 4;
const VALUE_BYTES = 16;

const elements = () => structOf('mshv_register_elements');
const names = () => structOf('mshv_register_names');
const values = () => structOf('hv_output_get_vp_registers');

function pick(bytes: Uint8Array, stride: number, from: number, size: number): Uint8Array {
  const count = Math.floor(bytes.length / stride);
  const picked = new Uint8Array(count * size);
  for (let i = 0; i < count; i++) {
    picked.set(bytes.subarray(i * stride + from, i * stride + from + size), i * size);
  }
  return picked;
}

function assoc(nameBytes: Uint8Array, valueBytes: Uint8Array): Uint8Array {
  const count = Math.max(nameBytes.length / NAME_BYTES, valueBytes.length / VALUE_BYTES);
  const bytes = new Uint8Array(count * ASSOC_BYTES);
  for (let i = 0; i < count; i++) {
    bytes.set(nameBytes.subarray(i * NAME_BYTES, (i + 1) * NAME_BYTES), i * ASSOC_BYTES);
    const value = valueBytes.subarray(i * VALUE_BYTES, (i + 1) * VALUE_BYTES);
    bytes.set(value, i * ASSOC_BYTES + VALUE_OFFSET);
  }
  return bytes;
}

/**
 * A list of hv_register_assoc: `names` or `values` where that says it all, else `elements`. `asked`: the list
 * with the names, when `bytes` is the answer to it.
 */
export function registersToObject(
  bytes: Uint8Array,
  form: 'both' | 'names' | 'values',
  asked: Uint8Array | undefined,
): AbiJson {
  const given = pick(bytes, ASSOC_BYTES, 0, NAME_BYTES);
  if (form === 'names' && bytes.length > 0 && sameBytes(assoc(given, new Uint8Array(0)), bytes)) {
    return toObject(names(), given);
  }
  const answers = pick(bytes, ASSOC_BYTES, VALUE_OFFSET, VALUE_BYTES);
  const askedNames = pick(asked ?? new Uint8Array(0), ASSOC_BYTES, 0, NAME_BYTES);
  if (form === 'values' && bytes.length > 0 && sameBytes(assoc(askedNames, answers), bytes)) {
    return toObject(values(), answers);
  }
  return toObject(elements(), bytes);
}

/** Inverse of {@link registersToObject}. */
export function registersFromObject(json: unknown, asked: Uint8Array | undefined): ObjectResult {
  if (isObject(json) && Object.hasOwn(json, 'names')) {
    const read = fromObject(names(), json);
    return read.ok ? { ok: true, bytes: assoc(read.bytes, new Uint8Array(0)) } : read;
  }
  if (isObject(json) && Object.hasOwn(json, 'values')) {
    const read = fromObject(values(), json);
    const askedNames = pick(asked ?? new Uint8Array(0), ASSOC_BYTES, 0, NAME_BYTES);
    return read.ok ? { ok: true, bytes: assoc(askedNames, read.bytes) } : read;
  }
  return fromObject(elements(), json);
}

/** The two lists of the RFC's MSHV_SET_VP_REGISTERS, names first, as `elements`. */
export function namesThenValuesToObject(bytes: Uint8Array): AbiObject {
  const count = bytes.length / (NAME_BYTES + VALUE_BYTES);
  if (bytes.length === 0 || !Number.isInteger(count)) return { bytes: hexOfBytes(bytes) };
  const split = count * NAME_BYTES;
  return toObject(elements(), assoc(bytes.subarray(0, split), bytes.subarray(split))) as AbiObject;
}

/** Inverse of {@link namesThenValuesToObject}. */
export function namesThenValuesFromObject(json: unknown): ObjectResult {
  const read = fromObject(elements(), json);
  if (!read.ok || typeof (json as JsonObject).bytes === 'string') return read;
  const first = pick(read.bytes, ASSOC_BYTES, 0, NAME_BYTES);
  const second = pick(read.bytes, ASSOC_BYTES, VALUE_OFFSET, VALUE_BYTES);
  if (!sameBytes(assoc(first, second), read.bytes)) {
    return {
      ok: false,
      error: { path: 'elements', message: 'has only names and values here', expected: [] },
    };
  }
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return { ok: true, bytes };
}
