import type { StructLayout } from '../layout/layout.ts';
import { structOf } from '../layout/structs.ts';
import { tailOf, withElasticList } from '../layout/tail.ts';
import { hypercalls } from '../lookup/hypercalls.ts';
import { registers } from '../lookup/registers.ts';
import { hexOfBytes } from '../text.ts';
import { type DecodeOptions, decodeLayout, strideOf } from './decode.ts';
import type { DecodedField, DecodedStruct } from './decoded.ts';
import { fromObject, type ReadOptions } from './from-object.ts';
import { type AbiJson, isObject, type ObjectError } from './json.ts';
import { unsignedAt } from './scope.ts';
import { toObject } from './to-object.ts';
import { decodeControl } from './words.ts';

/** The layout of a call's input; undefined where no public source has it, or the call has none. */
export function hypercallInputLayout(code: number): StructLayout | undefined {
  const row = hypercalls.find(code);
  if (row?.input === undefined) return undefined;
  const layout = structOf(row.input);
  return row.shape === 'rep' ? withElasticList(layout) : layout;
}

/** The layout of a call's output; undefined where no public source has it, or the call has none. */
export function hypercallOutputLayout(code: number): StructLayout | undefined {
  const output = hypercalls.find(code)?.output;
  return output === undefined ? undefined : structOf(output);
}

function inputOptions(control: bigint): DecodeOptions {
  return { variableHeaderBytes: 8 * decodeControl(control).variableHeaderQwords };
}

function outputOptions(control: bigint, input: Uint8Array | undefined): DecodeOptions {
  const layout = hypercallInputLayout(decodeControl(control).code);
  if (layout === undefined || input === undefined) return {};
  return { outer: { layout, bytes: input, base: 0, outer: undefined } };
}

/** Header, variable header and elements of a call's input; undefined where its layout is not known. */
export function decodeHypercallInput(control: bigint, bytes: Uint8Array): DecodedStruct | undefined {
  const layout = hypercallInputLayout(decodeControl(control).code);
  return layout === undefined ? undefined : decodeLayout(layout, bytes, inputOptions(control));
}

/**
 * A call's output; undefined where its layout is not known. Some outputs only say together with the input what they
 * are: the values of HVCALL_GET_VP_REGISTERS carry the names of the registers asked for.
 */
export function decodeHypercallOutput(
  control: bigint,
  input: Uint8Array | undefined,
  bytes: Uint8Array,
): DecodedStruct | undefined {
  const { code } = decodeControl(control);
  const layout = hypercallOutputLayout(code);
  if (layout === undefined) return undefined;
  const decoded = decodeLayout(layout, bytes, outputOptions(control, input));
  const names = hypercallInputLayout(code);
  if (layout.name !== 'hv_output_get_vp_registers' || names === undefined || input === undefined)
    return decoded;
  return { ...decoded, fields: decoded.fields.map((field) => nameElements(field, names, input)) };
}

/** Names the elements of `values` after the registers of the input. */
function nameElements(field: DecodedField, layout: StructLayout, input: Uint8Array): DecodedField {
  if (field.value.kind !== 'array') return field;
  const elements = field.value.elements.map((element, i) => {
    const at = layout.size + 4 * i;
    return at + 4 > input.length
      ? element
      : { ...element, name: registers.name(Number(unsignedAt(input, at, 4))) };
  });
  return { ...field, value: { kind: 'array', elements } };
}

/** The event text's form of an input. `length`: what a reader knows to be its length. */
export function hypercallInputToObject(control: bigint, bytes: Uint8Array, length?: number): AbiJson {
  const layout = hypercallInputLayout(decodeControl(control).code);
  if (layout === undefined) return { bytes: hexOfBytes(bytes) };
  return toObject(layout, bytes, { ...inputOptions(control), ...(length === undefined ? {} : { length }) });
}

/** The event text's form of an output. */
export function hypercallOutputToObject(
  control: bigint,
  input: Uint8Array | undefined,
  bytes: Uint8Array,
  length?: number,
): AbiJson {
  const layout = hypercallOutputLayout(decodeControl(control).code);
  if (layout === undefined) return { bytes: hexOfBytes(bytes) };
  return toObject(layout, bytes, {
    ...outputOptions(control, input),
    ...(length === undefined ? {} : { length }),
  });
}

/** An input that was read, and what of it stands in the control word. */
export type HypercallInput =
  | {
      readonly ok: true;
      readonly bytes: Uint8Array;
      readonly variableHeaderQwords: number;
      /** Elements of the list that the input carries; undefined for an input without one. */
      readonly elements: number | undefined;
    }
  | { readonly ok: false; readonly error: ObjectError };

const NO_LAYOUT: ObjectError = {
  path: '',
  message: 'has no known layout: give {"bytes":"<hex>"}',
  expected: ['bytes'],
};

/** Reads the event text's form of an input. */
export function hypercallInputFromObject(
  code: number,
  json: unknown,
  options: ReadOptions = {},
): HypercallInput {
  const layout = hypercallInputLayout(code) ?? EMPTY;
  const read = fromObject(layout, json, options);
  if (!read.ok) return layout === EMPTY ? { ok: false, error: NO_LAYOUT } : read;
  const { own, nested } = tailOf(layout);
  const beyond = Math.max(0, read.bytes.length - layout.size);
  const hasVariableHeader = hypercalls.find(code)?.variableHeader === true;
  if (own === undefined || (hasVariableHeader && nested === undefined)) {
    const variableHeaderQwords = hasVariableHeader ? Math.ceil(beyond / 8) : 0;
    return { ok: true, bytes: read.bytes, variableHeaderQwords, elements: undefined };
  }
  const stride = own.type.kind === 'array' ? strideOf(own.type.element) : 1;
  const listed = isObject(json) ? json[own.name] : undefined;
  // With a variable header before it, only the list itself says where it begins.
  const count = hasVariableHeader && Array.isArray(listed) ? listed.length : undefined;
  const elements = count ?? (hasVariableHeader ? 0 : Math.floor(beyond / stride));
  const variableHeaderQwords = hasVariableHeader ? Math.ceil((beyond - elements * stride) / 8) : 0;
  return { ok: true, bytes: read.bytes, variableHeaderQwords, elements };
}

/** Reads the event text's form of an output. */
export function hypercallOutputFromObject(code: number, json: unknown, options: ReadOptions = {}) {
  const layout = hypercallOutputLayout(code) ?? EMPTY;
  const read = fromObject(layout, json, options);
  return read.ok || layout !== EMPTY ? read : ({ ok: false, error: NO_LAYOUT } as const);
}

/** Stands for a layout that is not known: it has no members, so only `bytes` can be given. */
const EMPTY: StructLayout = {
  name: 'bytes' as StructLayout['name'],
  kind: 'struct',
  size: 0,
  source: '',
  form: 'object',
  fields: [],
};
