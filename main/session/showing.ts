/**
 * Runs in a worker thread: opens the trace, answers at once what the file alone can tell, replays and judges it, and then
 * answers everything. A thread of its own, because a replay of a million events takes seconds, and the main thread
 * keeps windows and connections alive. One thread and not two: the replay looks for requests every few milliseconds,
 * so that there is one open file and one order of answers. Nothing here knows Electron: workers have none of its modules.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { SessionCall } from '../../engine/app/border.ts';
import { NotYet } from '../../engine/app/session-parts.ts';
import type { Reply } from '../../engine/app/shell.ts';
import { pack } from '../../tracer/share/pack.ts';
import { isProblem, TraceFileError } from '../../tracer/store/index.ts';
import { firstLine, Problem } from '../cli/problem.ts';
import { openEvents } from '../cli/trace-events.ts';
import { refuseInput } from '../cli/trace-output.ts';
import { earlySession } from './early.ts';
import { OtherFile } from './other-file.ts';
import type { FromWorker, ToWorker, WorkerData } from './worker-messages.ts';

/** A window's first picture takes all there is of a small machine; a trace of more events is replayed after that. */
const LONG_EVENTS = 50_000;
/** So long the replay waits for the window to ask for its first picture, and then for it to be painted. */
const FIRST_PICTURE_MS = 1000;
const PAINTING_MS = 200;
/** Often enough for a bar that moves, seldom enough to cost nothing. */
const PROGRESS_EVERY_MS = 100;

/** Ends a replay whose trace is closed. */
class Closed extends Error {}

const port = parentPort;
if (port === null) throw new Error('this module runs in a worker thread');
const say = (message: FromWorker): void => port.postMessage(message);

try {
  const { task } = workerData as WorkerData;
  if (task.work === 'show') await show(task.path, task.other);
  else say({ kind: 'done', line: packed(task.path, task.to) });
} catch (error) {
  if (error instanceof Problem) say({ kind: 'failed', problem: error.message, exit: error.exit });
  else if (error instanceof TraceFileError) say({ kind: 'failed', problem: error.message, exit: 2 });
  else throw error;
}

async function show(path: string, second: string | undefined): Promise<void> {
  const trace = openEvents(path);
  const other = new OtherFile();
  if (second !== undefined) other.open(second);
  let session: { answer(call: SessionCall): unknown } = earlySession(path, trace, () => other.trace);
  let isClosed = false;
  const { promise: pictured, resolve: picture } = Promise.withResolvers<void>();
  const hear = (message: ToWorker): void => {
    if (message.kind === 'call') {
      say({ kind: 'answer', id: message.id, reply: replyOf(() => session.answer(message.call)) });
      // The last that a window asks for its first picture.
      if (message.call.method === 'timeline') picture();
      return;
    }
    if (message.kind === 'other') {
      say({ kind: 'answer', id: message.id, reply: replyOf(() => other.open(message.path)) });
      return;
    }
    isClosed = true;
    picture();
    trace.close();
    other.close();
    port?.close();
  };
  port?.on('message', hear);
  say({ kind: 'opened' });
  if (trace.source.count > LONG_EVENTS) {
    const late = setTimeout(picture, FIRST_PICTURE_MS);
    await pictured;
    clearTimeout(late);
    if (!isClosed) await delay(PAINTING_MS);
  }
  // Half of the program is the two sides of the hypervisor: the first answers do not wait for it to be loaded.
  const { replayedSession } = await import('./replayed.ts');
  if (isClosed) return;
  const breathe = (): void => {
    for (;;) {
      const received = port === null ? undefined : receiveMessageOnPort(port);
      if (received === undefined) break;
      hear(received.message as ToWorker);
      if (isClosed) throw new Closed();
    }
  };
  const goesOn = whileReplaying(trace.source.count, breathe);
  try {
    session = replayedSession(path, trace, goesOn, { other: () => other.trace, breathe });
    say({ kind: 'replayed' });
  } catch (error) {
    if (!(error instanceof Closed)) say({ kind: 'unreplayed', problem: firstLine(error) });
  }
}

/** What the replay does every few milliseconds: hears requests, and says how far it is. */
function whileReplaying(total: number, breathe: () => void): (done: number) => boolean {
  let last = performance.now();
  return (done) => {
    breathe();
    const now = performance.now();
    if (now - last >= PROGRESS_EVERY_MS) {
      last = now;
      say({ kind: 'progress', done, total });
    }
    return true;
  };
}

/** Whatever goes wrong with one request is the answer to that request. */
function replyOf(answer: () => unknown): Reply {
  try {
    return { value: answer() };
  } catch (error) {
    return error instanceof NotYet ? { waiting: true } : { problem: firstLine(error) };
  }
}

function packed(path: string, to: string): string {
  refuseInput('save', to, path);
  const trace = openEvents(path);
  try {
    // The dialog of the system has asked already whether an existing file may be replaced.
    const written = pack(trace.file, to, { force: true });
    if (isProblem(written)) throw new Problem(written.text);
    return `saved ${to}: ${written.events} events, ${written.bytes} bytes`;
  } finally {
    trace.close();
  }
}
