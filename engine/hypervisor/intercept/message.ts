import { constantNumber, messageTypes } from '../../abi/index.ts';

const MESSAGE_BYTES = constantNumber('HV_MESSAGE_SIZE');
const MAX_PAYLOAD = constantNumber('HV_MESSAGE_PAYLOAD_BYTE_COUNT');
const HEADER_BYTES = 16;
const SIZE_AT = 4;
const SENDER_AT = 8;

const OPAQUE_INTERCEPT = messageTypes.number('HVMSG_OPAQUE_INTERCEPT');

/** A message (struct hv_message, Linux 7.2 include/hyperv) as far as its payload goes; the sender is a partition. */
export function messageOf(type: number, sender: bigint, payload: Uint8Array): Uint8Array {
  const content = payload.subarray(0, MAX_PAYLOAD);
  const bytes = new Uint8Array(HEADER_BYTES + content.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint8(SIZE_AT, content.length);
  view.setBigUint64(SENDER_AT, sender, true);
  bytes.set(content, HEADER_BYTES);
  return bytes;
}

/** The whole 256 bytes that a message takes. */
export function paddedMessage(message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(MESSAGE_BYTES);
  bytes.set(message.subarray(0, MESSAGE_BYTES));
  return bytes;
}

/** Tells that a VP has stopped: its own message is on the VP's intercept page. */
export function opaqueIntercept(partition: bigint, vp: number): Uint8Array {
  const payload = new Uint8Array(4);
  new DataView(payload.buffer).setUint32(0, vp, true);
  return messageOf(OPAQUE_INTERCEPT, partition, payload);
}

/** Type, sender and payload of a message; the payload is not copied. */
export function readMessage(bytes: Uint8Array): {
  readonly type: number;
  readonly sender: bigint;
  readonly payload: Uint8Array;
} {
  const message = bytes.length < HEADER_BYTES ? paddedMessage(bytes) : bytes;
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  const end = HEADER_BYTES + Math.min(view.getUint8(SIZE_AT), MAX_PAYLOAD);
  return {
    type: view.getUint32(0, true),
    sender: view.getBigUint64(SENDER_AT, true),
    payload: (message.length < end ? paddedMessage(message) : message).subarray(HEADER_BYTES, end),
  };
}
