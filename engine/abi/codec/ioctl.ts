import { structOf } from '../layout/structs.ts';
import type { IoctlRow } from '../lookup/ioctl-row.ts';
import { hexOfBytes } from '../text.ts';
import { decodeLayout } from './decode.ts';
import type { DecodedStruct } from './decoded.ts';
import { fromObject } from './from-object.ts';
import {
  decodeHypercallInput,
  decodeHypercallOutput,
  hypercallInputFromObject,
  hypercallInputToObject,
  hypercallOutputFromObject,
  hypercallOutputToObject,
} from './hypercall.ts';
import { argumentLayout, type Buffer, bufferOf } from './ioctl-buffers.ts';
import { type AbiJson, isObject, type ObjectResult } from './json.ts';
import {
  decodeMessage,
  runMessageFromObject,
  runMessageToObject,
  slotFromObject,
  slotToObject,
} from './message.ts';
import {
  namesThenValuesFromObject,
  namesThenValuesToObject,
  registersFromObject,
  registersToObject,
} from './register-lists.ts';
import { toObject } from './to-object.ts';

const NOTHING = new Uint8Array(0);

/** The argument; undefined for a call without one. */
export function decodeIoctlArg(row: IoctlRow, arg: Uint8Array): DecodedStruct | undefined {
  const layout = argumentLayout(row, arg);
  return layout === undefined ? undefined : decodeLayout(layout, arg);
}

/** The event text's form of the argument. */
export function ioctlArgToObject(row: IoctlRow, arg: Uint8Array): AbiJson {
  const layout = argumentLayout(row, arg);
  return layout === undefined ? { bytes: hexOfBytes(arg) } : toObject(layout, arg);
}

/**
 * Reads the event text's form of the argument. MSHV_CREATE_PARTITION takes the longer form of its argument when
 * a member of it is given.
 */
export function ioctlArgFromObject(row: IoctlRow, json: unknown): ObjectResult {
  const layout = argumentLayout(row, undefined);
  if (layout === undefined) return bytesFromObject(json, 'the call has no argument');
  if (row.argument === 'mshv_create_partition' && isObject(json)) {
    const longer = structOf('mshv_create_partition_v2');
    const more = longer.fields.slice(layout.fields.length);
    if (more.some(({ name }) => Object.hasOwn(json, name))) return fromObject(longer, json);
  }
  return fromObject(layout, json);
}

/** The buffers of one call, as far as they were recorded. */
export interface IoctlBuffers {
  readonly arg: Uint8Array | undefined;
  readonly in: Uint8Array | undefined;
}

function bufferOn(row: IoctlRow, side: 'in' | 'out', arg: Uint8Array | undefined): Buffer {
  const shape = row[side];
  return shape === undefined ? { kind: 'bytes' } : bufferOf(row, shape, side, arg ?? NOTHING);
}

/** The buffer behind the input pointer; undefined where it is plain bytes. */
export function decodeIoctlIn(row: IoctlRow, { arg, in: bytes }: IoctlBuffers): DecodedStruct | undefined {
  return bytes === undefined ? undefined : decodeBuffer(bufferOn(row, 'in', arg), bytes, undefined);
}

/** What the call wrote behind its output pointer; undefined where it is plain bytes. */
export function decodeIoctlOut(
  row: IoctlRow,
  { arg, in: input }: IoctlBuffers,
  data: Uint8Array,
): DecodedStruct | undefined {
  return decodeBuffer(bufferOn(row, 'out', arg), data, input);
}

function decodeBuffer(
  buffer: Buffer,
  bytes: Uint8Array,
  input: Uint8Array | undefined,
): DecodedStruct | undefined {
  switch (buffer.kind) {
    case 'bytes':
    case 'names-then-values':
      return undefined;
    case 'struct':
      return decodeLayout(buffer.layout, bytes);
    case 'hypercall-input':
      return decodeHypercallInput(buffer.control, bytes);
    case 'hypercall-output':
      return decodeHypercallOutput(buffer.control, input, bytes);
    case 'run-message':
    case 'slot':
      return decodeMessage(bytes);
    case 'registers':
      return decodeLayout(structOf('mshv_register_elements'), bytes);
  }
}

/** The event text's form of the buffer behind the input pointer. */
export function ioctlInToObject(row: IoctlRow, { arg, in: bytes }: IoctlBuffers): AbiJson {
  return bufferToObject(bufferOn(row, 'in', arg), bytes ?? NOTHING, undefined);
}

/** Reads the event text's form of the buffer behind the input pointer. */
export function ioctlInFromObject(row: IoctlRow, arg: Uint8Array | undefined, json: unknown): ObjectResult {
  if (row.in === undefined) return bytesFromObject(json, 'the call has no input buffer');
  return bufferFromObject(bufferOn(row, 'in', arg), json, undefined);
}

/** The event text's form of what the call wrote behind its output pointer. */
export function ioctlDataToObject(
  row: IoctlRow,
  { arg, in: input }: IoctlBuffers,
  data: Uint8Array,
): AbiJson {
  return bufferToObject(bufferOn(row, 'out', arg), data, input);
}

/** Reads the event text's form of what the call wrote behind its output pointer. */
export function ioctlDataFromObject(row: IoctlRow, buffers: IoctlBuffers, json: unknown): ObjectResult {
  if (row.out === undefined) return bytesFromObject(json, 'the call has no output buffer');
  return bufferFromObject(bufferOn(row, 'out', buffers.arg), json, buffers.in);
}

function bufferToObject(buffer: Buffer, bytes: Uint8Array, input: Uint8Array | undefined): AbiJson {
  switch (buffer.kind) {
    case 'bytes':
      return { bytes: hexOfBytes(bytes) };
    case 'struct':
      return toObject(buffer.layout, bytes, { length: buffer.length });
    case 'hypercall-input':
      return hypercallInputToObject(buffer.control, bytes, buffer.length);
    case 'hypercall-output':
      return hypercallOutputToObject(buffer.control, input, bytes, buffer.length);
    case 'run-message':
      return runMessageToObject(bytes);
    case 'slot':
      return slotToObject(bytes, buffer.length);
    case 'registers':
      return registersToObject(bytes, buffer.form, input);
    case 'names-then-values':
      return namesThenValuesToObject(bytes);
  }
}

function bufferFromObject(buffer: Buffer, json: unknown, input: Uint8Array | undefined): ObjectResult {
  switch (buffer.kind) {
    case 'bytes':
      return bytesFromObject(json, 'the buffer has no known layout');
    case 'struct':
      return fromObject(buffer.layout, json, { length: buffer.length });
    case 'hypercall-input':
      return hypercallInputFromObject(Number(buffer.control & 0xffffn), json, { length: buffer.length });
    case 'hypercall-output':
      return hypercallOutputFromObject(Number(buffer.control & 0xffffn), json, { length: buffer.length });
    case 'run-message':
      return runMessageFromObject(json);
    case 'slot':
      return slotFromObject(json, buffer.length);
    case 'registers':
      return registersFromObject(json, input);
    case 'names-then-values':
      return namesThenValuesFromObject(json);
  }
}

function bytesFromObject(json: unknown, why: string): ObjectResult {
  if (isObject(json) && typeof json.bytes === 'string') return fromObject(structOf('u32'), json);
  return { ok: false, error: { path: '', message: `${why}: give {"bytes":"<hex>"}`, expected: ['bytes'] } };
}
