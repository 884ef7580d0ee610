import { parentPort, workerData } from 'node:worker_threads';
import { readCaptureFilter } from '../../../engine/filter/capture.ts';
import { syscall } from '../../native/libc.ts';
import { EFD_CLOEXEC_NONBLOCK, NR } from '../../native/numbers.ts';
import { midLife } from '../../sink/filtered.ts';
import { filteredRecording, type Recording, wholeRecording } from '../../sink/recording.ts';
import { abiNames, isProblem, TraceWriter } from '../../store/index.ts';
import { Keeper } from '../keeper.ts';
import { CONTROL } from '../launcher/messages.ts';
import type { SupervisorData, SupervisorMessage } from './messages.ts';
import { Recorder } from './recorder.ts';
import { Supervisor } from './supervisor.ts';

/** The supervisor's thread. It does not come back to its event loop before the program has ended. */
const data = workerData as SupervisorData;
const tell = (message: SupervisorMessage) => parentPort?.postMessage(message);

const filter = data.filter === undefined ? undefined : readCaptureFilter(data.filter, data.header.profile);
// The command has read it before.
if (filter !== undefined && 'problem' in filter) throw new Error(filter.problem);

const writer = TraceWriter.create(data.path, filter === undefined ? data.header : midLife(data.header), {
  force: data.force,
  names: abiNames(data.header.profile),
  tool: data.tool,
  engine: data.engine,
  start: data.started,
  capture: {
    how: 'emulate',
    command: data.command,
    ...(filter === undefined ? {} : { filter: filter.text }),
  },
});
if (isProblem(writer)) {
  tell({ kind: 'refused', text: writer.text });
} else {
  tell({ kind: 'ready' });
  serve(
    writer,
    filter === undefined
      ? wholeRecording(writer)
      : filteredRecording(writer, filter, () => performance.now()),
  );
}

function serve(writer: TraceWriter, recording: Recording): void {
  const { control } = data;
  Atomics.wait(control, CONTROL.listener, 0);
  const listener = Atomics.load(control, CONTROL.listener);
  if (listener < 0) {
    writer.abort();
    tell({ kind: 'refused', text: 'the program has no filter' });
    return;
  }
  const recorder = new Recorder(recording);
  const supervisor = new Supervisor({
    listener,
    window: data.window,
    profile: data.header.profile,
    recorder,
    keeper: new Keeper(data.keeper),
    wake: syscall(NR.eventfd2, 0, EFD_CLOEXEC_NONBLOCK),
    startVp: (vp) => tell({ kind: 'vp', data: vp }),
  });
  recorder.flush();
  Atomics.store(control, CONTROL.serving, 1);
  Atomics.notify(control, CONTROL.serving);
  supervisor.run();
  const recorded = recorder.finish(supervisor.live.finish());
  const lacking = supervisor.lacking.counts;
  tell({ kind: 'recorded', recorded: lacking === undefined ? recorded : { ...recorded, lacking } });
}
