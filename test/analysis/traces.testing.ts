/** Traces to compare and to make smaller. */
import type { EventSource } from '../../engine/replay/source.ts';
import type { TraceEvent } from '../../engine/trace/event.ts';
import {
  EventLineReader,
  formatEvent,
  formatHeader,
  parseHeader,
  textContext,
} from '../../engine/trace/text/index.ts';
import { played, type Recording, sourceOf } from '../mutation/corpus.ts';

export function whole(recording: Recording): EventSource {
  return sourceOf(recording, recording.events);
}

/** What the engine records of a scenario: a profile, and events as objects of the event text. */
export function record(profile: object, stimuli: readonly object[]): Recording {
  const read = parseHeader(JSON.stringify({ profile }));
  if ('problem' in read) throw new Error(read.problem.message);
  return played(
    'test',
    read.header,
    stimuli.map((each) => JSON.stringify(each)),
  );
}

/** The lines of a recording. */
export function linesOf({ header, events }: Recording): string[] {
  const context = textContext(header.profile);
  return [formatHeader(header), ...events.map((event: TraceEvent) => formatEvent(event, context))];
}

const IDS = 7n;

/** The same machine seen elsewhere: other partition ids, processes, threads, descriptors, frames of the kernel's pages and times. */
export function renamed(recording: Recording): Recording {
  const { header, events } = recording;
  const [, ...lines] = linesOf(recording);
  const reader = new EventLineReader(header.profile);
  const others = lines.map((line) => {
    const next = reader.next(JSON.stringify(translated(JSON.parse(line), '')));
    if ('problem' in next) throw new Error(`${next.problem.message}: ${line}`);
    return next.event;
  });
  return {
    ...recording,
    events: others.map((event, i) => ({ ...event, provenance: (events[i] as TraceEvent).provenance })),
  };
}

function translated(value: unknown, key: string): unknown {
  if (Array.isArray(value)) return value.map((each) => translated(each, key));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, translated(each, name)]));
  if (key === 'pid' || key === 'tid') return Number(value) + 1000;
  if (key === 'handle' && typeof value === 'string')
    return value.replace(/^(partition|vp):(\d+)/, (_, kind, id) => `${kind}:${BigInt(id) + IDS}`);
  if (key === 'vp' && typeof value === 'string')
    return value.replace(/^(\d+)/, (id) => `${BigInt(id) + IDS}`);
  const isId = key === 'partition' || (key.endsWith('partition_id') && key !== 'parent_partition_id');
  if (isId && value !== '?') return otherId(String(value));
  return value;
}

/** 0 and all bits set are no ids. */
function otherId(text: string): string {
  const id = BigInt(text);
  return id === 0n || id === 0xffff_ffff_ffff_ffffn ? text : `0x${(id + IDS).toString(16)}`;
}
