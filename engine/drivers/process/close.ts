import { cellAt } from '../../hypervisor/index.ts';
import type { DriverRun } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import type { IoctlEvent } from '../../trace/event.ts';
import { MSHV_PARTITION, MSHV_VP } from '../cells/driver.ts';
import type { Actor } from '../kernel/access.ts';
import { destroyPartition } from '../mshv/destroy.ts';
import { releaseEventfds } from '../mshv/eventfd/release.ts';
import { partitionOf, vpOf } from '../mshv/objects.ts';
import { closeVtlFile, shareVtlFile } from '../vtl/files.ts';
import { type File, fileOfHandle } from './files.ts';

type VpFile = Extract<File, { readonly kind: 'vp' }>;

/**
 * One descriptor of a file closes; with the last one the file is released, but not before the calls that are made on it have
 * returned (Linux fs/file.c, fdget). Those of a process that ends, `ending`, are over by then.
 */
export function* closeFile(context: Context, actor: Actor, file: File, ending?: number): DriverRun<void> {
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
    if (isInCall(context, file, ending)) return;
  }
  yield* dropReference(context, actor, file.partition, partition);
}

/**
 * A call on a VP is over: its file is released now where the last descriptor closed meanwhile. `ending`: with the process that
 * made it.
 */
export function releaseAfterCall(
  context: Context,
  actor: Actor,
  { handle }: IoctlEvent,
  ending?: number,
): DriverRun<void> | undefined {
  const file = fileOfHandle(handle);
  if (file?.kind !== 'vp') return undefined;
  const partition = partitionOf(context, file.partition);
  const vp = vpOf(context, file.partition, file.vp);
  if (partition === undefined || vp === undefined) return undefined;
  const files = cellAt(vp, MSHV_VP.slots.files);
  const isClosed = context.store.known(files) && context.store.number(files) === 0;
  return isClosed && !isInCall(context, file, ending)
    ? dropReference(context, actor, file.partition, partition)
    : undefined;
}

/** A thread is in a call on the VP that waits. */
function isInCall(context: Context, { partition, vp }: VpFile, ending?: number): boolean {
  for (const { handle, pid } of context.waiting()) {
    const isOn = handle.kind === 'vp' && handle.partition === partition && handle.vp === vp;
    if (isOn && (ending === undefined || pid !== ending)) return true;
  }
  return false;
}

/** A file of the partition is gone; with the last one the partition goes. */
function* dropReference(context: Context, actor: Actor, id: bigint, partition: ObjectId): DriverRun<void> {
  const references = cellAt(partition, MSHV_PARTITION.slots.references);
  if (lower(context, references) === 0) yield* destroyPartition(context, actor, id);
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
