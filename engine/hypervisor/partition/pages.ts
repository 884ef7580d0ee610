import type { HypercallAnswer } from '../../machine/child.ts';
import type { ObjectId } from '../../state/store.ts';
import { type Call, failed } from '../call/call.ts';
import { STATUS } from '../call/status.ts';
import { PARTITION } from '../cells/partition.ts';
import { cellAt } from '../cells/place.ts';
import { isOwn } from './target.ts';

/**
 * Takes pages for an object from a partition's pool; the failure when it is short (TLFS 2013, memory pools). The
 * caller's own pool has a status of its own on a root partition (Linux 7.2 drivers/hv/hv_proc.c,
 * hv_deposit_memory_node). Which objects want contiguous pages is not public: the contiguous variants never
 * come from here.
 */
export function takePages(call: Call, partition: ObjectId, pages: number): HypercallAnswer | undefined {
  const { store, profile } = call.context;
  const used = cellAt(partition, PARTITION.slots.pool.used);
  const deposited = cellAt(partition, PARTITION.slots.pool.deposited);
  if (!store.known(used) || !store.known(deposited)) return undefined;
  const wanted = store.number(used) + pages;
  if (wanted > store.number(deposited)) {
    const root = profile.role === 'root' && isOwn(call, partition);
    const status = root ? STATUS.INSUFFICIENT_ROOT_MEMORY : STATUS.INSUFFICIENT_MEMORY;
    return failed(status, 'choice.pool.cost');
  }
  if (pages > 0) store.set(used, wanted);
  return undefined;
}

/** Gives back what an object had taken. */
export function returnPages(call: Call, partition: ObjectId, pages: number): void {
  const { store } = call.context;
  const used = cellAt(partition, PARTITION.slots.pool.used);
  if (pages > 0 && store.known(used)) store.set(used, Math.max(0, store.number(used) - pages));
}
