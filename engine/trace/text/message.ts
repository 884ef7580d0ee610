import { slotFromObject, slotToObject, structOf } from '../../abi/index.ts';
import { DROP_REASONS, MESSAGE_WHATS, type MessageEvent } from '../event.ts';
import { bytesOf, readStruct } from './abi-object.ts';
import { type Codec, oneOf, U32 } from './codec.ts';
import type { KindText } from './kind.ts';
import { rowsOf } from './row.ts';

/** The message flags: a number, or an object of their names. */
const FLAGS: Codec<number> = {
  read(json) {
    if (json === null || typeof json !== 'object') return U32.read(json);
    return readStruct(structOf('hv_message_flags'), json)[0] ?? 0;
  },
  write: U32.write,
  schema: { anyOf: [U32.schema, { type: 'object' }] },
};

/** Header and payload of a slot (TLFS, SynIC message format). */
const SLOT: Codec<Uint8Array> = {
  read: (json) => bytesOf(slotFromObject(json)),
  write: (value) => JSON.stringify(slotToObject(value)),
  schema: {
    type: 'object',
    description: 'message_type, payload_size, message_flags, sender, payload; or bytes',
  },
};

const message = rowsOf<MessageEvent>();
export const MESSAGE_TEXT: KindText = {
  kind: 'message',
  lead: [message.required('what', oneOf(MESSAGE_WHATS))],
  rows: [
    message.defaulted('sint', U32, 0),
    message.optional('slot', SLOT),
    message.optional('flags', FLAGS),
    message.optional('reason', oneOf(DROP_REASONS)),
    message.optional('flag', U32),
    message.optional('vector', U32),
  ],
  tail: [],
};
