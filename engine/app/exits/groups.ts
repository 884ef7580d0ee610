import { messageTypes } from '../../abi/lookup/messages.ts';
import type { ExitGroup } from '../api-exits.ts';
import type { ExitIndex } from './exit-index.ts';
import { answerTime } from './exit-row.ts';
import { type ExitTarget, placeText, targetFilter } from './target.ts';

/** Groups that are sent; more places than that are no summary. */
const MAX_GROUPS = 500;

/** Counts exits by type, access and place, most frequent first. */
export function exitGroups(index: ExitIndex, numbers: Iterable<number>): ExitGroup[] {
  const groups = new Map<ExitTarget | undefined, { count: number; ranNs: number; answeredNs: number }>();
  for (const number of numbers) {
    const exit = index.exit(number);
    const sums = groups.get(exit.target) ?? { count: 0, ranNs: 0, answeredNs: 0 };
    groups.set(exit.target, sums);
    sums.count++;
    if (exit.endNs !== undefined) sums.ranNs += exit.endNs - exit.startNs;
    sums.answeredNs += answerTime(exit, index) ?? 0;
  }
  return [...groups]
    .sort(([, a], [, b]) => b.count - a.count)
    .slice(0, MAX_GROUPS)
    .map(([target, sums]) => ({ ...words(target), ...sums }));
}

function words(target: ExitTarget | undefined): Pick<ExitGroup, 'type' | 'access' | 'place' | 'filter'> {
  if (target === undefined) return { filter: '' };
  const place = placeText(target);
  return {
    type: messageTypes.name(target.type),
    ...(target.access === undefined ? {} : { access: target.access }),
    ...(place === undefined ? {} : { place }),
    filter: targetFilter(target),
  };
}
