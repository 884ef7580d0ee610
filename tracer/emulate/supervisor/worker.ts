import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { type CaptureFilter, captureFilterOf } from '../../../engine/filter/capture.ts';
import { syscall } from '../../native/libc.ts';
import { EFD_CLOEXEC_NONBLOCK, NR } from '../../native/numbers.ts';
import { midLife } from '../../sink/filtered.ts';
import {
  filteredRecording,
  plainRecording,
  type Recording,
  ringRecording,
  untilRecording,
  wholeRecording,
} from '../../sink/recording.ts';
import { copyPath } from '../../sink/ring.ts';
import { stretchOf } from '../../sink/ring-limit.ts';
import { abiNames, isProblem, TraceFileError, TraceWriter } from '../../store/index.ts';
import { Keeper } from '../keeper.ts';
import { CONTROL } from '../launcher/messages.ts';
import type { SupervisorData, SupervisorMessage } from './messages.ts';
import { Recorder } from './recorder.ts';
import { Supervisor } from './supervisor.ts';

/** The supervisor's thread. It does not come back to its event loop before the program has ended. */
const data = workerData as SupervisorData;
const tell = (message: SupervisorMessage, transfer: readonly MessagePort[] = []) =>
  parentPort?.postMessage(message, transfer);

/**
 * Some 500 calls. Of more rows, many outlive the room for what is new, and the heap grows by 20 MiB a second until it is next searched
 * as a whole.
 */
const PENDING_ROWS = 1024;

const { kept, header } = data;
const file = (path: string, isWhole: boolean, force: boolean) =>
  TraceWriter.create(path, isWhole ? header : midLife(header), {
    force,
    names: abiNames(header.profile),
    tool: data.tool,
    engine: data.engine,
    start: data.started,
    capture: { how: 'emulate', command: data.command, ...kept },
    pendingRows: PENDING_ROWS,
  });

const writer = file(data.path, kept.filter === undefined, data.force);
if (isProblem(writer)) {
  tell({ kind: 'refused', text: writer.text });
} else {
  tell({ kind: 'ready' });
  serve(writer);
}

/** What becomes of the events: a flight recorder gives the file up and makes it again at the end. */
function recordingFor(writer: TraceWriter): Recording {
  const until = read(kept.until);
  const filter = read(kept.filter);
  const first = (): Recording => {
    if (kept.ring !== undefined) {
      writer.abort();
      return ringRecording(kept.ring, header.profile, ringFile, (finding, number) =>
        tell({ kind: 'found', finding, copy: copyPath(data.path, number) }),
      );
    }
    if (filter !== undefined) return filteredRecording(writer, filter, () => performance.now());
    return until === undefined ? wholeRecording(writer) : plainRecording(writer);
  };
  return until === undefined ? first() : untilRecording(first(), until);
}

function ringFile(started: boolean, number: number | undefined): TraceWriter {
  const path = number === undefined ? data.path : copyPath(data.path, number);
  const made = file(path, started, data.force);
  if (isProblem(made)) throw new TraceFileError(made);
  return made;
}

function read(text: string | undefined): CaptureFilter | undefined {
  return text === undefined ? undefined : captureFilterOf(text, header.profile);
}

function serve(writer: TraceWriter): void {
  const { control } = data;
  Atomics.wait(control, CONTROL.listener, 0);
  const listener = Atomics.load(control, CONTROL.listener);
  if (listener < 0) {
    writer.abort();
    tell({ kind: 'refused', text: 'the program has no filter' });
    return;
  }
  const recorder = new Recorder(recordingFor(writer), () => Atomics.load(control, CONTROL.snapshots));
  const supervisor = new Supervisor({
    listener,
    window: data.window,
    profile: data.header.profile,
    recorder,
    ...(kept.ring === undefined ? {} : { checkpointEvents: stretchOf(kept.ring) }),
    keeper: new Keeper(data.keeper),
    wake: syscall(NR.eventfd2, 0, EFD_CLOEXEC_NONBLOCK),
    startVp: (vp) => tell({ kind: 'vp', data: vp }, [vp.port]),
  });
  recorder.flush();
  Atomics.store(control, CONTROL.serving, 1);
  Atomics.notify(control, CONTROL.serving);
  supervisor.run();
  const recorded = recorder.finish(supervisor.live.finish());
  const lacking = supervisor.lacking.counts;
  const { capture } = supervisor;
  const whole = {
    ...recorded,
    ...(lacking === undefined ? {} : { lacking }),
    ...(capture === undefined ? {} : { memory: { writtenWhileRunning: capture.writtenWhileRunning } }),
  };
  tell({ kind: 'recorded', recorded: whole });
}
