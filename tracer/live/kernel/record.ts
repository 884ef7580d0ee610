import { Emitter, type EventSink } from '../../sources/emitter.ts';
import type { TracefsProblem } from '../tracefs/root.ts';
import { type Family, IoctlSource, ioctlProbes, UPROBE_LIMIT } from '../uprobe/ioctl-probe.ts';
import { type Emitted, KernelEmitter } from './emit.ts';
import type { MsrRange } from './msr-ranges.ts';
import { Processes } from './processes.ts';
import { KernelSource, monotonicNs } from './source.ts';

export interface KernelRecordOptions {
  /** MSRs that are recorded besides the synthetic ones. */
  readonly msrs: readonly MsrRange[];
  /** The kernel's trace points and probes; without them the ioctls alone. */
  readonly kernel: boolean;
  /** Programs whose ioctls are recorded by uprobes: one that runs, or what this process starts in {@link onStart}. */
  readonly ioctlsOf?: Family;
  /** Ends the recording. */
  readonly signal: AbortSignal;
  /** Called every few milliseconds: does what is due where the events go. */
  readonly tick: () => void;
  /** Called once everything is switched on, with a line for each thing that this kernel lacks. */
  readonly onStart?: (lacks: readonly string[]) => void;
}

export interface KernelRecorded extends Emitted {
  readonly lacks: readonly string[];
  /** Events that the kernel dropped by its own count. */
  readonly overrun: number;
}

const NO_LIBRARY: TracefsProblem = {
  text: 'the program has no shared C library whose ioctl() a probe could stand on',
  remedy: 'leave out --uprobe: ptrace records it',
};

/** How often the buffers are read, in ms: at 400 000 events a second they hold for some tenths of a second. */
const READ_MS = 10;

/** Records what the kernel does into `sink` until the signal; whatever happens, its instance of tracefs is removed. */
export async function recordKernel(
  sink: EventSink,
  options: KernelRecordOptions,
): Promise<KernelRecorded | TracefsProblem> {
  const { ioctlsOf: family, kernel: hasKernel, msrs } = options;
  const probes =
    family === undefined ? undefined : ioctlProbes(family.kind === 'process' ? family.pid : 'self');
  if (family !== undefined && probes === undefined) return NO_LIBRARY;
  const ioctls =
    family === undefined || probes === undefined
      ? {}
      : { ioctls: { probes, source: new IoctlSource(family) } };
  const source = KernelSource.open({ msrs, kernel: hasKernel, ...ioctls });
  if ('text' in source) return source;
  try {
    const emitter = new Emitter(sink);
    const kernel = new KernelEmitter(emitter, new Processes(), monotonicNs());
    for (const line of source.lacks) emitter.note(`this kernel lacks ${line}`, 0);
    if (probes !== undefined) emitter.note(UPROBE_LIMIT, 0);
    source.start();
    options.onStart?.(source.lacks);
    await each(READ_MS, options.signal, () => {
      for (const item of source.drain()) kernel.add(item);
      options.tick();
    });
    for (const item of source.stop()) kernel.add(item);
    kernel.end();
    return { ...kernel.emitted, lacks: source.lacks, overrun: source.overrun() };
  } finally {
    source.close();
  }
}

/** Calls `work` every `ms` until the signal; rejects with what it throws. */
function each(ms: number, signal: AbortSignal, work: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearInterval(timer);
      resolve();
    };
    const timer = setInterval(() => {
      try {
        work();
      } catch (error) {
        clearInterval(timer);
        signal.removeEventListener('abort', stop);
        reject(error);
      }
    }, ms);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}
