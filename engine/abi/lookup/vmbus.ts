import { VMBUS_MESSAGES } from '../data/vmbus.ts';
import type { StructName } from '../ids.ts';
import { splitRow, tableLines } from '../text.ts';
import { type NamedRow, NameTable } from './name-table.ts';

/** Type of the SynIC messages that carry a channel message (Linux 7.2 drivers/hv/connection.c, vmbus_post_msg). */
export const VMBUS_MESSAGE_TYPE = 1;

/** What stands at the beginning of every channel message; all that is known of one without a row. */
export const CHANNEL_HEADER = 'vmbus_channel_message_header' as StructName;

export interface ChannelMessageRow extends NamedRow {
  readonly sender: 'guest' | 'host';
  /** The struct of the message and those of later protocols, the shortest first. */
  readonly structs: readonly StructName[];
  readonly note: string;
}

/** Channel messages of VMBus by their type. */
export const channelMessages = new NameTable<ChannelMessageRow>(['CHANNELMSG_'], () =>
  tableLines(VMBUS_MESSAGES).map((line) => {
    const { words, note } = splitRow(line);
    const [value = '', name = '', sender, ...structs] = words;
    return {
      value: Number(value),
      name,
      sender: sender as ChannelMessageRow['sender'],
      structs: structs as StructName[],
      note,
    };
  }),
);
