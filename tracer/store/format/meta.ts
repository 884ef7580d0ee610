import type { EventKind } from '../../../engine/trace/event.ts';
import { EVENT_KINDS } from '../../../engine/trace/event.ts';
import { isCount, type TimeNs } from '../../../engine/trace/position.ts';
import type { TraceHeader } from '../../../engine/trace/profile.ts';
import { describeProfile, parseProfile } from '../../../engine/trace/profile-read.ts';
import { parseHeader } from '../../../engine/trace/text/header.ts';
import { isObject, type JsonObject, parseJson } from '../../../engine/trace/text/json.ts';

/** Keys of the table `meta`; values are text, JSON where it says so. */
export const META = {
  /** Version of the program that wrote the file. */
  tool: 'tool',
  /** Version of the engine that the journal and its hash belong to. */
  engine: 'engine',
  /** Wall clock at the start, ISO 8601, where it was recorded. */
  start: 'start',
  /** Line 1 of the event text: the profile as it was given, and what the trace is expected to show. */
  header: 'header',
  /** JSON: every parameter of the profile, so that a change of a default never changes an old trace. */
  profile: 'profile',
  /** JSON: how it was captured. */
  capture: 'capture',
  /** `recording`, then `complete`. */
  state: 'state',
  /** JSON: {@link TraceCounts} up to the last commit. */
  counts: 'counts',
  /** Hash of the whole journal, 16 hex digits. */
  hash: 'hash',
  /** JSON: the calls under way at the first checkpoint, with which the trace starts (a flight recorder's). */
  origin: 'origin',
} as const;

/** How many events there are. */
export interface TraceCounts {
  readonly events: number;
  readonly kinds: { readonly [K in EventKind]?: KindCount };
  /** The latest time of entry or return. */
  readonly end: TimeNs;
}

export interface KindCount {
  readonly count: number;
  /** Of these, how many were caused by another event. */
  readonly children: number;
}

/** The whole profile as JSON. */
export function writeProfile(header: TraceHeader): string {
  const keys = Object.entries(describeProfile(header.profile));
  return `{${keys.map(([key, json]) => `${JSON.stringify(key)}:${json}`).join(',')}}`;
}

/** Reads the header back, with the whole profile; undefined where either text is damaged. */
export function readHeader(line: string, profile: string): TraceHeader | undefined {
  const read = parseHeader(line);
  const whole = objectIn(profile);
  if ('problem' in read || whole === undefined) return undefined;
  const found = parseProfile(whole);
  return 'problem' in found ? undefined : { ...read.header, profile: found.profile };
}

/** Undefined where the text is not what a writer puts there. */
export function readCounts(text: string): TraceCounts | undefined {
  const object = objectIn(text);
  if (object === undefined || !isCount(object.events) || !isCount(object.end)) return undefined;
  const kinds = object.kinds;
  if (!isObject(kinds)) return undefined;
  for (const [kind, count] of Object.entries(kinds)) {
    if (!(EVENT_KINDS as readonly string[]).includes(kind) || !isObject(count)) return undefined;
    if (!isCount(count.count) || !isCount(count.children)) return undefined;
  }
  return object as unknown as TraceCounts;
}

function objectIn(text: string): JsonObject | undefined {
  const read = parseJson(text);
  return 'value' in read && isObject(read.value) ? read.value : undefined;
}
