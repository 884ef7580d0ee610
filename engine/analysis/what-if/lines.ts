import type { TraceEvent } from '../../trace/event.ts';
import { type Seq, timeNs } from '../../trace/position.ts';
import type { Profile } from '../../trace/profile.ts';
import { parseEventLine } from '../../trace/text/event-line.ts';
import { formatEvent, textContext } from '../../trace/text/index.ts';
import { isObject, type Json, type JsonObject, parseJson } from '../../trace/text/json.ts';

type Read = { readonly event: TraceEvent } | { readonly problem: string };

/** The event with one field of its event text set to a value; what the reader of event text refuses is a problem. */
export function withField(event: TraceEvent, path: readonly string[], value: Json, profile: Profile): Read {
  const [first] = path;
  if (first === 't' || first === 'seq' || first === 'parent' || first === 'kind') {
    return { problem: `${first} cannot be set; move the event, or drop it and insert another` };
  }
  const read = parseJson(formatEvent(event, textContext(profile)));
  if ('problem' in read || !isObject(read.value)) throw new Error('an event has no line');
  const changed = put(read.value, path, value);
  if (changed === undefined) {
    const keys = Object.keys(read.value).join(' ');
    return { problem: `there is nothing at ${path.join('.')}; the event has ${keys}` };
  }
  return lineOf(changed, event, profile);
}

/** The event of a line that is put beside another: its time is that one's, whatever the line says. */
export function insertedEvent(line: string, beside: TraceEvent, profile: Profile): Read {
  const read = parseJson(line);
  if ('problem' in read) return { problem: `column ${read.problem.column}: ${read.problem.message}` };
  if (!isObject(read.value)) return { problem: 'expected a line of event text, {"kind":…}' };
  const { t: _t, seq: _seq, tEnd, ...rest } = read.value;
  if (tEnd !== undefined) return { problem: 'an inserted call returns at once; leave out tEnd' };
  return lineOf({ t: '0', ...rest }, { ...beside, tEnd: undefined } as unknown as TraceEvent, profile, true);
}

/** Reads the line, and puts the place and times of `event` on it. */
function lineOf(line: JsonObject, event: TraceEvent, profile: Profile, fresh = false): Read {
  const { parent: _parent, ...plain } = line;
  const context = { ...textContext(profile), seq: event.seq, after: timeNs(0) };
  const read = parseEventLine(JSON.stringify(plain), 1, context);
  if ('problem' in read) return { problem: read.problem.message };
  const parent = fresh ? parentOf(line, event) : event.parent;
  const placed = { ...read.event, t: event.t };
  return { event: (parent === undefined ? placed : { ...placed, parent }) as TraceEvent };
}

/** What an inserted event happens below: what its line says, else what the event beside it happens below. */
function parentOf({ kind, parent }: JsonObject, beside: TraceEvent): Seq | undefined {
  if (typeof parent === 'number') return parent as Seq;
  return kind === 'ioctl' || kind === 'fd' ? undefined : beside.parent;
}

/** The object with a value at a path; undefined where the way there leads through something that is no object. */
function put(object: JsonObject, [key, ...rest]: readonly string[], value: Json): JsonObject | undefined {
  if (key === undefined) return undefined;
  if (rest.length === 0) return { ...object, [key]: value };
  const inner = object[key] ?? {};
  if (!isObject(inner)) return undefined;
  const changed = put(inner, rest, value);
  return changed === undefined ? undefined : { ...object, [key]: changed };
}
