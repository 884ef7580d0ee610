import type { Field, FieldType, StructLayout } from '../layout/layout.ts';
import { layoutOfType, structOf } from '../layout/structs.ts';
import { hasTail, holesOf, tailOf } from '../layout/tail.ts';
import type { BitField, Display } from '../lookup/bit-fields.ts';
import { MESSAGE_HEADER_BYTES } from '../lookup/messages.ts';
import { hexOf } from '../text.ts';
import type { DecodedField, DecodedStruct, DecodedValue } from './decoded.ts';
import { isMessage, payloadFacts, payloadStruct } from './payload.ts';
import { isChosen, type Scope, smallAt, unsignedAt } from './scope.ts';

export interface DecodeOptions {
  /** Bytes of the variable header that stand before a trailing array. */
  readonly variableHeaderBytes?: number;
  /** Where conditions on outer fields look: the input of the call whose output this is. */
  readonly outer?: Scope;
  /** Leaves out what the event text does not write: alternatives, members whose condition does not hold. */
  readonly chosenOnly?: boolean;
}

/** Where the decoder stands. */
interface Cursor extends Scope {
  readonly chosenOnly: boolean;
}

/**
 * Decodes a buffer as a struct of the tables. Total: short buffers leave fields partial or out, what follows the
 * struct comes as `trailing`. A struct name that no table has is a mistake of the programmer and throws.
 */
export function decode(struct: string, bytes: Uint8Array, options: DecodeOptions = {}): DecodedStruct {
  return decodeLayout(structOf(struct), bytes, options);
}

export function decodeLayout(
  layout: StructLayout,
  bytes: Uint8Array,
  options: DecodeOptions = {},
): DecodedStruct {
  const variable = options.variableHeaderBytes ?? 0;
  const { outer, chosenOnly = false } = options;
  const decoded = decodeStruct({ layout, bytes, base: 0, outer, chosenOnly }, bytes.length, variable);
  let end = Math.min(bytes.length, layout.size);
  for (const field of decoded.fields) end = Math.max(end, endOf(field));
  return { ...decoded, bytes, trailing: bytes.subarray(end) };
}

/** Where the bytes of a field end, the trailing array of a struct at the end included. */
function endOf(field: DecodedField): number {
  const { value } = field;
  if (value.kind === 'struct') return value.struct.offset + value.struct.bytes.length;
  if (value.kind === 'array')
    return value.elements.reduce((end, element) => Math.max(end, endOf(element)), 0);
  return value.kind === 'integer' ? field.offset + field.size : field.offset + value.bytes.length;
}

/** `end`: where the room ends that the struct and its tail may take. */
function decodeStruct(scope: Cursor, end: number, variable: number): DecodedStruct {
  const { layout, bytes, base, chosenOnly } = scope;
  const tail = tailOf(layout);
  const fields: DecodedField[] = [];
  // The event text writes such a struct from its bytes.
  const skip = chosenOnly && layout.form === 'integer';
  for (const field of skip ? [] : layout.fields) {
    const follows = field === tail.own && tail.nested !== undefined;
    const offset = base + field.offset + (follows ? variable : 0);
    let room = offset + field.size;
    if (field === tail.own) room = end;
    else if (field === tail.nested) room = tail.own === undefined ? end : room + variable;
    else if (layout.kind === 'union') room = base + layout.size;
    decodeField(scope, field, offset, Math.min(room, bytes.length), fields);
  }
  for (const { offset, size } of chosenOnly ? [] : holesOf(layout)) {
    const at = base + offset;
    if (at >= bytes.length) continue;
    const value = { kind: 'bytes', bytes: bytes.subarray(at, at + size) } as const;
    fields.push({ ...plain(`@${hexOf(offset)}`, at, size, 'bytes'), reserved: true, value });
  }
  let last = Math.min(bytes.length, base + layout.size);
  for (const field of fields) last = Math.max(last, endOf(field));
  return { layout, offset: base, bytes: bytes.subarray(base, last), fields, trailing: bytes.subarray(0, 0) };
}

type Plain = Omit<DecodedField, 'value'>;

function plain(name: string, offset: number, size: number, display: Display): Plain {
  return { name, offset, size, lsb: undefined, width: undefined, display, chosen: true, reserved: false };
}

function decodeField(scope: Cursor, field: Field, offset: number, end: number, into: DecodedField[]): void {
  const chosen = isChosen(scope, field);
  const head: Plain = {
    ...plain(field.name, offset, field.size, field.display),
    chosen,
    reserved: field.reserved,
  };
  if (field.name !== '' && (chosen || !scope.chosenOnly)) {
    const value =
      isMessage(scope.layout) && field.name === 'payload'
        ? decodePayload(scope, offset, end)
        : decodeType(scope, field.type, field.display, offset, end);
    const size = field.size > 0 ? field.size : Math.max(0, end - offset);
    into.push({ ...head, size, value });
  }
  for (const bit of field.bits) {
    const decoded = decodeBit(scope, head, field, bit);
    if (decoded.chosen || !scope.chosenOnly) into.push(decoded);
  }
}

