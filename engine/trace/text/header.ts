import { formatAddress, parseAddress } from '../position.ts';
import type { ExpectedFinding, TraceHeader } from '../profile.ts';
import { readProfile } from '../profile-read.ts';
import { type Codec, TEXT } from './codec.ts';
import { placed, type TextProblem } from './event-line.ts';
import { type Json, type JsonObject, parseJson } from './json.ts';
import { expected, objectOf, Refusal } from './refusal.ts';
import { missing, readKey, readRows, refuseUnknownKey, rowsOf, writeRows } from './row.ts';

const ADDRESS: Codec<NonNullable<ExpectedFinding['at']>> = {
  read(json) {
    const address = typeof json === 'string' ? parseAddress(json) : undefined;
    if (address === undefined) throw expected('a position such as "812", "812.3" or "812r"', json);
    return address;
  },
  write: (value) => `"${formatAddress(value)}"`,
  schema: { type: 'string', pattern: '^[0-9]+(r|\\.[0-9]+)?$' },
};

const finding = rowsOf<ExpectedFinding>();
export const FINDING_ROWS = [
  finding.required('rule', TEXT),
  finding.required('component', TEXT),
  finding.optional('at', ADDRESS),
];

function readFinding(json: Json): ExpectedFinding {
  const object = objectOf(json);
  const target: Record<string, unknown> = {};
  if (readRows(FINDING_ROWS, object, target) !== Object.keys(object).length)
    refuseUnknownKey(
      object,
      FINDING_ROWS.map((row) => row.key),
    );
  return target as unknown as ExpectedFinding;
}

function readFindings(json: Json): readonly ExpectedFinding[] {
  if (!Array.isArray(json)) throw expected('a list of findings', json);
  return json.map((item: Json, index) => {
    try {
      return readFinding(item);
    } catch (error) {
      throw error instanceof Refusal ? error.below(index) : error;
    }
  });
}

function readExpect(json: Json): { readonly findings: readonly ExpectedFinding[] } {
  const object = objectOf(json);
  refuseUnknownKey(object, ['findings']);
  const findings = readKey(object, 'findings', readFindings);
  if (findings === undefined) throw missing('findings');
  return { findings };
}

/** What line 1 says. */
export interface HeaderLine {
  readonly header: TraceHeader;
  /** The state with which the trace starts, where it does not start with the machine: engine/replay/start-text.ts reads it. */
  readonly start?: JsonObject;
}

function readHeader(json: Json): HeaderLine {
  const object = objectOf(json);
  refuseUnknownKey(object, ['profile', 'expect', 'start']);
  const profile = readKey(object, 'profile', readProfile);
  if (profile === undefined) throw missing('profile');
  const given = object.profile as JsonObject;
  const expect = readKey(object, 'expect', readExpect);
  const start = readKey(object, 'start', objectOf);
  return {
    header: expect === undefined ? { profile, given } : { profile, given, expect },
    ...(start === undefined ? {} : { start }),
  };
}

/** Reads line 1 of the event text: the profile, and what a sample is expected to show. */
export function parseHeader(text: string): HeaderLine | { readonly problem: TextProblem } {
  const read = parseJson(text);
  if ('problem' in read) return { problem: { line: 1, ...read.problem } };
  try {
    return readHeader(read.value);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { problem: placed(text, 1, error) };
  }
}

/** Line 1, with the profile as it was given; `start`, JSON text, is the state with which the trace starts. */
export function formatHeader(header: TraceHeader, start?: string): string {
  const findings = header.expect?.findings.map(
    (item) => `{${writeRows(FINDING_ROWS, item as unknown as Record<string, unknown>).slice(1)}}`,
  );
  const expect = findings === undefined ? '' : `,"expect":{"findings":[${findings.join(',')}]}`;
  return `{"profile":${JSON.stringify(header.given)}${expect}${start === undefined ? '' : `,"start":${start}`}}`;
}
