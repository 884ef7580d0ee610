import type { ObjectId } from '../../state/store.ts';
import type { Call } from '../call/call.ts';
import { PARTITION } from '../cells/partition.ts';
import { cellAt } from '../cells/place.ts';

/**
 * Takes the pool pages that mapping `pages` more costs (profile `pool.mapPagesPerPoolPage`, 0: nothing); gives how
 * many of them the pool had room for.
 */
export function takeMapping(call: Call, partition: ObjectId, pages: number): number {
  const { store, profile } = call.context;
  const per = profile.pool.mapPagesPerPoolPage;
  if (per === 0) return pages;
  const { used, deposited, mapped } = PARTITION.slots.pool;
  const count = cellAt(partition, mapped);
  const had = store.number(count);
  const cost = (n: number) => Math.ceil(n / per);
  const free = store.number(cellAt(partition, deposited)) - store.number(cellAt(partition, used));
  const room = (cost(had) + free) * per - had;
  const taken = Math.min(pages, room);
  if (taken === 0) return 0;
  store.set(count, had + taken);
  const pagesTaken = cost(had + taken) - cost(had);
  const usedCell = cellAt(partition, used);
  if (pagesTaken > 0) store.set(usedCell, store.number(usedCell) + pagesTaken);
  return taken;
}

/** Gives back what `pages` that are mapped no more had cost. */
export function returnMapping(call: Call, partition: ObjectId, pages: number): void {
  const { store, profile } = call.context;
  const per = profile.pool.mapPagesPerPoolPage;
  if (per === 0 || pages === 0) return;
  const count = cellAt(partition, PARTITION.slots.pool.mapped);
  const used = cellAt(partition, PARTITION.slots.pool.used);
  const had = store.number(count);
  const left = Math.max(0, had - pages);
  store.set(count, left);
  store.set(used, store.number(used) - (Math.ceil(had / per) - Math.ceil(left / per)));
}
