import type { AppMethod, AppRequests } from './api.ts';

/** What a member of a request may be. Texts are bounded: nothing a view asks for needs a long one. */
type Member = 'text' | 'texts' | 'count' | 'number' | 'flag' | readonly string[];
const MAX_TEXT_CHARS = 4096;
/** Positions that one request may name. */
const MAX_TEXTS = 1000;
/** Rows, writes or buckets that one request may ask for. */
const MAX_COUNT = 10_000_000_000;

const AXES = ['time', 'events'] as const;

/** The closed list of requests and their members; everything else is refused at the border. */
const SHAPES: { readonly [M in AppMethod]: { readonly [K in keyof AppRequests[M]['in']]: Member } } = {
  info: {},
  replay: {},
  events: { filter: 'text', derived: 'flag', from: 'count', count: 'count' },
  locate: { filter: 'text', derived: 'flag', at: 'text' },
  rows: { at: 'texts' },
  event: { at: 'text' },
  state: { at: 'text', path: 'text' },
  matrix: { at: 'text', nested: 'flag' },
  history: { path: 'text', at: 'text', limit: 'count' },
  findings: {},
  timeline: { axis: AXES, from: 'number', to: 'number', buckets: 'count' },
  complete: { filter: 'text', cursor: 'count' },
};

/** A request that has been checked. */
export type AppCall = {
  [M in AppMethod]: { readonly method: M; readonly input: AppRequests[M]['in'] };
}[AppMethod];

/** Checks a request from outside; the text of the result says what is wrong with it. */
export function readCall(method: string, input: unknown): AppCall | { readonly problem: string } {
  if (!Object.hasOwn(SHAPES, method)) return { problem: `no request is called ${JSON.stringify(method)}` };
  const shape: Readonly<Record<string, Member>> = SHAPES[method as AppMethod];
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    return { problem: `${method}: the input is not an object` };
  }
  const given = input as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(shape, name)) return { problem: `${method}: unknown member ${JSON.stringify(name)}` };
  }
  for (const [name, member] of Object.entries(shape)) {
    if (!fits(given[name], member))
      return { problem: `${method}: ${name} is missing or not a ${word(member)}` };
  }
  return { method, input: given } as unknown as AppCall;
}

function fits(value: unknown, member: Member): boolean {
  if (member === 'text') return typeof value === 'string' && value.length <= MAX_TEXT_CHARS;
  if (member === 'texts') {
    return Array.isArray(value) && value.length <= MAX_TEXTS && value.every((text) => fits(text, 'text'));
  }
  if (member === 'flag') return typeof value === 'boolean';
  if (member === 'number') return typeof value === 'number' && Number.isFinite(value);
  if (member === 'count') {
    return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= MAX_COUNT;
  }
  return typeof value === 'string' && member.includes(value);
}

function word(member: Member): string {
  return typeof member === 'string' ? member : member.join(' or ');
}
