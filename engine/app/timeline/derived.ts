import { at, formatAddress } from '../../trace/position.ts';
import { type LaneHead, laneOf } from '../lanes.ts';
import { failed } from '../names.ts';
import type { Placed, TimelineGround } from './view.ts';

/** Derived events of a window that are worked out again, each in its lane; some 50 µs each. */
const MAX_EXACT = 4096;

/** The lane of those that are only counted. */
const COUNTED: LaneHead = { id: 'derived', label: 'derived', group: 'hypervisor' };

/** Derived events below the recorded ones from `first` up to `end`; they stand where their event stands. */
export function* derivedIn(
  first: number,
  end: number,
  { history, reader }: TimelineGround,
): Iterable<Placed> {
  let total = 0;
  for (let seq = first; seq < end; seq++) total += history.derivedBelow(seq);
  for (let seq = first; seq < end && total > 0; seq++) {
    const below = history.derivedBelow(seq);
    if (below === 0) continue;
    if (total > MAX_EXACT) {
      yield {
        ...{ lane: COUNTED, seq, at: formatAddress(at(seq, 1)), kind: 'hypercall', component: 'hypervisor' },
        ...{ count: below, failed: 0, derived: true },
      };
      continue;
    }
    for (let sub = 1; sub <= below; sub++) {
      const address = at(seq, sub);
      const event = reader.get(address)?.event;
      if (event === undefined) continue;
      yield {
        ...{ lane: laneOf(event), seq, at: formatAddress(address), kind: event.kind },
        ...{ component: event.component ?? '', count: 1, failed: failed(event) ? 1 : 0, derived: true },
      };
    }
  }
}
