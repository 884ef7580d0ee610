import { EVENT_KINDS } from '../../engine/trace/event.ts';
import { eventSchema } from '../../engine/trace/schema/index.ts';

/** JSON Schemas (draft 2020-12) of the `--json` outputs, by command. */

type Schema = Readonly<Record<string, unknown>>;

const TEXT: Schema = { type: 'string' };
const COUNT: Schema = { type: 'integer', minimum: 0 };
const POSITION: Schema = { type: 'string', pattern: '^(0|[1-9][0-9]*(r|\\.[1-9][0-9]*)?)$' };
const DERIVED_POSITION: Schema = { type: 'string', pattern: '^[1-9][0-9]*\\.[1-9][0-9]*$' };
const COUNTS: Schema = { type: 'object', additionalProperties: COUNT };
const HEX: Schema = { type: 'string', pattern: '^0x[0-9a-f]+$' };
const HASH: Schema = { type: 'string', pattern: '^[0-9a-f]{16}$' };

function list(items: Schema): Schema {
  return { type: 'array', items };
}

function orNull(schema: Schema): Schema {
  return { anyOf: [schema, { type: 'null' }] };
}

/** An object of these members; those in `optional` may be missing, others may not stand there. */
function object(
  required: Readonly<Record<string, Schema>>,
  optional: Readonly<Record<string, Schema>> = {},
): Schema {
  return {
    type: 'object',
    properties: { ...required, ...optional },
    required: Object.keys(required),
    additionalProperties: false,
  };
}

function finding(position: Schema): Schema {
  return object(
    {
      id: TEXT,
      rule: TEXT,
      severity: { enum: ['error', 'warning', 'info'] },
      title: TEXT,
      at: position,
      culprit: object({ at: position, component: TEXT }),
      evidence: list(position),
      cells: list(TEXT),
      fix: TEXT,
    },
    { cpus: list(COUNT), partition: TEXT, vp: COUNT },
  );
}

const FINDING = finding(POSITION);
/** Events that an edit put in are `+1`, `+2`, …. */
const CHANGED_FINDING = finding({
  type: 'string',
  pattern: '^(0|\\+?[1-9][0-9]*(\\.[1-9][0-9]*)?(r|\\.[1-9][0-9]*)?)$',
});

/** Guests that were executed again: what they did, and the first thing that is not as recorded. */
const EXECUTED = object({
  vps: COUNT,
  instructions: COUNT,
  compared: COUNT,
  bytes: COUNT,
  difference: orNull(
    object(
      {
        at: POSITION,
        vp: TEXT,
        instructions: COUNT,
        rip: TEXT,
        what: { enum: ['memory', 'message', 'input', 'register', 'stop'] },
        expected: orNull(TEXT),
        found: orNull(TEXT),
      },
      { gpa: TEXT, offset: COUNT, register: TEXT },
    ),
  ),
  instructionsPerSecond: COUNT,
});

const DIVERGENCE = object({ at: POSITION, field: TEXT, expected: TEXT, actual: TEXT, rule: TEXT });

const SERVED = object({ url: TEXT, port: COUNT });

const CELL = object(
  {
    path: TEXT,
    value: orNull(HEX),
    known: { type: 'boolean' },
    type: TEXT,
    decoded: { type: 'object', additionalProperties: TEXT },
  },
  { writer: object({ at: POSITION, component: TEXT }) },
);

/** Event text, but for derived events, whose address stands in `position` and may stand in `parent`. */
const SHOWN_EVENT: Schema = {
  anyOf: EVENT_KINDS.map((kind) => {
    const { properties, ...schema } = eventSchema(kind);
    const parent = { anyOf: [COUNT, DERIVED_POSITION] };
    return { ...schema, properties: { ...properties, position: DERIVED_POSITION, parent } };
  }),
};

