import { EVENT_KINDS, type EventKind } from '../event.ts';
import { PROFILE_SCHEMA } from '../profile-keys.ts';
import { COUNT, TEXT, TIME } from '../text/codec.ts';
import { ACTOR_ROWS, PROVENANCE } from '../text/event-line.ts';
import { FINDING_ROWS } from '../text/header.ts';
import { KINDS } from '../text/kinds.ts';
import type { Row } from '../text/row.ts';
import type { JsonSchema } from './json-schema.ts';

function propertiesOf(rows: readonly Row[]): Record<string, JsonSchema> {
  return Object.fromEntries(rows.map((row) => [row.key, row.codec.schema]));
}

/** Line 1: the profile, what a sample is expected to show, and the state with which a flight recorder's trace starts. */
export const HEADER_SCHEMA: JsonSchema = {
  title: 'Line 1 of the event text',
  type: 'object',
  properties: {
    profile: PROFILE_SCHEMA,
    expect: {
      type: 'object',
      properties: {
        findings: {
          type: 'array',
          items: {
            type: 'object',
            properties: propertiesOf(FINDING_ROWS),
            required: FINDING_ROWS.filter((row) => row.required).map((row) => row.key),
            additionalProperties: false,
          },
        },
      },
      required: ['findings'],
      additionalProperties: false,
    },
    start: {
      type: 'object',
      properties: {
        version: { const: 1 },
        ...Object.fromEntries(
          ['calls', 'objects', 'unknown', 'bytes', 'components'].map((key) => [key, { type: 'array' }]),
        ),
        journal: { type: 'object' },
      },
      required: ['version', 'calls', 'objects', 'unknown', 'bytes', 'components', 'journal'],
    },
  },
  required: ['profile'],
  additionalProperties: false,
};

/** Keys that a kind cannot do without and that are not plain rows. */
const ALSO_REQUIRED: Readonly<Partial<Record<EventKind, readonly string[]>>> = {
  ioctl: ['op'],
  intercept: ['vp'],
};

/** An event of one kind, from the tables that read it. */
export function eventSchema(kind: EventKind): JsonSchema {
  const { lead, rows, extra, tail } = KINDS[kind];
  const own = [...lead, ...rows, ...tail];
  const required = own.filter((row) => row.required).map((row) => row.key);
  return {
    title: `An event of kind ${kind}`,
    type: 'object',
    properties: {
      t: TIME.schema,
      seq: COUNT.schema,
      parent: COUNT.schema,
      kind: { const: kind },
      ...propertiesOf(lead),
      ...propertiesOf(ACTOR_ROWS),
      ...propertiesOf(rows),
      ...(extra?.keys ?? {}),
      ...propertiesOf(tail),
      provenance: PROVENANCE.schema,
      instructions: COUNT.schema,
      note: TEXT.schema,
    },
    required: ['t', 'kind', ...required, ...(ALSO_REQUIRED[kind] ?? [])],
    additionalProperties: false,
  };
}

/** A line of the event text: the header first, then events. */
export const EVENT_TEXT_SCHEMA: JsonSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'A line of the event text (.hvtrace.ndjson)',
  anyOf: [
    { $ref: '#/$defs/header' },
    ...EVENT_KINDS.map((kind): JsonSchema => ({ $ref: `#/$defs/${kind}` })),
  ],
  $defs: {
    header: HEADER_SCHEMA,
    ...Object.fromEntries(EVENT_KINDS.map((kind) => [kind, eventSchema(kind)])),
  },
};
