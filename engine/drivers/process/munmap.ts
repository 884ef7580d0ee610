import type { DriverRun, Outcome } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { Handler } from '../../machine/sides.ts';
import type { FdEvent } from '../../trace/event.ts';
import { MSHV, MSHV_PARTITION } from '../cells/driver.ts';
import { driverOf } from '../kernel/objects.ts';
import { giveUp } from '../mshv/memory/region-calls.ts';
import { framesBehind, type ProcessMemory, regionsOf } from '../mshv/memory/regions.ts';

/** Partitions whose guests have a part of that memory, and lose it when its process gives it up. */
export function guestsOf(context: Context, memory: ProcessMemory): bigint[] {
  const { store } = context;
  return store
    .children(driverOf(context, MSHV), MSHV_PARTITION)
    .filter((id) => regionsOf(context, id).some((region) => framesBehind(region, memory) !== undefined))
    .map((id) => BigInt(store.key(id)));
}

/** munmap of a process's own memory: movable regions lose it (Linux mm/mmu_notifier.c; drivers/hv/mshv_regions.c). */
export const MUNMAP: Handler<FdEvent> = {
  *enter(context, event): DriverRun<Outcome> {
    const { pid, addr: address, size: bytes } = event;
    const actor = { component: 'mshv', cpu: event.cpu ?? 0 };
    if (pid !== undefined && address !== undefined && bytes !== undefined) {
      const { store } = context;
      for (const id of store.children(driverOf(context, MSHV), MSHV_PARTITION))
        yield* giveUp({ context, actor, partition: BigInt(store.key(id)), id }, { pid, address, bytes });
    }
    return { ret: event.ret ?? 0, rule: 'Linux.process.munmap' };
  },
};
