/**
 * Runs in a worker thread: opens the trace, replays and judges it, and answers the requests of the page. A thread of its
 * own, because a replay of a million events takes seconds, and the main thread of Electron is the one that keeps
 * windows alive. Nothing here knows Electron: workers have none of its modules.
 */
import { basename } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { openSession } from '../../engine/app/open.ts';
import type { Session } from '../../engine/app/session.ts';
import { pack } from '../../tracer/share/pack.ts';
import { isProblem, TraceFileError } from '../../tracer/store/index.ts';
import { Problem } from '../cli/problem.ts';
import { SIDES } from '../cli/sides.ts';
import { openTraceFile, remarksOf } from '../cli/trace.ts';
import { refuseInput } from '../cli/trace-output.ts';
import type { FromWorker, ToWorker, WorkerTask } from './worker-messages.ts';

/** Often enough for a bar that moves, seldom enough to cost nothing. */
const PROGRESS_EVERY_MS = 100;

const port = parentPort;
if (port === null) throw new Error('this module runs in a worker thread');
const say = (message: FromWorker): void => port.postMessage(message);

try {
  const task = workerData as WorkerTask;
  if (task.work === 'show') show(task.path);
  else say({ kind: 'done', line: packed(task.path, task.to) });
} catch (error) {
  if (!(error instanceof Problem || error instanceof TraceFileError)) throw error;
  say({ kind: 'failed', problem: error.message });
}

function show(path: string): void {
  const trace = openTraceFile(path);
  const session = sessionOf(path, trace);
  port?.on('message', (message: ToWorker) => {
    if (message.kind === 'close') {
      trace.close();
      port?.close();
    } else {
      say(answer(session, message));
    }
  });
  say({ kind: 'ready' });
}

function sessionOf(path: string, { source, file }: ReturnType<typeof openTraceFile>): Session {
  let last = performance.now();
  const progress = (done: number): boolean => {
    const now = performance.now();
    if (now - last >= PROGRESS_EVERY_MS) {
      last = now;
      say({ kind: 'progress', done, total: source.count });
    }
    return true;
  };
  const session = openSession({
    name: basename(path),
    source,
    sides: SIDES,
    remarks: remarksOf(file),
    progress,
  });
  say({ kind: 'progress', done: source.count, total: source.count });
  return session;
}

/** Whatever goes wrong with one request is the answer to that request, as it is over HTTP. */
function answer(session: Session, { id, call }: Extract<ToWorker, { kind: 'call' }>): FromWorker {
  try {
    return { kind: 'answer', id, value: session.answer(call) };
  } catch (error) {
    return { kind: 'refusal', id, problem: error instanceof Error ? error.message : String(error) };
  }
}

function packed(path: string, to: string): string {
  refuseInput('save', to, path);
  const trace = openTraceFile(path);
  try {
    // The dialog of the system has asked already whether an existing file may be replaced.
    const written = pack(trace.file, to, { force: true });
    if (isProblem(written)) throw new Problem(written.text);
    return `saved ${to}: ${written.events} events, ${written.bytes} bytes`;
  } finally {
    trace.close();
  }
}
