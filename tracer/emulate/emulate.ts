import { isatty } from 'node:tty';
import { Worker } from 'node:worker_threads';
import type { TraceHeader } from '../../engine/trace/profile.ts';
import { windowUnder } from './filter/window.ts';
import { startKeeper } from './keeper.ts';
import { CONTROL, type LauncherData, type LauncherMessage } from './launcher/messages.ts';
import { descriptorLimit, findProgram } from './launcher/program.ts';
import { makeOutputBlocking } from './launcher/standard-files.ts';
import { syscall } from './native/libc.ts';
import { ERRNO, NR } from './native/numbers.ts';
import type { Recorded, SupervisorData, SupervisorMessage } from './supervisor/messages.ts';
import type { VpData } from './vp/messages.ts';

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
}

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
  const control = new Int32Array(new SharedArrayBuffer(4 * CONTROL.words));
  const keeper = startKeeper();
  try {
    const supervisor = new Party<SupervisorMessage>(
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
      } satisfies SupervisorData,
      startVps,
    );
    const ready = await supervisor.next();
    if (ready.kind === 'refused') return usage(ready.text);
    makeOutputBlocking();
    const launcher = new Party<LauncherMessage>('launcher', {
      window,
      path: program,
      argv: options.command,
      environment: Object.entries(process.env).map(([key, value]) => `${key}=${value}`),
      control,
    } satisfies LauncherData);
    const status = await runProgram(launcher);
    const ended = await supervisor.next();
    if (typeof status !== 'number') return status;
    if (ended.kind !== 'recorded') throw new Error(`the supervisor ended with ${ended.kind}`);
    return { status, ...ended.recorded };
  } finally {
    syscall(NR.close, keeper.fd);
  }
}

/** Threads of VPs live in this process; the supervisor cannot start them, as it never comes back to its event loop. */
function startVps(message: SupervisorMessage): boolean {
  if (message.kind !== 'vp') return false;
  start('vp', message.data).on('error', (error) => {
    throw error;
  });
  return true;
}

function usage(text: string): EmulateProblem {
  return { text, environment: false };
}

/** Follows the program from its start to its end; returns its status. */
async function runProgram(launcher: Party<LauncherMessage>): Promise<number | EmulateProblem> {
  const first = await launcher.next();
  if (first.kind === 'failed') return failure(first.step, first.errno);
  if (first.kind !== 'started') throw new Error(`the launcher began with ${first.kind}`);
  const stop = passSignals(first.pid);
  try {
    const last = await launcher.next();
    if (last.kind !== 'ended') throw new Error(`the launcher ended with ${last.kind}`);
    return last.status;
  } finally {
    stop();
  }
}

function failure(step: 'filter' | 'spawn', errno: number): EmulateProblem {
  if (step === 'spawn') return usage(`the program cannot be started: errno ${errno}`);
  const why =
    errno === ERRNO.EINVAL
      ? 'this kernel has no seccomp notification that signals leave alone: Linux 5.19 or newer is needed'
      : `seccomp notification is not permitted here: errno ${errno}; a container may forbid it`;
  return { text: why, environment: true };
}

/** A terminal sends these to the program as well: it is in the same group. */
const FROM_TERMINAL = new Set<NodeJS.Signals>(['SIGINT', 'SIGQUIT']);

/** What this process is told goes to the program, which decides. Returns what ends that. */
function passSignals(pid: number): () => void {
  const signals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP'];
  const pass = (signal: NodeJS.Signals) => {
    if (FROM_TERMINAL.has(signal) && isatty(0)) return;
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended: its end is on the way.
    }
  };
  for (const signal of signals) process.on(signal, pass);
  return () => {
    for (const signal of signals) process.off(signal, pass);
  };
}

function start(name: 'launcher' | 'supervisor' | 'vp', data: LauncherData | SupervisorData | VpData): Worker {
  // Published, the project is JavaScript.
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  // Their output must not be piped: that would touch the standard files, which belong to the program.
  return new Worker(new URL(`./${name}/worker.${ending}`, import.meta.url), {
    workerData: data,
    stdout: true,
    stderr: true,
  });
}

/** A worker that says one thing after the other. */
class Party<Message> {
  readonly #messages: Message[] = [];
  #failed: Error | undefined;
  #wake: () => void = () => {};

  constructor(
    name: 'launcher' | 'supervisor',
    data: LauncherData | SupervisorData,
    handle?: (message: Message) => boolean,
  ) {
    const worker = start(name, data);
    worker.on('message', (message: Message) => {
      if (handle?.(message) === true) return;
      this.#messages.push(message);
      this.#wake();
    });
    worker.on('error', (error) => this.#fail(error as Error));
    worker.on('exit', () => this.#fail(new Error(`the ${name} ended without a word`)));
  }

  /** The next thing that it says; throws when it ends instead. */
  async next(): Promise<Message> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) return message;
      if (this.#failed !== undefined) throw this.#failed;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #fail(error: Error): void {
    this.#failed ??= error;
    this.#wake();
  }
}
