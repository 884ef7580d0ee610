import { parentPort, workerData } from 'node:worker_threads';
import { spawnProgram } from '../../process/spawn.ts';
import { Ptrace } from '../../ptrace/ptrace.ts';
import { Capture } from '../capture/capture.ts';
import { RingWriter } from '../ring/ring.ts';
import { attach } from './attach.ts';
import { launch, reachesProgram } from './launch.ts';
import type { TracerData, TracerMessage } from './messages.ts';
import { Tracer } from './tracer.ts';

/** The tracing thread. It does not come back to its event loop before the program has ended or was let go. */
const data = workerData as TracerData;
const tell = (message: TracerMessage) => parentPort?.postMessage(message);

const ptrace = new Ptrace();
const { target } = data;
const capture = new Capture({
  ring: new RingWriter(data.memory),
  dialect: data.dialect,
  isGiven: data.isDialectGiven,
  start: data.start,
});
/** Ends when the other end of the pipe is closed: that wakes the wait for stops. */
const waker = spawnProgram('/bin/sh', ['sh', '-c', 'read -r end <&9'], [], [[data.letGo, 9]]);

if (target.kind === 'attach') {
  const tracer = new Tracer({ ptrace, capture, mode: 'every-call', root: target.pid, waker });
  const failed = attach(ptrace, tracer, target.pid);
  if (failed < 0) {
    tell({ kind: 'failed', step: 'seize', errno: -failed });
  } else {
    capture.found(target.pid);
    tell({ kind: 'started', pid: target.pid, mode: 'every-call' });
    tell({ kind: 'ended', status: tracer.run() });
  }
} else {
  const launched = launch(ptrace, target);
  if ('kind' in launched) {
    tell(launched);
  } else {
    const { pid, mode } = launched;
    const { status } = reachesProgram(ptrace, pid, mode);
    tell({ kind: 'started', pid, mode });
    if (status !== undefined) {
      tell({ kind: 'ended', status });
    } else {
      const tracer = new Tracer({ ptrace, capture, mode, root: pid, waker });
      tracer.begin(pid);
      tell({ kind: 'ended', status: tracer.run() });
    }
  }
}
