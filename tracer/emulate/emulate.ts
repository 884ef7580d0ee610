import { rmSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import type { TraceHeader } from '../../engine/trace/profile.ts';
import { syscall } from '../native/libc.ts';
import { giveFreePagesBack, limitArenas } from '../native/malloc.ts';
import { ERRNO, NR } from '../native/numbers.ts';
import { Party, startThread } from '../process/party.ts';
import { descriptorLimit, findProgram, raiseDescriptorLimit } from '../process/program.ts';
import { passSignals, send } from '../process/signals.ts';
import { makeOutputBlocking } from '../process/standard-files.ts';
import type { Kept } from '../sink/kept.ts';
import { toldOf } from '../sink/ring-files.ts';
import { windowUnder } from './filter/window.ts';
import { startKeeper } from './keeper.ts';
import { letGo } from './launcher/let-go.ts';
import { CONTROL, type LauncherData, type LauncherMessage } from './launcher/messages.ts';
import type { Recorded, SupervisorData, SupervisorMessage } from './supervisor/messages.ts';

export interface EmulateOptions {
  /** Where the trace goes. */
  readonly path: string;
  readonly header: TraceHeader;
  readonly force: boolean;
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** Versions of the program and of the engine, for the file. */
  readonly tool: string;
  readonly engine: string;
  readonly kept: Kept;
  /** Tells the user something while the program runs: one line. */
  readonly tell: (line: string) => void;
}

/** Events live until they are written: with more room for what is new, the heap grows by what waits, and does not shrink again. */
const SUPERVISOR_LIMITS = { maxYoungGenerationSizeMb: 16 };
/** A guest leaves little to collect: with the usual room for what is new, a thread would take some 8 MiB more. */
const VP_LIMITS = { maxYoungGenerationSizeMb: 3 };
/** The supervisor's thread does nearly all the work: with an arena each, all threads together keep some 20 MiB more. */
const MOST_ARENAS = 2;

/**
 * A thread collects its garbage once its heap has grown by half: V8 would let the supervisor's grow to three times what it
 * needs.
 */
const COLLECTS_SOON = '--heap-growing-percent=50';

/** How often the C library gives back what threads have freed: else it keeps some 40 MiB in pieces. */
const GIVE_BACK_MS = 5000;

/** What became of the program. `status` as a shell says it: 128 + signal when it was killed. */
export interface Emulated extends Recorded {
  readonly status: number;
}

/** Why the program was not started; `environment`: this machine lacks something, else the user can mend it. */
export interface EmulateProblem {
  readonly text: string;
  readonly environment: boolean;
}

/**
 * Runs an unmodified program against an emulated /dev/mshv and records it. The program has this process's standard
 * files; signals that this process gets are passed on to it. Resolves when it, and whatever it started, has ended.
 */
export async function emulate(options: EmulateOptions): Promise<Emulated | EmulateProblem> {
  const [name = ''] = options.command;
  const program = findProgram(name);
  if (program === undefined) return usage(`${name}: no such program`);
  const window = windowUnder(descriptorLimit());
  if (window === undefined) return usage('the limit on open files is too low: raise it (ulimit -n 1024)');
  setFlagsFromString(COLLECTS_SOON);
  const control = new Int32Array(new SharedArrayBuffer(4 * CONTROL.words));
  limitArenas(MOST_ARENAS);
  const keeper = startKeeper();
  const giving = setInterval(giveFreePagesBack, GIVE_BACK_MS);
  try {
    const serving = startThread(
      import.meta.url,
      'supervisor',
      {
        window,
        keeper: keeper.fd,
        control,
        path: options.path,
        header: options.header,
        force: options.force,
        tool: options.tool,
        engine: options.engine,
        started: new Date().toISOString(),
        command: options.command,
        kept: options.kept,
      } satisfies SupervisorData,
      [],
      SUPERVISOR_LIMITS,
    );
    const supervisor = new Party<SupervisorMessage>(
      'supervisor',
      serving,
      (message) => startVps(message, (error) => supervisor.fail(error)) || tellFound(message, options.tell),
    );
    const ready = await supervisor.next();
    if (ready.kind === 'refused') return usage(ready.text);
    makeOutputBlocking();
    const thread = startThread(import.meta.url, 'launcher', {
      window,
      path: program,
      argv: options.command,
      environment: Object.entries(process.env).map(([key, value]) => `${key}=${value}`),
      control,
    } satisfies LauncherData);
    const launcher = new Party<LauncherMessage>('launcher', thread);
    let pid: number | undefined;
    const watching = options.kept.ring !== undefined;
    const ask = () => Atomics.add(control, CONTROL.snapshots, 1);
    try {
      const recorded = supervisor.next();
      const failed = recorded.then(() => new Promise<never>(() => {}));
      const first = await Promise.race([launcher.next(), failed]);
      // Of the program itself nothing is recorded then: the file goes again.
      if (first.kind === 'failed') {
        await recorded;
        rmSync(options.path, { force: true });
        return failure(first.step, first.errno);
      }
      if (first.kind !== 'started') throw new Error(`the launcher began with ${first.kind}`);
      pid = first.pid;
      // The program has its own by now: what all its processes have open is open here too.
      raiseDescriptorLimit();
      if (watching) process.on('SIGUSR2', ask);
      return await follow(pid, launcher, recorded);
    } catch (error) {
      // Without its supervisor the program would wait for ever.
      if (pid !== undefined) send(pid, 'SIGKILL');
      await serving.terminate();
      await letGo(thread, Atomics.load(control, CONTROL.listener));
      throw error;
    } finally {
      process.off('SIGUSR2', ask);
    }
  } finally {
    clearInterval(giving);
    syscall(NR.close, keeper.fd);
  }
}

/** Threads of VPs live in this process; the supervisor cannot start them, as it never comes back to its event loop. */
function startVps(message: SupervisorMessage, fail: (error: Error) => void): boolean {
  if (message.kind !== 'vp') return false;
  startThread(import.meta.url, 'vp', message.data, [message.data.port], VP_LIMITS).on('error', fail);
  return true;
}

function tellFound(message: SupervisorMessage, tell: EmulateOptions['tell']): boolean {
  if (message.kind !== 'found') return false;
  tell(toldOf(message.finding, message.copy));
  return true;
}

/** From the program's start to its end, and that of all that it started. */
async function follow(
  pid: number,
  launcher: Party<LauncherMessage>,
  recorded: Promise<SupervisorMessage>,
): Promise<Emulated> {
  const stop = passSignals(pid);
  try {
    const [last, ended] = await Promise.all([launcher.next(), recorded]);
    if (last.kind !== 'ended') throw new Error(`the launcher ended with ${last.kind}`);
    if (ended.kind !== 'recorded') throw new Error(`the supervisor ended with ${ended.kind}`);
    return { status: last.status, ...ended.recorded };
  } finally {
    stop();
  }
}

function usage(text: string): EmulateProblem {
  return { text, environment: false };
}

function failure(step: 'filter' | 'spawn', errno: number): EmulateProblem {
  if (step === 'spawn') return usage(`the program cannot be started: errno ${errno}`);
  const why =
    errno === ERRNO.EINVAL
      ? 'this kernel has no seccomp notification that signals leave alone: Linux 5.19 or newer is needed'
      : `seccomp notification is not permitted here: errno ${errno}; a container may forbid it`;
  return { text: why, environment: true };
}
