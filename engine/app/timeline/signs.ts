import type { Divergence } from '../../replay/compare.ts';
import { formatAddress, parseAddress } from '../../trace/position.ts';
import type { TimelineSign } from '../api.ts';
import type { Remark } from '../session-parts.ts';
import type { TimelineColumns } from './columns.ts';

/** Divergences, gaps and notes of a trace, in its order. */
export function timelineMarks(
  columns: TimelineColumns,
  divergences: readonly Divergence[],
  remarks: readonly Remark[],
): TimelineSign[] {
  const signs: TimelineSign[] = [];
  const add = (what: TimelineSign['what'], at: string, text: string): void => {
    signs.push({ what, at, tNs: columns.timeOf(parseAddress(at)?.seq ?? 0), text });
  };
  for (const { at, field } of divergences) add('divergence', at, `${field} differs from the engine’s`);
  for (const { what, seq, text } of columns.marks) add(what, String(seq), text);
  for (const { what, at, text } of remarks) add(what, formatAddress(at), text);
  return signs.sort((a, b) => seqOf(a) - seqOf(b));
}

function seqOf({ at }: TimelineSign): number {
  return parseAddress(at)?.seq ?? 0;
}