function decodeBit(scope: Scope, head: Plain, field: Field, bit: BitField): DecodedField {
  const { bytes } = scope;
  const { name, lsb, width, display, reserved } = bit;
  // The bits of a carrier stand for it, unless the carrier's own condition or mark rules them out.
  const chosen = !bit.alternative && (field.name !== '' || head.chosen);
  const at: Plain = { name, offset: head.offset, size: field.size, lsb, width, display, chosen, reserved };
  if (head.offset + field.size > bytes.length) {
    return { ...at, value: { kind: 'partial', bytes: bytes.subarray(head.offset) } };
  }
  if (lsb + width <= 32) {
    const carrier = smallAt(bytes, head.offset, Math.min(4, field.size));
    const value = width === 32 ? carrier : (carrier >>> lsb) & ((1 << width) - 1);
    return { ...at, value: { kind: 'integer', value } };
  }
  const value = BigInt.asUintN(width, unsignedAt(bytes, head.offset, field.size) >> BigInt(lsb));
  return { ...at, value: { kind: 'integer', value: width <= 32 ? Number(value) : value } };
}

function decodeType(
  scope: Cursor,
  type: FieldType,
  display: Display,
  offset: number,
  end: number,
): DecodedValue {
  const { bytes } = scope;
  switch (type.kind) {
    case 'integer': {
      if (offset + type.bytes > bytes.length) return { kind: 'partial', bytes: bytes.subarray(offset) };
      if (type.bytes <= 4) {
        const small = smallAt(bytes, offset, type.bytes);
        return { kind: 'integer', value: type.signed ? small | 0 : small };
      }
      const value = unsignedAt(bytes, offset, type.bytes);
      return { kind: 'integer', value: type.signed ? BigInt.asIntN(64, value) : value };
    }
    case 'array':
      return decodeArray(scope, type, display, offset, end);
    default: {
      const layout = layoutOfType(type) as StructLayout;
      return {
        kind: 'struct',
        struct: decodeStruct(
          { layout, bytes, base: offset, outer: scope, chosenOnly: scope.chosenOnly },
          end,
          0,
        ),
      };
    }
  }
}

/** Whether an array is shown and written as a run of bytes. */
export function isByteRun(type: FieldType, display: Display): boolean {
  if (type.kind !== 'array') return false;
  return (
    display === 'bytes' || display === 'guid' || (type.element.kind === 'integer' && type.element.bytes === 1)
  );
}

export function strideOf(type: FieldType): number {
  switch (type.kind) {
    case 'integer':
      return type.bytes;
    case 'array':
      return (type.count ?? 0) * strideOf(type.element);
    default:
      return (layoutOfType(type) as StructLayout).size;
  }
}

/** An element with a list of its own takes all the room that there is: nothing says where it ends. */
export function mostElements(type: FieldType & { kind: 'array' }): number {
  const element = type.count === undefined ? layoutOfType(type.element) : undefined;
  return element !== undefined && hasTail(element) ? 1 : Number.POSITIVE_INFINITY;
}

function decodeArray(
  scope: Cursor,
  type: FieldType & { kind: 'array' },
  display: Display,
  offset: number,
  end: number,
): DecodedValue {
  const { bytes } = scope;
  const stride = strideOf(type.element);
  const room = Math.max(0, end - offset);
  if (display === 'message') return decodeSlot(scope, offset, end);
  if (isByteRun(type, display)) {
    const size = type.count === undefined ? room : Math.min(room, type.count * stride);
    return { kind: 'bytes', bytes: bytes.subarray(offset, offset + size) };
  }
  // A trailing array holds whole elements only; what is left over is `trailing`.
  const whole = Math.min(Math.floor(room / stride), mostElements(type));
  const count = type.count === undefined ? whole : Math.min(type.count, Math.ceil(room / stride));
  const takesRest = mostElements(type) === 1;
  const elements: DecodedField[] = [];
  for (let i = 0; i < count; i++) {
    const at = offset + i * stride;
    const value = decodeType(
      scope,
      type.element,
      display,
      at,
      takesRest ? end : Math.min(at + stride, bytes.length),
    );
    elements.push({ ...plain(String(i), at, stride, display), value });
  }
  return { kind: 'array', elements };
}

/** A message inside a byte array of another struct (HVCALL_POST_MESSAGE_DIRECT). */
function decodeSlot(scope: Cursor, offset: number, end: number): DecodedValue {
  const layout = structOf('hv_message');
  return {
    kind: 'struct',
    struct: decodeStruct(
      { layout, bytes: scope.bytes, base: offset, outer: scope, chosenOnly: scope.chosenOnly },
      end,
      0,
    ),
  };
}

/** The payload of a message as the struct of its type; bytes where the type has none. */
function decodePayload(scope: Cursor, offset: number, end: number): DecodedValue {
  const { bytes, base } = scope;
  const facts = payloadFacts(scope.layout, bytes, base);
  const payload = payloadStruct(facts, bytes, offset);
  if (payload === undefined || bytes.length < base + MESSAGE_HEADER_BYTES) {
    return { kind: 'bytes', bytes: bytes.subarray(offset, end) };
  }
  const layout = structOf(payload);
  const struct = decodeStruct(
    { layout, bytes, base: offset, outer: undefined, chosenOnly: scope.chosenOnly },
    Math.max(offset + layout.size, Math.min(offset + facts.size, end)),
    0,
  );
  const rest = bytes.subarray(Math.min(bytes.length, offset + struct.bytes.length), end);
  return { kind: 'struct', struct: { ...struct, trailing: rest } };
}
