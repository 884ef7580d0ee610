import { parentPort, workerData } from 'node:worker_threads';
import { spawnProgram, waitForEnd } from '../../process/spawn.ts';
import { filterProgram } from '../filter/filter.ts';
import { installFilter } from '../notify/install.ts';
import { CONTROL, type LauncherData, type LauncherMessage } from './messages.ts';

/** The launcher: its thread, and only it, has the filter; the program inherits it. */
const { window, path, argv, environment, control } = workerData as LauncherData;
const tell = (message: LauncherMessage) => parentPort?.postMessage(message);

const listener = installFilter(filterProgram(window));
Atomics.store(control, CONTROL.listener, listener);
Atomics.notify(control, CONTROL.listener);
if (listener < 0) {
  tell({ kind: 'failed', step: 'filter', errno: -listener });
} else {
  // From here on the thread's own opens are handed over too: nothing may be loaded before somebody answers.
  Atomics.wait(control, CONTROL.serving, 0);
  const pid = spawnProgram(path, argv, environment);
  if (pid < 0) {
    tell({ kind: 'failed', step: 'spawn', errno: -pid });
  } else {
    tell({ kind: 'started', pid });
    tell({ kind: 'ended', status: waitForEnd(pid) });
  }
}
