import { EVENT_KINDS, type EventCommon, PROVENANCES, type TraceEvent } from '../event.ts';
import { type Address, formatAddress, type Seq, type TimeNs } from '../position.ts';
import { COUNT, oneOf, TEXT, TIME, U8, U32, VP } from './codec.ts';
import type { TextContext } from './context.ts';
import { columnOf, type Json, type JsonObject, parseJson } from './json.ts';
import type { Draft, KindText } from './kind.ts';
import { KINDS } from './kinds.ts';
import { expected, objectOf, Refusal } from './refusal.ts';
import { missing, type Row, readKey, readRows, refuseUnknownKey, rowsOf, writeRows } from './row.ts';

/** What is wrong with a text, and where: lines and columns count from 1. */
export interface TextProblem {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** What a line is read against: the lines before it. */
export interface LineContext extends TextContext {
  /** The number that this event gets. */
  readonly seq: Seq;
  /** Time of the event before. */
  readonly after: TimeNs;
}

export const PROVENANCE = oneOf(PROVENANCES);

const common = rowsOf<EventCommon>();
/** Who did it: between what happened and with which values. */
export const ACTOR_ROWS: readonly Row[] = [
  common.optional('cpu', U32),
  common.optional('component', TEXT),
  common.optional('pid', U32),
  common.optional('tid', U32),
  common.optional('vp', VP),
  common.optional('vtl', U8),
];
const NOTE_ROWS: readonly Row[] = [common.optional('instructions', COUNT), common.optional('note', TEXT)];

/** Keys that every event may have and that are not rows. */
const FRAME_KEYS: readonly string[] = ['t', 'seq', 'parent', 'kind', 'provenance', 'instructions', 'note'];

const KIND = oneOf(EVENT_KINDS);

const knownKeys = new Map<KindText, ReadonlySet<string>>();

function keysOf(kind: KindText): ReadonlySet<string> {
  let keys = knownKeys.get(kind);
  if (keys === undefined) {
    const rows = [...kind.lead, ...ACTOR_ROWS, ...kind.rows, ...kind.tail].map((row) => row.key);
    keys = new Set([...FRAME_KEYS, ...rows, ...Object.keys(kind.extra?.keys ?? {})]);
    knownKeys.set(kind, keys);
  }
  return keys;
}

function readSeq(object: JsonObject, seq: Seq): void {
  const given = readKey(object, 'seq', (json) => COUNT.read(json));
  if (given !== undefined && given !== seq)
    throw new Refusal(`expected ${seq}, which is this event's number, found ${given}`, ['seq']);
}

function readParent(json: Json, seq: Seq): Seq {
  const parent = COUNT.read(json);
  if (parent < 1 || parent >= seq) throw expected('the number of an event on an earlier line', json);
  return parent as Seq;
}

function readTime(object: JsonObject, after: TimeNs): TimeNs {
  const t = readKey(object, 't', (json) => TIME.read(json));
  if (t === undefined) throw missing('t');
  if (t < after)
    throw new Refusal(
      `expected a time from ${TIME.write(after)} on, the time of the event before, found ${TIME.write(t)}`,
      ['t'],
    );
  return t;
}

function readEvent(json: Json, context: LineContext): TraceEvent {
  const object = objectOf(json);
  const name = readKey(object, 'kind', (value) => KIND.read(value));
  if (name === undefined) throw missing('kind');
  const kind = KINDS[name];
  const known = keysOf(kind);
  for (const key of Object.keys(object)) if (!known.has(key)) refuseUnknownKey(object, [...known]);

  readSeq(object, context.seq);
  const draft: Draft = { seq: context.seq, t: readTime(object, context.after), kind: name };
  const parent = readKey(object, 'parent', (value) => readParent(value, context.seq));
  if (parent !== undefined) draft.parent = parent;
  draft.provenance = readKey(object, 'provenance', (value) => PROVENANCE.read(value)) ?? 'authored';
  readRows(kind.lead, object, draft);
  readRows(ACTOR_ROWS, object, draft);
  readRows(kind.rows, object, draft);
  readRows(kind.tail, object, draft);
  kind.extra?.read(object, draft, context);
  readRows(NOTE_ROWS, object, draft);
  // The rows of the kind are those of its event type, each held to its field's type where it is declared.
  return draft as unknown as TraceEvent;
}

/**
 * Reads one line of the event text (not the first). Strict: a key that the kind does not have, a wrong type or
 * value, a time before the last, a wrong number or a parent that is not an earlier line is a problem with the
 * place of the offending key or value.
 */
export function parseEventLine(
  text: string,
  line: number,
  context: LineContext,
): { readonly event: TraceEvent } | { readonly problem: TextProblem } {
  const read = parseJson(text);
  if ('problem' in read) return { problem: { line, ...read.problem } };
  try {
    return { event: readEvent(read.value, context) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { problem: placed(text, line, error) };
  }
}

/** The refusal with the line and column of the place it speaks of. */
export function placed(text: string, line: number, refusal: Refusal): TextProblem {
  const where = refusal.path.length === 0 || refusal.atKey ? '' : `${refusal.path.join('.')}: `;
  return {
    line,
    column: columnOf(text, refusal.path, refusal.atKey),
    message: `${where}${refusal.message}`,
  };
}

/** Options of {@link formatEvent}. */
export interface FormatOptions {
  /**
   * Write the position: `"seq":812`, or `"position":"812.3"` of a derived event. Lines with a `position` are for reading by
   * people and programs; derived events have no line of their own in a trace, so a reader refuses them.
   */
  readonly position?: Address;
  /** Stands for the event's own parent, where that is a derived event. */
  readonly parent?: Address;
}

function writePosition({ seq, sub }: Address): string {
  return sub === 0 ? `,"seq":${seq}` : `,"position":"${formatAddress({ seq, sub })}"`;
}

function writeParent(event: TraceEvent, parent: Address | undefined): string {
  if (parent !== undefined && parent.sub !== 0) return `,"parent":"${formatAddress(parent)}"`;
  const seq = parent?.seq ?? event.parent;
  return seq === undefined ? '' : `,"parent":${seq}`;
}

/**
 * The canonical line of an event, without a line feed: names of the ABI, keys in a fixed order, nothing that
 * a reader fills in by itself. Loss-free: reading it back gives an equal event.
 */
export function formatEvent(event: TraceEvent, context: TextContext, options: FormatOptions = {}): string {
  const kind = KINDS[event.kind];
  const fields = event as unknown as Readonly<Draft>;
  const parts = [
    `{"t":${TIME.write(event.t)}`,
    options.position === undefined ? '' : writePosition(options.position),
    writeParent(event, options.parent),
    `,"kind":"${event.kind}"`,
    writeRows(kind.lead, fields),
    writeRows(ACTOR_ROWS, fields),
    writeRows(kind.rows, fields),
    kind.extra?.write(fields, context) ?? '',
    writeRows(kind.tail, fields),
    event.provenance === 'authored' ? '' : `,"provenance":"${event.provenance}"`,
    writeRows(NOTE_ROWS, fields),
    '}',
  ];
  return parts.join('');
}
