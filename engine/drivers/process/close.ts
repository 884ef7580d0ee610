import { cellAt } from '../../hypervisor/index.ts';
import type { DriverRun } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import { MSHV_PARTITION, MSHV_VP } from '../cells/driver.ts';
import type { Actor } from '../kernel/access.ts';
import { destroyPartition } from '../mshv/destroy.ts';
import { releaseEventfds } from '../mshv/eventfd/release.ts';
import { partitionOf, vpOf } from '../mshv/objects.ts';
import { closeVtlFile, shareVtlFile } from '../vtl/files.ts';
import type { File } from './files.ts';

/** One descriptor of a file closes; with the last one the file is released. */
export function* closeFile(context: Context, actor: Actor, file: File): DriverRun<void> {
  if (file.kind === 'device') return;
  if ('open' in file) {
    closeVtlFile(context, file);
    return;
  }
  const partition = partitionOf(context, file.partition);
  if (partition === undefined) return;
  if (file.kind === 'partition') {
    if (lower(context, cellAt(partition, MSHV_PARTITION.slots.files)) > 0) return;
    yield* releaseEventfds(context, actor, file.partition, partition);
  } else {
    const vp = vpOf(context, file.partition, file.vp);
    if (vp === undefined || lower(context, cellAt(vp, MSHV_VP.slots.files)) > 0) return;
  }
  const references = cellAt(partition, MSHV_PARTITION.slots.references);
  if (lower(context, references) === 0) yield* destroyPartition(context, actor, file.partition);
}

/** Another descriptor stands for a file. */
export function shareFile(context: Context, file: File): void {
  if (file.kind === 'device') return;
  if ('open' in file) {
    shareVtlFile(context, file);
    return;
  }
  const id =
    file.kind === 'partition' ? partitionOf(context, file.partition) : vpOf(context, file.partition, file.vp);
  if (id === undefined) return;
  const slot = file.kind === 'partition' ? MSHV_PARTITION.slots.files : MSHV_VP.slots.files;
  context.store.set(cellAt(id, slot), context.store.number(cellAt(id, slot)) + 1);
}

function lower(context: Context, cell: ReturnType<typeof cellAt>): number {
  const value = context.store.number(cell);
  if (value === 0) return 0;
  context.store.set(cell, value - 1);
  return value - 1;
}
