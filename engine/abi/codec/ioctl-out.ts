import type { StructLayout } from '../layout/layout.ts';
import type { IoctlRow } from '../lookup/ioctl-row.ts';
import { hexOfBytes } from '../text.ts';
import { decodeLayout } from './decode.ts';
import { fromObject } from './from-object.ts';
import {
  type IoctlBuffers,
  ioctlArgFromObject,
  ioctlArgToObject,
  ioctlDataFromObject,
  ioctlDataToObject,
} from './ioctl.ts';
import { argumentLayout } from './ioctl-buffers.ts';
import { type AbiJson, type AbiObject, isObject, type JsonObject, type ObjectError } from './json.ts';
import { structToJson } from './to-object.ts';

/** What a call gave back besides its result and a handle. */
export interface IoctlAnswer {
  /** The argument after the call, where it was written back. */
  readonly arg?: Uint8Array | undefined;
  /** The buffer behind its output pointer. */
  readonly data?: Uint8Array | undefined;
}

/**
 * The event text's `out` of an ioctl, without the handle: the fields that it wrote back, and the members of the
 * buffer behind its output pointer. An argument that changed elsewhere stands as a whole under `arg`.
 */
export function ioctlOutToObject(row: IoctlRow, buffers: IoctlBuffers, answer: IoctlAnswer): AbiObject {
  const object: Record<string, AbiJson> = {};
  if (answer.arg !== undefined) Object.assign(object, argAfterToObject(row, buffers.arg, answer.arg));
  if (answer.data === undefined) return object;
  const data = ioctlDataToObject(row, buffers, answer.data);
  const members = isObject(data) ? Object.keys(data).length : 0;
  return { ...object, ...(members > 0 ? (data as AbiObject) : { bytes: hexOfBytes(answer.data) }) };
}

function argAfterToObject(row: IoctlRow, before: Uint8Array | undefined, after: Uint8Array): AbiObject {
  const layout = argumentLayout(row, before ?? after);
  const short = layout === undefined || Math.min(after.length, before?.length ?? after.length) < layout.size;
  if (short || row.writesBack.length === 0) return { arg: ioctlArgToObject(row, after) };
  const merged = writeBack(row, layout, before, after);
  if (merged.length !== after.length || merged.some((byte, i) => byte !== after[i])) {
    return { arg: ioctlArgToObject(row, after) };
  }
  const decoded = decodeLayout(layout, after);
  const written = decoded.fields.filter(({ name }) => row.writesBack.includes(name));
  const json = structToJson({ ...decoded, fields: written }) as AbiObject;
  // A run of zero bytes is left out elsewhere; here it says that there is an answer.
  return Object.fromEntries(row.writesBack.map((name) => [name, json[name] ?? '']));
}

/** The argument before the call with the written-back fields of `after`. */
function writeBack(
  row: IoctlRow,
  layout: StructLayout,
  before: Uint8Array | undefined,
  after: Uint8Array,
): Uint8Array {
  const merged = before?.slice() ?? new Uint8Array(layout.size);
  for (const { name, offset, size } of layout.fields) {
    if (!row.writesBack.includes(name) || offset + size > merged.length) continue;
    merged.set(after.subarray(offset, offset + size), offset);
  }
  return merged;
}

export type IoctlOutResult =
  | { readonly ok: true; readonly answer: IoctlAnswer }
  | { readonly ok: false; readonly error: ObjectError };

/** Reads the form of {@link ioctlOutToObject}; the caller has taken `handle` away. */
export function ioctlOutFromObject(row: IoctlRow, buffers: IoctlBuffers, json: JsonObject): IoctlOutResult {
  const { arg: wholeArg, ...rest } = json;
  const back: Record<string, unknown> = {};
  const data: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(rest))
    (row.writesBack.includes(name) ? back : data)[name] = value;
  let arg: Uint8Array | undefined;
  const layout = argumentLayout(row, buffers.arg);
  if (wholeArg !== undefined) {
    const read = ioctlArgFromObject(row, wholeArg);
    if (!read.ok) return { ok: false, error: { ...read.error, path: `arg.${read.error.path}` } };
    arg = read.bytes;
  } else if (Object.keys(back).length > 0 && layout !== undefined) {
    const read = fromObject(layout, back);
    if (!read.ok) return read;
    arg = writeBack(row, layout, buffers.arg, read.bytes);
  }
  if (Object.keys(data).length === 0) return { ok: true, answer: { arg } };
  const read = ioctlDataFromObject(row, buffers, data);
  return read.ok ? { ok: true, answer: { arg, data: read.bytes } } : read;
}
