/** Replays a packed trace. Pure: the same file runs in Node and in a page. */

import { replay } from '../../engine/replay/replay.ts';
import { memorySource } from '../../engine/replay/source.ts';
import type { TraceEvent } from '../../engine/trace/event.ts';
import { Unpacker } from '../../engine/trace/packed/stream.ts';
import type { TraceHeader } from '../../engine/trace/profile.ts';
import { parseHeader } from '../../engine/trace/text/index.ts';
import { SIDES } from '../../main/cli/sides.ts';

/** What the replay of one trace comes to. */
export interface PageReplay {
  readonly events: number;
  readonly divergences: number;
  readonly hash: string;
}

/** Unpacks (../../engine/trace/packed) and replays; throws for bytes that are no packed trace. */
export function replayPacked(bytes: ArrayLike<number>): PageReplay {
  const events: TraceEvent[] = [];
  let header: TraceHeader | undefined;
  for (const item of new Unpacker().push(Uint8Array.from(bytes))) {
    if ('problem' in item) throw new Error(item.problem);
    if ('events' in item) events.push(...item.events);
    else {
      const read = parseHeader(item.header.header);
      if (!('header' in read)) throw new Error(read.problem.message);
      header = read.header;
    }
  }
  if (header === undefined) throw new Error('no header');
  const { divergences, hash } = replay(memorySource(header, events), SIDES);
  return { events: events.length, divergences: divergences.length, hash };
}
