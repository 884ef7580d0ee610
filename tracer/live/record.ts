import { readFileSync, rmSync } from 'node:fs';
import type { Sides } from '../../engine/machine/machine.ts';
import { dialectOf } from '../../engine/trace/dialect.ts';
import type { TraceHeader } from '../../engine/trace/profile.ts';
import { Arena } from '../native/arena.ts';
import { syscall } from '../native/libc.ts';
import { NR, O_CLOEXEC } from '../native/numbers.ts';
import { Party, startThread } from '../process/party.ts';
import { findProgram } from '../process/program.ts';
import { onEnding, passSignals } from '../process/signals.ts';
import { makeOutputBlocking } from '../process/standard-files.ts';
import { midLife } from '../sink/filtered.ts';
import type { Kept } from '../sink/kept.ts';
import { abiNames, isProblem, TraceWriter } from '../store/index.ts';
import type { MsrRange } from './kernel/msr-ranges.ts';
import type { KernelRecorded } from './kernel/record.ts';
import { KernelSource } from './kernel/source.ts';
import { RingReader, ringMemory } from './ring/ring.ts';
import { openTarget } from './target.ts';
import type { Mode, TracerData, TracerMessage } from './thread/messages.ts';
import { refusal, usage } from './trouble.ts';
import { Writing } from './writing.ts';

/** Some seconds of calls with their buffers, for when the disk is slow. */
const RING_BYTES = 32 << 20;
/** How often what was seen is written, in ms. */
const WRITE_MS = 10;

export interface RecordOptions {
  /** Where the trace goes. */
  readonly path: string;
  readonly header: TraceHeader;
  /** The user has said which kernel it is: no call is to tell better. */
  readonly isKernelGiven: boolean;
  readonly force: boolean;
  readonly kept: Kept;
  /** What a flight recorder has the machine's state from. */
  readonly sides: Sides;
  /** The kernel's own events are recorded beside: MSRs that are besides the synthetic ones. */
  readonly kernel?: { readonly msrs: readonly MsrRange[] };
  /** The recording ends after so long; the program is let go then. */
  readonly endMs?: number;
  readonly target:
    | { readonly kind: 'launch'; readonly command: readonly string[]; readonly keepAlive: boolean }
    | { readonly kind: 'attach'; readonly pid: number };
  /** Versions of the program and of the engine, for the file. */
  readonly tool: string;
  readonly engine: string;
  /** Tells the user something while the program runs: one line. */
  readonly tell: (line: string) => void;
}

/** What a recording came to. `status` as a shell says it; absent where the program was let go and goes on. */
export interface Recorded {
  readonly events: number;
  readonly mode: Mode;
  readonly status?: number;
  /** Events that found no room and are missing: a mark says where. */
  readonly lost: number;
  /** Events that a filter did not match. */
  readonly dropped?: number;
  /** The file took no more from some point on. */
  readonly failure?: string;
  /** What the kernel's own events came to. */
  readonly kernel?: KernelRecorded;
}

/** Why nothing was recorded; `environment`: this machine lacks something, else the user can mend it. */
export interface RecordProblem {
  readonly text: string;
  readonly environment: boolean;
}

/**
 * Records a program by ptrace: one that it starts, or one that runs. The program has this process's standard files;
 * signals that this process gets are passed on to it, or let it go. Resolves when the program, and whatever it started,
 * has ended or was let go.
 */
