import { constantNumber } from '../../abi/index.ts';
import { cellAt } from '../../hypervisor/index.ts';
import type { DriverRun, Outcome } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { IoctlEvent } from '../../trace/event.ts';
import { MSHV_PARTITION } from '../cells/driver.ts';
import type { Actor } from '../kernel/access.ts';
import { hypercallCode } from '../kernel/hypercall.ts';
import { showPartition } from './debugfs.ts';
import { deposit, hypercallWithMemory } from './deposit.ts';
import { finalizePartition, idInput, isFast } from './end.ts';
import type { IoctlRow } from './ioctl-row.ts';
import { partitionOf } from './objects.ts';
import { withdrawAll } from './withdraw.ts';

const RULE = 'Linux.mshv.initialize-partition';
const INITIALIZE_PARTITION = hypercallCode('INITIALIZE_PARTITION');
const DEPOSIT_PAGES = constantNumber('HV_INIT_PARTITION_DEPOSIT_PAGES');

/** Deposits what a partition takes and initialises it; gives the errno. */
export function* initialize(context: Context, actor: Actor, partition: bigint): DriverRun<number> {
  const ret = yield* deposit(context, actor, partition, DEPOSIT_PAGES);
  if (ret !== 0) return ret;
  const input = idInput(partition);
  const settled = yield* hypercallWithMemory(context, actor, partition, INITIALIZE_PARTITION, input, {
    fast: isFast(context),
  });
  return settled.ret;
}

/** A second time it is nothing. A failure takes the deposit back. */
function* enter(context: Context, actor: Actor, event: IoctlEvent): DriverRun<Outcome> {
  const partition = event.handle.kind === 'partition' ? (event.handle.partition ?? 0n) : 0n;
  const id = partitionOf(context, partition);
  if (id === undefined) throw new Error(`partition ${partition} is not the driver's`);
  const initialized = cellAt(id, MSHV_PARTITION.slots.initialized);
  if (context.store.low(initialized) === 1) return { ret: 0, rule: RULE };
  const ret = yield* initialize(context, actor, partition);
  if (ret !== 0) {
    yield* withdrawAll(actor, partition);
    return { ret, rule: RULE };
  }
  const shown = yield* showPartition(context, actor, id, partition);
  if (shown === 0) {
    context.store.set(initialized, 1);
  } else {
    yield* finalizePartition(context, actor, partition);
    yield* withdrawAll(actor, partition);
  }
  return { ret: shown, rule: RULE };
}

/** MSHV_INITIALIZE_PARTITION (Linux 7.2 drivers/hv/mshv_root_main.c, mshv_partition_ioctl_initialize). */
export const INITIALIZE_IOCTL: IoctlRow = {
  fd: 'partition',
  name: 'MSHV_INITIALIZE_PARTITION',
  argBytes: 0,
  enter,
};