export const OUTPUT_SCHEMAS: Readonly<Record<string, Schema>> = {
  run: object({ file: TEXT, events: COUNT, hash: HASH }),
  /** What `--summary` writes. */
  emulate: object(
    { file: TEXT, events: COUNT, hash: HASH, status: COUNT },
    { dropped: COUNT, failure: TEXT },
  ),
  /** What `--summary` writes; without `status` the program goes on. */
  record: object(
    { file: TEXT, events: COUNT, mode: { enum: ['filter', 'every-call'] }, lost: COUNT },
    { status: COUNT, dropped: COUNT, failure: TEXT },
  ),
  import: object(
    { file: TEXT, events: COUNT },
    {
      form: TEXT,
      lines: COUNT,
      unreadable: COUNTS,
      other: COUNTS,
      notes: list(TEXT),
      unanswered: list(object({ question: TEXT, why: TEXT })),
    },
  ),
  /** With `--why` an event stands beside the rule of its answer. */
  show: { anyOf: [SHOWN_EVENT, object({ rule: orNull(TEXT), event: SHOWN_EVENT })] },
  replay: object(
    {
      events: COUNT,
      derived: COUNT,
      checked: COUNT,
      bound: { type: 'object', additionalProperties: COUNT },
      unmodelled: COUNT,
      /** All of them; the list holds the first 100,000. */
      diverged: COUNT,
      divergences: list(DIVERGENCE),
      hash: HASH,
      engine: TEXT,
      stored: orNull(HASH),
      verified: orNull({ type: 'boolean' }),
      eventsPerSecond: COUNT,
    },
    /** With --execute. */
    { executed: EXECUTED },
  ),
  state: object({ at: POSITION, cells: list(CELL) }),
  /** With several files one a line; `problem`: that file could not be judged. */
  check: {
    anyOf: [
      object({ findings: list(FINDING) }, { file: TEXT, events: COUNT, expected: { type: 'boolean' } }),
      object({ file: TEXT, problem: TEXT }),
    ],
  },
  blame: object({
    of: TEXT,
    at: POSITION,
    links: list(
      object(
        {
          why: { enum: ['wrote', 'held', 'answered', 'caused', 'failed', 'decided'] },
          depth: COUNT,
          at: POSITION,
        },
        { component: TEXT, rule: TEXT, cell: object({ path: TEXT, old: orNull(HEX), now: HEX }) },
      ),
    ),
    cut: { type: 'boolean' },
  }),
  diff: object({
    equal: { type: 'boolean' },
    first: orNull(
      object({
        a: orNull(POSITION),
        b: orNull(POSITION),
        reason: { enum: ['changed', 'missing', 'added', 'replaced', 'order', 'profile'] },
        fields: list(object({ field: TEXT, a: TEXT, b: TEXT })),
      }),
    ),
    state: list(object({ path: TEXT, a: orNull(HEX), b: orNull(HEX) })),
    aligned: COUNT,
    onlyA: COUNT,
    onlyB: COUNT,
  }),
  minimize: object({ file: TEXT, events: COUNT, of: COUNT, tried: COUNT, minimal: { type: 'boolean' } }),
  whatif: {
    anyOf: [
      object({
        edits: list(TEXT),
        findings: object({
          before: list(FINDING),
          after: list(CHANGED_FINDING),
          added: list(CHANGED_FINDING),
          removed: list(FINDING),
        }),
        answers: list(object({ at: POSITION, before: orNull(TEXT), after: orNull(TEXT) })),
        state: list(object({ path: TEXT, before: orNull(HEX), after: orNull(HEX) })),
      }),
      /** With `--suggest`, where nothing was found. */
      object({ edits: list(TEXT), problem: TEXT }),
    ],
  },
  explain: object({
    value: TEXT,
    readings: list(object({ as: TEXT, title: TEXT, facts: list(object({ name: TEXT, value: TEXT })) })),
  }),
  recover: object({
    file: TEXT,
    events: COUNT,
    incomplete: COUNT,
    profileLost: { type: 'boolean' },
    missing: list({ type: 'string', pattern: '^[1-9][0-9]*(\\.\\.([1-9][0-9]*)?)?$' }),
  }),
  pack: object({ file: TEXT, events: COUNT, bytes: COUNT, memoryPages: COUNT }),
  unpack: object({ file: TEXT, events: COUNT }),
  open: { anyOf: [object({ electron: TEXT }), SERVED] },
  serve: SERVED,
  doctor: object({
    version: TEXT,
    engine: TEXT,
    looks: list(object({ what: TEXT, found: TEXT }, { ok: { type: 'boolean' }, remedy: TEXT })),
    everRunOnMicrosoftHypervisor: { const: false },
  }),
};