export async function recordProgram(options: RecordOptions): Promise<Recorded | RecordProblem> {
  const { target, kept } = options;
  const header = kept.filter === undefined ? options.header : midLife(options.header);
  if (target.kind === 'launch' && findProgram(target.command[0] ?? '') === undefined)
    return usage(`${target.command[0]}: no such program`);
  let writing: Writing | undefined;
  const into = openTarget({
    ...{ path: options.path, header, present: () => writing?.header ?? header, kept },
    ...{ sides: options.sides, tell: options.tell },
    create: (path, own, profile) =>
      TraceWriter.create(path, own, {
        force: options.force,
        names: { ...abiNames(own.profile), ioctl: (...call) => abiNames(profile()).ioctl(...call) },
        tool: options.tool,
        engine: options.engine,
        start: new Date().toISOString(),
        capture: {
          how: options.kernel === undefined ? 'ptrace' : 'ptrace and tracefs',
          ...kept,
          ...(target.kind === 'launch' ? { command: target.command } : { pid: target.pid }),
        },
      }),
  });
  if (isProblem(into)) return usage(into.text);
  const source =
    options.kernel === undefined
      ? undefined
      : KernelSource.open({ msrs: options.kernel.msrs, kernel: true, hasIoctls: true });
  if (source !== undefined && 'text' in source) {
    into.abort();
    rmSync(options.path, { force: true });
    return { text: `${source.text}; ${source.remedy}`, environment: true };
  }
  for (const line of source?.lacks ?? []) options.tell(`this kernel lacks ${line}`);
  const start = process.hrtime.bigint();
  const memory = ringMemory(RING_BYTES);
  writing = new Writing(new RingReader(memory), into, header, {
    ...(kept.until === undefined ? {} : { until: kept.until }),
    ...(source === undefined ? {} : { kernel: { source, origin: Number(start) } }),
  });
  const pipe = new Arena(8);
  syscall(NR.pipe2, pipe.address, O_CLOEXEC);
  const letGo = new LetGo(pipe.view.getInt32(4, true));
  makeOutputBlocking();
  const data: TracerData = {
    memory,
    target: target.kind === 'attach' ? target : launching(target),
    start,
    dialect: dialectOf(header.profile.kernel),
    isDialectGiven: options.isKernelGiven,
    letGo: pipe.view.getInt32(0, true),
  };
  const tracer = new Party<TracerMessage>('tracing thread', startThread(import.meta.url, 'thread', data));
  const timer = setInterval(() => writing.drain(), WRITE_MS);
  try {
    const first = await tracer.next();
    if (first.kind === 'failed') {
      into.abort();
      rmSync(options.path, { force: true });
      return refusal(first.step, first.errno, target.kind === 'attach' ? target.pid : undefined);
    }
    if (first.kind !== 'started') throw new Error(`the tracing thread began with ${first.kind}`);
    const { mode, pid } = first;
    source?.leaveOutOwn();
    if (options.endMs !== undefined) setTimeout(() => letGo.now(), options.endMs).unref();
    const stop = listen(options, mode, pid, letGo, writing);
    const ended = await tracer.next().finally(stop);
    if (ended.kind !== 'ended') throw new Error(`the tracing thread ended with ${ended.kind}`);
    writing.close();
    return {
      ...{ events: writing.events, mode, lost: writing.lost },
      ...(ended.status === undefined ? {} : { status: ended.status }),
      ...(writing.dropped === 0 ? {} : { dropped: writing.dropped }),
      ...(writing.failure === undefined ? {} : { failure: writing.failure }),
      ...(writing.kernel === undefined ? {} : { kernel: writing.kernel }),
    };
  } finally {
    clearInterval(timer);
    letGo.now();
    source?.close();
  }
}

/** The tracing thread lets the program go when this end of the pipe closes. */
class LetGo {
  #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  now(): void {
    if (this.#fd >= 0) syscall(NR.close, this.#fd);
    this.#fd = -1;
  }
}

function launching(target: {
  readonly command: readonly string[];
  readonly keepAlive: boolean;
}): TracerData['target'] {
  return {
    ...target,
    kind: 'launch',
    mode: target.keepAlive || isFiltered() ? 'every-call' : 'filter',
    environment: Object.entries(process.env).map(([key, value]) => `${key}=${value}`),
  };
}

/** Whether a seccomp filter stands above this process: it may answer before a tracer hears of a call. */
function isFiltered(): boolean {
  const status = readFileSync('/proc/self/status', 'latin1');
  const count = /^Seccomp_filters:\s*(\d+)/m.exec(status) ?? /^Seccomp:\s*(\d+)/m.exec(status);
  return count !== null && count[1] !== '0';
}

/**
 * What signals to this process do: a program of ours gets them; one that is to survive is let go, and so is any by
 * SIGUSR2, but for one with a filter: without a tracer its ioctls would fail. SIGUSR2 is what a flight recorder writes at.
 */
function listen(
  { target, tell, kept }: RecordOptions,
  mode: Mode,
  pid: number,
  letGo: LetGo,
  writing: Writing,
): () => void {
  const go = () => letGo.now();
  const onUser = () => {
    if (kept.ring !== undefined) writing.snapshot();
    else if (mode === 'every-call') go();
    else
      tell('the program cannot be let go: its filter would make its ioctls fail; start it with --keep-alive');
  };
  const survives = target.kind === 'attach' || target.keepAlive;
  const stopListening = survives ? onEnding(go) : passSignals(pid);
  process.on('SIGUSR2', onUser);
  return () => {
    stopListening();
    process.off('SIGUSR2', onUser);
  };
}
