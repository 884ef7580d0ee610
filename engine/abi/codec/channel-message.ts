import { fieldOf, readU32, writeField } from '../layout/field.ts';
import { sizeOfStruct } from '../layout/structs.ts';
import { CHANNEL_HEADER, channelMessages } from '../lookup/vmbus.ts';
import { channelStruct } from './payload.ts';

const TYPE = fieldOf(CHANNEL_HEADER, 'vmbus');

/** A channel message by its name, in its first struct or the one given: its type, and zeros. */
export function channelMessage(name: string, struct?: string): Uint8Array {
  const type = channelMessages.number(name);
  const bytes = new Uint8Array(sizeOfStruct(struct ?? channelStruct(type, 0) ?? CHANNEL_HEADER));
  writeField(bytes, TYPE, type);
  return bytes;
}

/** The type of the channel message in a payload; undefined where it is too short to have one. */
export function channelType(payload: Uint8Array): number | undefined {
  return payload.length < TYPE.size ? undefined : readU32(payload, TYPE);
}
