import type { StructLayout } from '../layout/layout.ts';
import { structOf } from '../layout/structs.ts';
import { MESSAGE_BYTES, MESSAGE_HEADER_BYTES, messageTypes } from '../lookup/messages.ts';
import { CHANNEL_HEADER, channelMessages, VMBUS_MESSAGE_TYPE } from '../lookup/vmbus.ts';
import { ByteWriter } from './byte-writer.ts';
import { integerFromJson } from './integer-read.ts';
import { isObject, type JsonObject, memberPath } from './json.ts';
import { channelStruct } from './payload.ts';
import { agreement, type Outcome, problem, type Room, readHex } from './read-leaf.ts';

/** Where a header has type and payload size, by the form of the message. */
const HEADERS = {
  message: { type: 0, size: 4, sizeBytes: 1 },
  posted: { type: 8, size: 12, sizeBytes: 4 },
} as const;

/** Reads an object of a struct (read-struct.ts, which reads messages with this file). */
export type StructReader = (
  writer: ByteWriter,
  layout: StructLayout,
  json: unknown,
  room: Room,
  path: string,
) => Outcome;

const U32 = { bits: 32, signed: false } as const;

/**
 * Reads the payload of a message whose other members have been read: hex digits, an object of the payload of its
 * type, or a channel message, `{"vmbus":"CHANNELMSG_…",…}`, which gives type and size where they are not given.
 * A posted message is made as long as it says that it is.
 */
export function readMessagePayload(
  readStruct: StructReader,
  writer: ByteWriter,
  layout: StructLayout,
  message: JsonObject,
  base: number,
  path: string,
): Outcome {
  const error = readAny(readStruct, writer, layout, message, base, path);
  const size = integerFromJson(message.payload_size ?? 0, 'dec', U32);
  if (error === undefined && layout.form === 'posted' && typeof size === 'bigint') {
    const room = MESSAGE_BYTES - MESSAGE_HEADER_BYTES;
    writer.extend(base + MESSAGE_HEADER_BYTES + Math.min(Number(size), room));
  }
  return error;
}

function readAny(
  readStruct: StructReader,
  writer: ByteWriter,
  layout: StructLayout,
  message: JsonObject,
  base: number,
  path: string,
): Outcome {
  const { payload } = message;
  const room = { base: base + MESSAGE_HEADER_BYTES, end: base + MESSAGE_BYTES };
  if (payload === undefined) return undefined;
  if (typeof payload === 'string') return readHex(writer, payload, room, path);
  if (isObject(payload) && Object.hasOwn(payload, 'vmbus')) {
    return readChannelMessage(
      readStruct,
      writer,
      HEADERS[layout.form === 'posted' ? 'posted' : 'message'],
      message,
      base,
      path,
    );
  }
  const number = integerFromJson(message.message_type ?? 0, '@messageTypes', U32);
  const name = typeof number === 'bigint' ? messageTypes.find(Number(number))?.payload : undefined;
  if (name !== undefined) return readStruct(writer, structOf(name), payload, room, path);
  const isChannel = number === BigInt(VMBUS_MESSAGE_TYPE);
  const form = isChannel ? 'names no channel message' : 'has no known layout for this type';
  return problem(
    path,
    `${form}: give ${isChannel ? '"vmbus", or ' : ''}hex digits`,
    isChannel ? ['vmbus'] : [],
  );
}

function readChannelMessage(
  readStruct: StructReader,
  writer: ByteWriter,
  header: (typeof HEADERS)[keyof typeof HEADERS],
  { message_type: type, payload_size: size, payload }: JsonObject,
  base: number,
  path: string,
): Outcome {
  const object = payload as JsonObject;
  const channel = integerFromJson(object.vmbus, '@vmbusMessages', U32);
  if (typeof channel !== 'bigint')
    return problem(memberPath(path, 'vmbus'), channel.message, channel.expected);
  if (type === undefined) writer.put(base + header.type, 4, 0, 32, BigInt(VMBUS_MESSAGE_TYPE));
  else if (integerFromJson(type, '@messageTypes', U32) !== BigInt(VMBUS_MESSAGE_TYPE)) {
    return problem(path, 'is a channel message, which is of message type 1');
  }
  const given = size === undefined ? undefined : integerFromJson(size, 'dec', U32);
  const layout = structOf(
    typeof given === 'bigint'
      ? (channelStruct(Number(channel), Number(given)) ?? CHANNEL_HEADER)
      : structWith(Number(channel), object),
  );
  // Apart, because a list at its end goes where the buffer ends, and a slot is longer than what it holds.
  const apart = new ByteWriter();
  const room = { base: 0, end: MESSAGE_BYTES - MESSAGE_HEADER_BYTES };
  const error = readStruct(apart, layout, object, room, path);
  if (error !== undefined) return error;
  if (given === undefined) {
    writer.put(base + header.size, header.sizeBytes, 0, 8 * header.sizeBytes, BigInt(apart.length));
  }
  return agreement(writer.include(base + MESSAGE_HEADER_BYTES, apart), path);
}

/** Without a size: the shortest struct that has every member that is given, else the shortest. */
function structWith(channel: number, object: JsonObject): string {
  const structs = channelMessages.find(channel)?.structs ?? [];
  const names = Object.keys(object).filter((name) => name !== 'bytes');
  const fits = structs.find((struct) => {
    const members = new Set(
      structOf(struct).fields.flatMap((f) => [f.name, ...f.bits.map((bit) => bit.name)]),
    );
    return names.every((name) => members.has(name));
  });
  return fits ?? structs[0] ?? CHANNEL_HEADER;
}
