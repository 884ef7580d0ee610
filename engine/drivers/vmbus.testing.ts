import { channelMessages, channelType } from '../abi/index.ts';
import type { TraceEvent } from '../trace/event.ts';

/** The channel message in an event, without its prefix. */
function messageIn(event: TraceEvent): string | undefined {
  const bytes = event.kind === 'hypercall' ? event.input : event.kind === 'message' ? event.slot : undefined;
  const type = bytes === undefined ? undefined : channelType(bytes.subarray(16));
  return type === undefined ? undefined : channelMessages.find(type)?.name.replace('CHANNELMSG_', '');
}

/** Posts and deliveries in order: `> UNLOAD` from the guest, `< UNLOAD_RESPONSE` from the host. */
export function talk(events: readonly TraceEvent[]): string[] {
  return events.flatMap((event) => {
    const name = messageIn(event);
    if (name === undefined || (event.kind === 'message' && event.what !== 'deliver')) return [];
    return [`${event.kind === 'hypercall' ? '>' : '<'} ${name}`];
  });
}
