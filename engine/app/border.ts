import type { AppRequests } from './api.ts';
import { type Checked, readShaped, type Shapes } from './shapes.ts';

const AXES = ['time', 'events'] as const;
const GOES = ['at', 'row', 'next', 'previous', 'first'] as const;
const AGAINST = { against: ['trace', 'edits'], edits: 'texts' } as const;

/** The closed list of requests and their members; everything else is refused at the border. */
const SHAPES: Shapes<AppRequests> = {
  info: {},
  progress: {},
  replay: {},
  events: { filter: 'text', derived: 'flag', from: 'count', count: 'count' },
  locate: { filter: 'text', derived: 'flag', at: 'text' },
  rows: { at: 'texts' },
  event: { at: 'text' },
  state: { at: 'text', path: 'text' },
  matrix: { at: 'text', nested: 'flag' },
  history: { path: 'text', at: 'text', limit: 'count' },
  findings: {},
  timeline: { axis: AXES, from: 'number', to: 'number', buckets: 'count', derived: 'flag' },
  exits: { filter: 'text', from: 'count', count: 'count' },
  exitGroups: { filter: 'text' },
  exitPlace: { filter: 'text', at: 'text' },
  exit: { at: 'text' },
  partitions: { at: 'text' },
  gpaMap: { at: 'text' },
  blame: { of: 'text', at: 'text' },
  whatIf: { edits: 'texts' },
  suggest: { finding: 'text' },
  compare: AGAINST,
  compareRows: { ...AGAINST, folded: 'flag', from: 'count', count: 'count' },
  compareDetail: { ...AGAINST, row: 'count' },
  comparePlace: { ...AGAINST, folded: 'flag', go: GOES, at: 'text', row: 'count' },
  work: {},
  cancel: {},
  complete: { filter: 'text', cursor: 'count' },
};

/** A request that has been checked. */
export type AppCall = Checked<AppRequests>;

/** One about the trace: what a session answers. */
export type SessionCall = Exclude<AppCall, { readonly method: 'progress' }>;

/** Checks a request from outside; the text of the result says what is wrong with it. */
export function readCall(method: unknown, input: unknown): AppCall | { readonly problem: string } {
  return readShaped(SHAPES, method, input);
}
