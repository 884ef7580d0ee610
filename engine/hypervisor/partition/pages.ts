import { constantNumber, type FieldHandle, fieldOf, readU32 } from '../../abi/index.ts';
import type { HypercallAnswer } from '../../machine/child.ts';
import type { ObjectId } from '../../state/store.ts';
import type { PoolObject } from '../../trace/profile.ts';
import { type Call, failed, refusedInRecord } from '../call/call.ts';
import { STATUS } from '../call/status.ts';
import { PARTITION, POOL_RUN } from '../cells/partition.ts';
import { cellAt } from '../cells/place.ts';
import { isOwn, RESERVED, reservedSet } from './target.ts';

/** Contiguous pages in a block, which is what Linux deposits for one (drivers/hv/hv_proc.c). */
export const BLOCK_PAGES = constantNumber('HV_MAX_CONTIGUOUS_ALLOCATION_PAGES');
const { pool } = PARTITION.slots;
/** What a call says that finds too little in a pool. */
const SHORT: ReadonlySet<number> = new Set([
  STATUS.INSUFFICIENT_MEMORY,
  STATUS.INSUFFICIENT_CONTIGUOUS_MEMORY,
  STATUS.INSUFFICIENT_ROOT_MEMORY,
  STATUS.INSUFFICIENT_CONTIGUOUS_ROOT_MEMORY,
]);

/** Blocks of contiguous pages in a pool, those in use included. */
export function blocksOf({ context: { store } }: Call, partition: ObjectId): number {
  return store
    .children(partition, POOL_RUN)
    .reduce((sum, run) => sum + Math.floor(store.number(cellAt(run, POOL_RUN.slots.pages)) / BLOCK_PAGES), 0);
}

function blockOf({ context: { profile } }: Call, object: PoolObject): number {
  return profile.pool.contiguous.includes(object) ? 1 : 0;
}

/**
 * Takes `pages` for an object from a partition's pool, and a block of contiguous ones where the object wants it
 * (profile `pool`: which do is not public); the failure when it is short (TLFS 2013, memory pools). The caller's own
 * pool has statuses of its own on a root partition (Linux 7.2 drivers/hv/hv_proc.c, hv_deposit_memory_node).
 */
export function takePages(
  call: Call,
  partition: ObjectId,
  object: PoolObject,
  pages: number,
): HypercallAnswer | undefined {
  const { store, profile } = call.context;
  const used = cellAt(partition, pool.used);
  const deposited = cellAt(partition, pool.deposited);
  const block = blockOf(call, object);
  if (!store.known(used) || !store.known(deposited))
    return pages + block === 0 ? undefined : refusedInRecord(call, SHORT);
  const blocks = cellAt(partition, pool.blocks);
  const isRoot = profile.role === 'root' && isOwn(call, partition);
  const free = store.number(deposited) - store.number(used);
  if (block > 0 && (free < BLOCK_PAGES || store.number(blocks) + block > blocksOf(call, partition))) {
    const status = isRoot
      ? STATUS.INSUFFICIENT_CONTIGUOUS_ROOT_MEMORY
      : STATUS.INSUFFICIENT_CONTIGUOUS_MEMORY;
    return failed(status, 'choice.pool.contiguous');
  }
  const wanted = store.number(used) + pages + block * BLOCK_PAGES;
  if (wanted > store.number(deposited)) {
    const status = isRoot ? STATUS.INSUFFICIENT_ROOT_MEMORY : STATUS.INSUFFICIENT_MEMORY;
    return failed(status, 'choice.pool.cost');
  }
  if (wanted > store.number(used)) store.set(used, wanted);
  if (block > 0) store.set(blocks, store.number(blocks) + block);
  return undefined;
}

/** Gives back what an object had taken. */
export function returnPages(call: Call, partition: ObjectId, object: PoolObject, pages: number): void {
  const { store } = call.context;
  const used = cellAt(partition, pool.used);
  if (!store.known(used)) return;
  const block = blockOf(call, object);
  const given = pages + block * BLOCK_PAGES;
  if (given > 0) store.set(used, Math.max(0, store.number(used) - given));
  const blocks = cellAt(partition, pool.blocks);
  if (block > 0) store.set(blocks, Math.max(0, store.number(blocks) - block));
}

/** Where an input says of which proximity domain its pages are to be. */
export interface DomainFields {
  readonly domain: FieldHandle;
  readonly domainReserved: FieldHandle;
}

export function domainFields(struct: string): DomainFields {
  return {
    domain: fieldOf(struct, 'proximity_domain_info.domain_id'),
    domainReserved: fieldOf(struct, 'proximity_domain_info.flags.reserved'),
  };
}

/** The answer to a proximity domain that the machine does not have (TLFS 2013, HvWithdrawMemory, HvCreateVp). */
export function wrongDomain(call: Call, fields: DomainFields): HypercallAnswer | undefined {
  if (reservedSet(call, [fields.domainReserved])) return RESERVED;
  const { proximityDomains } = call.context.profile.pool;
  if (proximityDomains === 0 || readU32(call.input, fields.domain) < proximityDomains) return undefined;
  return failed(STATUS.INVALID_PARAMETER, 'TLFS2013.pool.proximity');
}
