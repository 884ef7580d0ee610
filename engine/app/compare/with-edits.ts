import { Names } from '../../analysis/diff/names.ts';
import { MachinePair } from '../../analysis/diff/state.ts';
import type { Original } from '../../analysis/what-if/original.ts';
import { outcomeOf, type Replayed } from '../../analysis/what-if/what-if.ts';
import { StepArchive } from '../../replay/derived.ts';
import { at, parseAddress } from '../../trace/position.ts';
import { allEvents, type EventList, type EventReader, listOf } from '../lists.ts';
import { commonIn } from './common.ts';
import { Comparison } from './comparison.ts';
import { numberOf, replayedEvents, sideOf } from './side.ts';

/** The trace as it is beside what it is with edits made to it: what is recorded and what is derived, of both. */
export function besideEdits(
  name: string,
  original: Original,
  reader: EventReader,
  replayed: Replayed,
): Comparison {
  const { source, checked, overlay } = replayed;
  const before = allEvents(original.history, true);
  const after = happening(replayed);
  const matched = matchedBy(original, replayed, before, after);
  const { findings } = outcomeOf(original, replayed);
  const archive = new StepArchive(source, original.sides, checked.history);
  const get = (number: number) => {
    const address = before.address(number - 1);
    return address === undefined ? undefined : reader.get(address);
  };
  return new Comparison({
    a: sideOf({ ...original, name, events: before, get }),
    b: sideOf({
      ...{ ...checked, name: `${name} with the edits`, source, overlay },
      events: after,
      get: replayedEvents(after, archive),
    }),
    matched,
    machines: new MachinePair(original.history, checked.history, new Names(), matched.bySeq),
    first: undefined,
    findings: { onlyA: findings.removed, onlyB: findings.added },
    fields: () => undefined,
  });
}

/** What happens in a changed trace, in order. */
function happening({ checked, gone }: Replayed): EventList {
  const all = allEvents(checked.history, true);
  const never = new Set(gone.values());
  if (never.size === 0) return all;
  const seqs: number[] = [];
  const subs: number[] = [];
  for (let index = 0; index < all.total; index++) {
    const address = all.address(index);
    if (address === undefined || never.has(address.seq)) continue;
    seqs.push(address.seq);
    subs.push(address.sub);
  }
  return listOf(Uint32Array.from(seqs), subs);
}

/** Events by the positions of the trace as it was; what is derived below one by what it is. */
function matchedBy(original: Original, replayed: Replayed, before: EventList, after: EventList) {
  const { overlay, answers, source } = replayed;
  const [inB, inA] = [new Uint32Array(before.total + 1), new Uint32Array(after.total + 1)];
  const [differs, moved] = [new Uint8Array(before.total + 1), new Uint8Array(before.total + 1)];
  const bySeq = {
    inB: new Uint32Array(original.source.count + 1),
    inA: new Uint32Array(source.count + 1),
  };
  const pair = (a: number, b: number, label: string, own: string): void => {
    inB[a] = b;
    inA[b] = a;
    const [was, is] = [original.answers.of(label), answers.of(own)];
    if (was !== undefined && is !== undefined && was.content !== is.content) differs[a] = 1;
  };
  let b = 1;
  while (b <= after.total) {
    const address = after.address(b - 1);
    if (address === undefined) break;
    const label = overlay.label(at(address.seq));
    const own = parseAddress(label);
    if (address.sub === 0) {
      const a = own === undefined ? 0 : numberOf(before, own);
      if (a > 0) pair(a, b, label, label);
      if (a > 0 && overlay.moved.has(label)) moved[a] = 1;
      if (own !== undefined && own.sub === 0) {
        bySeq.inB[own.seq] = address.seq;
        bySeq.inA[address.seq] = own.seq;
      }
      b++;
      continue;
    }
    let end = b;
    while (after.address(end)?.seq === address.seq) end++;
    if (own !== undefined && own.sub === 0) {
      const first = numberOf(before, at(own.seq, 1));
      const derived = first === 0 ? 0 : original.history.derivedBelow(own.seq);
      const nameA = (i: number): string => `${label}.${i + 1}`;
      const nameB = (i: number): string => `${label}.${after.address(b + i - 1)?.sub ?? 0}`;
      const common = commonIn(
        Array.from({ length: derived }, (_, i) => original.answers.of(nameA(i))?.event),
        Array.from({ length: end - b + 1 }, (_, i) => answers.of(nameB(i))?.event),
      );
      for (const [i, j] of common) pair(first + i, b + j, nameA(i), nameB(j));
    }
    b = end + 1;
  }
  return { inB, inA, differs, moved, bySeq };
}
