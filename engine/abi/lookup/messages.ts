import { MESSAGE_TYPES } from '../data/messages.ts';
import type { MessageType, StructName } from '../ids.ts';
import { splitRow, tableLines } from '../text.ts';
import { type NamedRow, NameTable } from './name-table.ts';

export interface MessageTypeRow extends NamedRow {
  /** Undefined where no public source has the layout. */
  readonly payload: StructName | undefined;
}

/** Bytes before the payload of a message (TLFS, SynIC message format). */
export const MESSAGE_HEADER_BYTES = 16;
export const MESSAGE_BYTES = 256;

/** SynIC message types. */
export const messageTypes = new NameTable<MessageTypeRow, MessageType>(['HVMSG_'], () =>
  tableLines(MESSAGE_TYPES).map((line) => {
    const [value = '', name = '', payload = '-'] = splitRow(line).words;
    return { value: Number(value), name, payload: payload === '-' ? undefined : (payload as StructName) };
  }),
);
