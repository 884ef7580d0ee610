import type { Field, FieldType, StructLayout } from '../layout/layout.ts';
import { layoutOfType, structOf } from '../layout/structs.ts';
import { tailOf } from '../layout/tail.ts';
import type { Display } from '../lookup/bit-fields.ts';
import { MESSAGE_HEADER_BYTES } from '../lookup/messages.ts';
import type { ByteWriter } from './byte-writer.ts';
import { isByteRun, mostElements, strideOf } from './decode.ts';
import { integerFromJson } from './integer-read.ts';
import { isObject, type JsonObject, memberPath } from './json.ts';
import { expandPages, MAX_ELEMENTS } from './page-list.ts';
import { isMessage } from './payload.ts';
import { type Outcome, problem, type Room, readGuid, readHex, readInteger } from './read-leaf.ts';
import { readMessagePayload } from './read-payload.ts';

/** Reads an object of a struct's members, or what else may stand for it. */
export function readStruct(
  writer: ByteWriter,
  layout: StructLayout,
  json: unknown,
  room: Room,
  path: string,
): Outcome {
  writer.extend(room.base + (layout.form === 'posted' ? MESSAGE_HEADER_BYTES : layout.size));
  if (!isObject(json)) return readRaw(writer, layout, json, room.base, path);
  if (typeof json.bytes === 'string') {
    const place = memberPath(path, 'bytes');
    if (Object.keys(json).length > 1)
      return problem(place, 'stands alone as a string; beside members it is by offset');
    return readHex(writer, json.bytes, { base: room.base, end: room.base + layout.size }, place);
  }
  if (isMessage(layout)) return readMessage(writer, layout, json, room, path);
  return (
    refuseOthers(json, layout, ['bytes'], path) ??
    readMembers(writer, layout, json, room, path) ??
    readPatches(writer, json.bytes, room, memberPath(path, 'bytes'))
  );
}

const names = new Map<StructLayout, ReadonlySet<string>>();

/** The names that an object of this struct may have. */
function memberNames(layout: StructLayout): ReadonlySet<string> {
  let known = names.get(layout);
  if (known === undefined) {
    const all = layout.fields.flatMap((field) => [field.name, ...field.bits.map((bit) => bit.name)]);
    known = new Set(all.filter((name) => name !== ''));
    names.set(layout, known);
  }
  return known;
}

function refuseOthers(
  json: JsonObject,
  layout: StructLayout,
  more: readonly string[],
  path: string,
): Outcome {
  const known = memberNames(layout);
  for (const name of Object.keys(json)) {
    if (known.has(name) || more.includes(name)) continue;
    return problem(memberPath(path, name), 'is not a member', [...new Set([...known, ...more])]);
  }
  return undefined;
}

/** Reads the members that the object gives, in the order of the layout. */
function readMembers(
  writer: ByteWriter,
  layout: StructLayout,
  json: JsonObject,
  room: Room,
  path: string,
): Outcome {
  for (const field of layout.fields) {
    if (field.name !== '' && Object.hasOwn(json, field.name)) {
      const place = memberPath(path, field.name);
      const error = readValue(
        writer,
        field.type,
        field.display,
        json[field.name],
        roomOf(writer, layout, field, room),
        place,
      );
      if (error !== undefined) return error;
    }
    for (const bit of field.bits) {
      if (!Object.hasOwn(json, bit.name)) continue;
      const at = { offset: room.base + field.offset, size: field.size, lsb: bit.lsb };
      const range = { bits: bit.width, signed: false };
      const error = readInteger(writer, json[bit.name], bit.display, range, at, memberPath(path, bit.name));
      if (error !== undefined) return error;
    }
  }
  return undefined;
}

function roomOf(writer: ByteWriter, layout: StructLayout, field: Field, room: Room): Room {
  const tail = tailOf(layout);
  // A trailing array follows whatever the variable header before it came to.
  if (field === tail.own) return { base: writer.length, end: room.end };
  const base = room.base + field.offset;
  if (field === tail.nested) return { base, end: room.end };
  return { base, end: layout.kind === 'union' ? room.base + layout.size : base + field.size };
}

