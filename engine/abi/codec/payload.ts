import type { StructName } from '../ids.ts';
import type { StructLayout } from '../layout/layout.ts';
import { sizeOfStruct } from '../layout/structs.ts';
import { messageTypes } from '../lookup/messages.ts';
import { channelMessages, VMBUS_MESSAGE_TYPE } from '../lookup/vmbus.ts';
import { smallAt } from './scope.ts';

/** What a message says of its payload. */
export interface PayloadFacts {
  readonly type: number;
  readonly size: number;
}

/** Whether a struct is a header and a payload that the header's type decides on. */
export function isMessage(layout: StructLayout): boolean {
  return layout.form === 'message' || layout.form === 'posted';
}

/** Type and payload size: of a message u32 at 0 and u8 at 4, of a posted one u32 at 8 and u32 at 12 (TLFS). */
export function payloadFacts(layout: StructLayout, bytes: Uint8Array, base: number): PayloadFacts {
  if (layout.form === 'posted')
    return { type: smallAt(bytes, base + 8, 4), size: smallAt(bytes, base + 12, 4) };
  return { type: smallAt(bytes, base, 4), size: smallAt(bytes, base + 4, 1) };
}

/** The struct of a payload; undefined where no public source has its layout. */
export function payloadStruct(
  { type, size }: PayloadFacts,
  bytes: Uint8Array,
  offset: number,
): StructName | undefined {
  if (type !== VMBUS_MESSAGE_TYPE) return messageTypes.find(type)?.payload;
  return channelStruct(smallAt(bytes, offset, 4), size);
}

/** The struct of a channel message: the longest that a payload of that size holds, else its shortest. */
export function channelStruct(type: number, size: number): StructName | undefined {
  const structs = channelMessages.find(type)?.structs ?? [];
  return structs.findLast((struct) => sizeOfStruct(struct) <= size) ?? structs[0];
}
