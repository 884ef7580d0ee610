import type { EventKind } from '../../../engine/trace/event.ts';
import { EVENT_KINDS } from '../../../engine/trace/event.ts';
import { formatAddress, parseAddress, type TimeNs } from '../../../engine/trace/position.ts';
import type { ExpectedFinding, TraceHeader } from '../../../engine/trace/profile.ts';
import { describeProfile, parseProfile } from '../../../engine/trace/profile-read.ts';
import { type JsonObject, parseJson } from '../../../engine/trace/text/json.ts';

/** Keys of the table `meta`; values are text, JSON where it says so. */
export const META = {
  /** Version of the program that wrote the file. */
  tool: 'tool',
  /** Version of the engine that the journal and its hash belong to. */
  engine: 'engine',
  /** Wall clock at the start, ISO 8601, where it was recorded. */
  start: 'start',
  /** JSON: the profile as it was given, and what the trace is expected to show. */
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

export function writeHeader(header: TraceHeader): string {
  const findings = header.expect?.findings.map(({ rule, component, at }) => ({
    rule,
    component,
    ...(at === undefined ? {} : { at: formatAddress(at) }),
  }));
  return JSON.stringify({
    profile: header.given,
    ...(findings === undefined ? {} : { expect: { findings } }),
  });
}

/** The whole profile as JSON. */
export function writeProfile(header: TraceHeader): string {
  const keys = Object.entries(describeProfile(header.profile));
  return `{${keys.map(([key, json]) => `${JSON.stringify(key)}:${json}`).join(',')}}`;
}

/** Reads both back; undefined where they are not what {@link writeHeader} and {@link writeProfile} write. */
export function readHeader(header: string, profile: string): TraceHeader | undefined {
  const object = objectIn(header);
  const given = object?.profile;
  const whole = objectIn(profile);
  if (object === undefined || whole === undefined || !isObject(given)) return undefined;
  const read = parseProfile(whole);
  if ('problem' in read) return undefined;
  if (object.expect === undefined) return { profile: read.profile, given };
  const findings = readExpected(object.expect);
  return findings === undefined ? undefined : { profile: read.profile, given, expect: { findings } };
}

function readExpected(json: unknown): ExpectedFinding[] | undefined {
  const list = isObject(json) ? json.findings : undefined;
  if (!Array.isArray(list)) return undefined;
  const findings: ExpectedFinding[] = [];
  for (const item of list as unknown[]) {
    if (!isObject(item)) return undefined;
    const { rule, component, at } = item;
    if (typeof rule !== 'string' || typeof component !== 'string') return undefined;
    if (at === undefined) {
      findings.push({ rule, component });
      continue;
    }
    const address = typeof at === 'string' ? parseAddress(at) : undefined;
    if (address === undefined) return undefined;
    findings.push({ rule, component, at: address });
  }
  return findings;
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

function isObject(json: unknown): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