function readValue(
  writer: ByteWriter,
  type: FieldType,
  display: Display,
  json: unknown,
  room: Room,
  path: string,
): Outcome {
  if (type.kind === 'array') return readArray(writer, type, display, json, room, path);
  if (type.kind === 'integer') {
    const range = { bits: 8 * type.bytes, signed: type.signed };
    return readInteger(writer, json, display, range, { offset: room.base, size: type.bytes, lsb: 0 }, path);
  }
  return readStruct(writer, layoutOfType(type) as StructLayout, json, room, path);
}

function readArray(
  writer: ByteWriter,
  type: FieldType & { kind: 'array' },
  display: Display,
  json: unknown,
  room: Room,
  path: string,
): Outcome {
  const stride = strideOf(type.element);
  const end = type.count === undefined ? room.end : room.base + type.count * stride;
  if (display === 'message') return readStruct(writer, structOf('hv_message'), json, room, path);
  if (display === 'guid') return readGuid(writer, json, { base: room.base, end }, path);
  if (isByteRun(type, display)) return readHex(writer, json, { base: room.base, end }, path);
  if (!Array.isArray(json)) return problem(path, 'is not a list');
  const list = display === 'pfn' ? expandPages(json, path) : json;
  if ('message' in list) return list;
  const most = Math.min(MAX_ELEMENTS, mostElements(type), Math.floor((end - room.base) / stride));
  if (list.length > most) return problem(path, `has more than ${most} elements`);
  const takesRest = mostElements(type) === 1;
  for (let i = 0; i < list.length; i++) {
    const base = room.base + i * stride;
    const error = readValue(
      writer,
      type.element,
      display,
      list[i],
      { base, end: takesRest ? end : base + stride },
      `${path}[${i}]`,
    );
    if (error !== undefined) return error;
  }
  return undefined;
}

/** An integer in the place of a struct: the value of its raw carrier. */
function readRaw(
  writer: ByteWriter,
  layout: StructLayout,
  json: unknown,
  base: number,
  path: string,
): Outcome {
  const hasCarrier = layout.size <= 8 && layout.fields.some((f) => f.alternative && f.size === layout.size);
  if (layout.form !== 'integer' && !hasCarrier) {
    return problem(path, 'is not an object of its members', [...memberNames(layout)]);
  }
  const range = { bits: 8 * layout.size, signed: false };
  return readInteger(writer, json, 'hex', range, { offset: base, size: layout.size, lsb: 0 }, path);
}

/** `"bytes":{"0x14":"<hex>"}` beside members. */
function readPatches(writer: ByteWriter, json: unknown, room: Room, path: string): Outcome {
  if (json === undefined) return undefined;
  if (!isObject(json)) return problem(path, 'is neither hex digits nor an object of offsets');
  for (const [key, text] of Object.entries(json)) {
    const place = memberPath(path, key);
    const offset = integerFromJson(key, 'dec', { bits: 32, signed: false });
    if (typeof offset !== 'bigint' || offset > BigInt(MAX_ELEMENTS)) {
      return problem(place, `is not an offset up to ${MAX_ELEMENTS}`);
    }
    const error = readHex(writer, text, { base: room.base + Number(offset), end: room.end }, place);
    if (error !== undefined) return error;
  }
  return undefined;
}

/** A SynIC message: the members of its header, and a payload that its type decides on. */
function readMessage(
  writer: ByteWriter,
  layout: StructLayout,
  json: JsonObject,
  { base, end }: Room,
  path: string,
): Outcome {
  const header = headerOf(layout);
  const { bytes, payload, ...members } = json;
  return (
    refuseOthers(json, header, ['payload', 'bytes'], path) ??
    readMembers(writer, header, members, { base, end }, path) ??
    readMessagePayload(
      readStruct,
      writer,
      layout,
      { ...members, payload },
      base,
      memberPath(path, 'payload'),
    ) ??
    readPatches(writer, bytes, { base, end }, memberPath(path, 'bytes'))
  );
}

/** The RFC of 2020 has the header's members in the message itself. */
function headerOf(layout: StructLayout): StructLayout {
  const field = layout.fields.find(({ name }) => name === 'header');
  return field === undefined ? layout : (layoutOfType(field.type) as StructLayout);
}
