import { constantNumber, fieldOf, messageTypes, readU32, readU64, writeField } from '../../abi/index.ts';

const MESSAGE_BYTES = constantNumber('HV_MESSAGE_SIZE');
const MAX_PAYLOAD = constantNumber('HV_MESSAGE_PAYLOAD_BYTE_COUNT');
const HEADER_BYTES = 16;
const TYPE = fieldOf('hv_message', 'header.message_type');
const SIZE = fieldOf('hv_message', 'header.payload_size');
const SENDER = fieldOf('hv_message', 'header.sender');

const OPAQUE_INTERCEPT = messageTypes.number('HVMSG_OPAQUE_INTERCEPT');
const OPAQUE = { bytes: 4, vp: fieldOf('hv_opaque_intercept_message', 'vp_index') };

/** A message (struct hv_message, Linux 7.2 include/hyperv) as far as its payload goes; the sender is a partition. */
export function messageOf(type: number, sender: bigint, payload: Uint8Array): Uint8Array {
  const content = payload.length > MAX_PAYLOAD ? payload.subarray(0, MAX_PAYLOAD) : payload;
  const bytes = new Uint8Array(HEADER_BYTES + content.length);
  writeField(bytes, TYPE, type);
  writeField(bytes, SIZE, content.length);
  writeField(bytes, SENDER, sender);
  bytes.set(content, HEADER_BYTES);
  return bytes;
}

/** The whole 256 bytes that a message takes. */
export function paddedMessage(message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(MESSAGE_BYTES);
  bytes.set(message.length > MESSAGE_BYTES ? message.subarray(0, MESSAGE_BYTES) : message);
  return bytes;
}

/** Tells that a VP has stopped: its own message is on the VP's intercept page. */
export function opaqueIntercept(partition: bigint, vp: number): Uint8Array {
  const payload = new Uint8Array(OPAQUE.bytes);
  writeField(payload, OPAQUE.vp, vp);
  return messageOf(OPAQUE_INTERCEPT, partition, payload);
}

/** The type of a message alone: most are looked at by many who want another one. */
export function messageType(bytes: Uint8Array): number {
  return readU32(bytes, TYPE);
}

/** Type, sender and payload of a message; the payload is not copied. */
export function readMessage(bytes: Uint8Array): {
  readonly type: number;
  readonly sender: bigint;
  readonly payload: Uint8Array;
} {
  const end = HEADER_BYTES + Math.min(readU32(bytes, SIZE), MAX_PAYLOAD);
  return {
    type: messageType(bytes),
    sender: readU64(bytes, SENDER),
    payload: (bytes.length < end ? paddedMessage(bytes) : bytes).subarray(HEADER_BYTES, end),
  };
}
