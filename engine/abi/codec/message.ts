import { structOf } from '../layout/structs.ts';
import { MESSAGE_BYTES, messageTypes } from '../lookup/messages.ts';
import { hexOfBytes, parseUnsigned } from '../text.ts';
import { decode } from './decode.ts';
import type { DecodedStruct } from './decoded.ts';
import { fromObject } from './from-object.ts';
import { type AbiJson, type AbiObject, isObject, type ObjectResult } from './json.ts';
import { toObject } from './to-object.ts';

/** A whole message, its payload as the struct of its type (TLFS, SynIC message format). */
export function decodeMessage(bytes: Uint8Array): DecodedStruct {
  return decode('hv_message', bytes);
}

/** The payload of a message of that type; undefined where no public source has the layout. */
export function decodePayload(type: number, bytes: Uint8Array): DecodedStruct | undefined {
  const payload = messageTypes.find(type)?.payload;
  return payload === undefined ? undefined : decode(payload, bytes);
}

/** The event text's form of a payload alone; `{"bytes":"<hex>"}` where its layout is not known. */
export function payloadToObject(type: number, bytes: Uint8Array): AbiJson {
  const payload = messageTypes.find(type)?.payload;
  return payload === undefined ? { bytes: hexOfBytes(bytes) } : toObject(structOf(payload), bytes);
}

/** Reads the event text's form of a payload alone. */
export function payloadFromObject(type: number, json: unknown): ObjectResult {
  const payload = messageTypes.find(type)?.payload;
  if (payload !== undefined) return fromObject(structOf(payload), json);
  const message = 'has no known layout for this type: give {"bytes":"<hex>"}';
  const read = fromObject(structOf('hv_message'), json);
  const whole = isObject(json) && typeof json.bytes === 'string';
  return read.ok && whole ? read : { ok: false, error: { path: '', message, expected: ['bytes'] } };
}

/**
 * The event text's form of a filled slot: the members of the header, and `payload`. A slot has 256 bytes; a message
 * that is posted may be shorter, with a `length` that stands elsewhere.
 */
export function slotToObject(bytes: Uint8Array, length = MESSAGE_BYTES): AbiJson {
  return toObject(structOf('hv_message'), bytes, { length });
}

/** Reads a slot, or a message of a length that is known from elsewhere. */
export function slotFromObject(json: unknown, length = MESSAGE_BYTES): ObjectResult {
  return fromObject(structOf('hv_message'), json, { length });
}

/** A payload's size where the message does not say otherwise: that of its struct. */
function usualPayloadSize(type: number): number {
  const payload = messageTypes.find(type)?.payload;
  return payload === undefined ? 0 : structOf(payload).size;
}

function typeOf(json: unknown): number {
  if (typeof json === 'number') return json;
  return typeof json === 'string' ? (messageTypes.parse(json) ?? Number(parseUnsigned(json) ?? 0n)) : 0;
}

/**
 * What MSHV_RUN_VP returned, as the event text has it: `{"type","payload"}`, and of the header what is unusual.
 * The payload's size is usual when it is that of the type's struct.
 */
export function runMessageToObject(bytes: Uint8Array): AbiObject {
  const slot = slotToObject(bytes);
  if (!isObject(slot) || slot.message_type === undefined) return { bytes: hexOfBytes(bytes) };
  const { message_type, payload_size, payload, ...rest } = slot as AbiObject;
  const type = typeOf(message_type);
  const size = payload_size === usualPayloadSize(type) ? {} : { payload_size: payload_size ?? 0 };
  const { sender, ...others } = rest;
  const from = sender === undefined || sender === '0x0' ? {} : { sender };
  const hasLayout = messageTypes.find(type)?.payload !== undefined;
  const body = payload === undefined ? (hasLayout ? { payload: {} } : {}) : { payload };
  return { type: message_type ?? 0, ...size, ...from, ...others, ...body };
}

/** Reads the form of {@link runMessageToObject}: 256 bytes. */
export function runMessageFromObject(json: unknown): ObjectResult {
  if (!isObject(json) || !Object.hasOwn(json, 'type')) return slotFromObject(json);
  const { type, ...rest } = json;
  const read = slotFromObject({ payload_size: usualPayloadSize(typeOf(type)), ...rest, message_type: type });
  if (read.ok || read.error.path !== 'message_type') return read;
  return { ok: false, error: { ...read.error, path: 'type' } };
}
