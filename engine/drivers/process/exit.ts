import type { DriverRun, Outcome } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { LifecycleEvent } from '../../trace/event.ts';
import { closeFile } from './close.ts';
import { fdsOf, fileOfFd, removeFd, removeProcess } from './files.ts';

/** A process that ends closes what it has open, lowest descriptor first (Linux fs/file.c, close_files). */
export function* processExit(context: Context, event: LifecycleEvent): DriverRun<Outcome> {
  const { pid } = event;
  if (pid !== undefined) {
    for (const fd of fdsOf(context, pid)) {
      const file = fileOfFd(context, pid, fd);
      removeFd(context, pid, fd);
      if (file !== undefined) yield* closeFile(context, { component: 'mshv', cpu: event.cpu ?? 0 }, file);
    }
    removeProcess(context, pid);
  }
  return { ret: 0, rule: 'Linux.process.exit' };
}
