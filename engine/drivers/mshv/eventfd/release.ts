import type { DriverRun } from '../../../machine/child.ts';
import type { Context } from '../../../machine/context.ts';
import type { ObjectId } from '../../../state/store.ts';
import { MSHV_IRQFD } from '../../cells/eventfd.ts';
import type { Actor } from '../../kernel/access.ts';
import { releaseDoorbells } from './ioeventfd.ts';

/** The partition's file is closed: its eventfds go, before anything else of it (mshv_partition_release). */
export function* releaseEventfds(
  context: Context,
  actor: Actor,
  partition: bigint,
  id: ObjectId,
): DriverRun<void> {
  yield* releaseDoorbells(context, actor, partition, id);
  for (const irqfd of context.store.children(id, MSHV_IRQFD)) context.store.destroy(irqfd);
}
