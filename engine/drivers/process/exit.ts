import type { DriverRun, Outcome } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { LifecycleEvent } from '../../trace/event.ts';
import { MSHV, MSHV_PARTITION } from '../cells/driver.ts';
import type { Actor } from '../kernel/access.ts';
import { driverOf } from '../kernel/objects.ts';
import { invalidate } from '../mshv/memory/region-calls.ts';
import { closeFile, releaseAfterCall } from './close.ts';
import { fdsOf, fileOfFd, removeFd, removeProcess } from './files.ts';

/** Its memory goes before its files do (Linux 7.2 kernel/exit.c, do_exit): what guests have of it is taken from them. */
function* takeMemory(context: Context, actor: Actor, pid: number): DriverRun<void> {
  const { store } = context;
  for (const id of store.children(driverOf(context, MSHV), MSHV_PARTITION))
    yield* invalidate({ context, actor, partition: BigInt(store.key(id)), id }, pid);
}

/** A process that ends closes what it has open, lowest descriptor first (Linux fs/file.c, close_files). */
export function* processExit(context: Context, event: LifecycleEvent): DriverRun<Outcome> {
  const { pid } = event;
  if (pid !== undefined) {
    const actor = { component: 'mshv', cpu: event.cpu ?? 0 };
    yield* takeMemory(context, actor, pid);
    for (const fd of fdsOf(context, pid)) {
      const file = fileOfFd(context, pid, fd);
      removeFd(context, pid, fd);
      if (file !== undefined) yield* closeFile(context, actor, file, pid);
    }
    for (const call of [...context.waiting()])
      if (call.pid === pid) yield* releaseAfterCall(context, actor, call, pid) ?? [];
    removeProcess(context, pid);
  }
  return { ret: 0, rule: 'Linux.process.exit' };
}
