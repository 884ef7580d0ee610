import type { Divergence } from '../../replay/compare.ts';
import type { TraceEvent } from '../../trace/event.ts';
import { formatAddress, parseAddress } from '../../trace/position.ts';
import type { TimelineSign, TimelineView } from '../api.ts';
import type { Remark } from '../session-parts.ts';

/** Signs of one answer. */
const MAX_SIGNS = 1000;
/** Marks that are drawn above the lanes; more are no signs any more. */
export const MAX_MARKS = 1000;

/** A mark of the trace that stands above the lanes. */
export interface MarkedEvent {
  readonly seq: number;
  readonly what: 'gap' | 'note';
  readonly text: string;
}

/** What an event says above the lanes; undefined for those that say nothing there. */
export function markOf(event: TraceEvent): MarkedEvent | undefined {
  if (event.kind !== 'mark') return undefined;
  const { seq, what, text, lost } = event;
  if (what === 'note') return { seq, what, text: text ?? '' };
  const count = lost === undefined ? 'events were lost' : `${lost} events were lost`;
  return what === 'gap' ? { seq, what, text: text ?? count } : undefined;
}

/** Those of a window, the first thousand. */
export function signsWithin(
  signs: readonly TimelineSign[],
  axis: TimelineView['axis'],
  from: number,
  to: number,
): TimelineSign[] {
  const isIn = (sign: TimelineSign): boolean => {
    const place = axis === 'events' ? Number.parseInt(sign.at, 10) : sign.tNs;
    return place >= from && place <= to;
  };
  return signs.filter(isIn).slice(0, MAX_SIGNS);
}

/** Divergences, gaps and notes of a trace, in its order. */
export function timelineMarks(
  marks: readonly MarkedEvent[],
  timeOf: (seq: number) => number,
  divergences: readonly Divergence[],
  remarks: readonly Remark[],
): TimelineSign[] {
  const signs: TimelineSign[] = [];
  const add = (what: TimelineSign['what'], at: string, text: string): void => {
    signs.push({ what, at, tNs: timeOf(parseAddress(at)?.seq ?? 0), text });
  };
  for (const { at, field } of divergences) add('divergence', at, `${field} differs from the engine’s`);
  for (const { what, seq, text } of marks) add(what, String(seq), text);
  for (const { what, at, text } of remarks) add(what, formatAddress(at), text);
  return signs.sort((a, b) => seqOf(a) - seqOf(b));
}

function seqOf({ at }: TimelineSign): number {
  return parseAddress(at)?.seq ?? 0;
}
