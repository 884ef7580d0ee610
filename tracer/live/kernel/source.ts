import { readdirSync } from 'node:fs';
import { CpuBuffers, pageBytesOf } from '../tracefs/buffers.ts';
import { TracefsInstance } from '../tracefs/instance.ts';
import { openTracefs, type Tracefs, type TracefsProblem } from '../tracefs/root.ts';
import { KernelSymbols } from '../tracefs/symbols.ts';
import type { IoctlProbes, IoctlSource } from '../uprobe/ioctl-probe.ts';
import { KernelDecoder, type KernelItem } from './decoder.ts';
import { type MsrRange, msrFilter, SYNTHETIC_MSRS } from './msr-ranges.ts';
import { type KernelPlan, planKernel, probeDefinition } from './plan.ts';

export interface KernelSourceOptions {
  /** MSRs that are recorded besides the synthetic ones. */
  readonly msrs: readonly MsrRange[];
  /** The kernel's trace points and probes; without them the ioctls alone. */
  readonly kernel: boolean;
  /** Ioctls are recorded elsewhere: what trace points say of the same calls is a note. */
  readonly hasIoctls?: boolean;
  /** Probes on the ioctls of programs, and what makes events of their records. */
  readonly ioctls?: { readonly probes: IoctlProbes; readonly source: IoctlSource };
}

/** Room for events that wait to be read, per CPU. */
const BUFFER_KB = 8192;
/** A record can be this much younger than its place in the buffer lets on: its writer was interrupted. */
const MARGIN_NS = 20e6;

/** Nanoseconds on the clock that the buffers use too (CLOCK_MONOTONIC; trace_clock `mono`). */
export function monotonicNs(): number {
  return Number(process.hrtime.bigint());
}

/** The kernel's own trace points and probes, recorded through a private instance of tracefs. */
export class KernelSource {
  readonly lacks: readonly string[];
  readonly plan: KernelPlan;
  readonly #tracefs: Tracefs;
  readonly #instance: TracefsInstance;
  readonly #buffers: CpuBuffers;
  readonly #decoder: KernelDecoder;
  readonly #ioctls: IoctlSource | undefined;

  private constructor(
    tracefs: Tracefs,
    instance: TracefsInstance,
    buffers: CpuBuffers,
    decoder: KernelDecoder,
    ioctls: IoctlSource | undefined,
    plan: KernelPlan,
    lacks: readonly string[],
  ) {
    this.#ioctls = ioctls;
    this.#tracefs = tracefs;
    this.#instance = instance;
    this.#buffers = buffers;
    this.#decoder = decoder;
    this.plan = plan;
    this.lacks = lacks;
  }

  /** Makes the instance and switches everything on but the recording itself. */
  static open(options: KernelSourceOptions): KernelSource | TracefsProblem {
    const tracefs = openTracefs();
    if ('text' in tracefs) return tracefs;
    const instance = TracefsInstance.create(tracefs.path);
    if ('text' in instance) {
      tracefs.release();
      return instance;
    }
    const layout = instance.pageLayout;
    if (layout === undefined || !instance.write('trace_clock', 'mono')) {
      instance.remove();
      tracefs.release();
      return { text: 'tracefs of this kernel has no clock "mono"', remedy: 'Linux 4.2 or newer is needed' };
    }
    instance.write('tracing_on', '0');
    instance.write('buffer_size_kb', String(BUFFER_KB));
    leaveOut(instance);
    const symbols = KernelSymbols.ofRunningKernel();
    const plan = !options.kernel
      ? NOTHING
      : planKernel({
          hasEvent: (system, name) => instance.format(system, name) !== undefined,
          hasProbes: tracefsHasProbes(tracefs.path),
          hasSymbol: (name) => symbols.has(name),
        });
    const decoder = new KernelDecoder(
      {
        hasIoctls: options.ioctls !== undefined || options.hasIoctls === true,
        hasHypercalls: plan.probes.some(({ row }) => row.becomes === 'hypercall'),
      },
      symbols.hasAddresses ? symbols : undefined,
    );
    const refused = switchOn(instance, decoder, plan, options.msrs);
    const { ioctls } = options;
    if (ioctls !== undefined) refused.push(...switchOnIoctls(instance, decoder, ioctls));
    const hidden =
      symbols.hasAddresses || !options.kernel
        ? []
        : [
            'addresses of functions: events name no component (sysctl kernel.kptr_restrict=1 and root show them)',
          ];
    const buffers = new CpuBuffers(
      instance.path,
      layout,
      pageBytesOf(instance.read('buffer_subbuf_size_kb')),
    );
    return new KernelSource(tracefs, instance, buffers, decoder, ioctls?.source, plan, [
      ...plan.lacks,
      ...refused,
      ...hidden,
    ]);
  }

  /** Leaves the recorder's own threads out, those that were started since too. */
  leaveOutOwn(): void {
    leaveOut(this.#instance);
  }

  start(): void {
    this.#instance.write('tracing_on', '1');
  }

  /** Reads what there is; what is in order now comes back, oldest first. */
  drain(): KernelItem[] {
    return this.drainTo().items;
  }

  /** The same, and up to which time everything is there. */
  drainTo(): { readonly items: KernelItem[]; readonly before: number } {
    const now = monotonicNs();
    this.#ioctls?.lookAgain();
    const more = this.#buffers.drain(this.#decoder);
    const behind = [...more].map((cpu) => this.#decoder.lastOf(cpu));
    const before = Math.min(now - MARGIN_NS, ...behind);
    return { items: this.#decoder.take(before), before };
  }

  /** Ends the recording: everything that is left. */
  stop(): KernelItem[] {
    this.#instance.write('tracing_on', '0');
    while (this.#buffers.drain(this.#decoder).size > 0);
    return this.#decoder.take(Number.POSITIVE_INFINITY);
  }

  /** Events that the kernel overwrote since the start, by its own count. */
  overrun(): number {
    return this.#buffers.cpus.reduce((sum, cpu) => sum + this.#buffers.stats(cpu).overrun, 0);
  }

  /** Removes the instance and its probes. */
  close(): void {
    this.#buffers.close();
    this.#instance.remove();
    this.#tracefs.release();
  }
}

/** Its own reading is not what the recorder is for. */
function leaveOut(instance: TracefsInstance): void {
  instance.write('set_event_notrace_pid', readdirSync('/proc/self/task').join(' '));
}

const NOTHING: KernelPlan = { points: [], probes: [], lacks: [] };

/** Switches the probes on ioctl() on; returns a line where the kernel refuses them. */
function switchOnIoctls(
  instance: TracefsInstance,
  decoder: KernelDecoder,
  { probes, source }: NonNullable<KernelSourceOptions['ioctls']>,
): string[] {
  const { where, entryArgs, returnArgs, filter } = probes;
  for (const [kind, name, args, row] of [
    ['p', 'ioctl_entry', entryArgs, source.entry],
    ['r', 'ioctl_return', returnArgs, source.leave],
  ] as const) {
    const folder = `events/${instance.group}/${name}`;
    const format = instance.define(kind, name, where, args)
      ? instance.format(instance.group, name)
      : undefined;
    const isReady = format !== undefined && (kind === 'r' || instance.write(`${folder}/filter`, filter));
    if (!isReady || !instance.write(`${folder}/enable`, '1'))
      return ['uprobes: ioctls are not seen (CONFIG_UPROBE_EVENTS)'];
    decoder.add(format, row);
  }
  return [];
}

function tracefsHasProbes(path: string): boolean {
  return readdirSync(path).includes('kprobe_events');
}

/** Switches the events on; returns a line for each that the kernel refused. */
function switchOn(
  instance: TracefsInstance,
  decoder: KernelDecoder,
  { points, probes }: KernelPlan,
  msrs: readonly MsrRange[],
): string[] {
  const refused: string[] = [];
  const ranges = [SYNTHETIC_MSRS, ...msrs];
  const enable = (
    system: string,
    name: string,
    row: (typeof points)[number] | (typeof probes)[number]['row'],
  ): void => {
    const format = instance.format(system, name);
    const folder = `events/${system}/${name}`;
    const field = system === 'msr' ? 'msr' : name === 'kvm_msr' ? 'ecx' : undefined;
    const filter = field === undefined ? undefined : msrFilter(field, ranges);
    if (filter !== undefined && !instance.write(`${folder}/filter`, filter))
      refused.push(`${system}:${name}: no filter`);
    const wantsStack = system !== 'kvm' && (row.becomes === 'msr' || row.becomes === 'hypercall');
    if (
      wantsStack &&
      !instance.write(`${folder}/trigger`, `stacktrace${filter === undefined ? '' : ` if ${filter}`}`)
    ) {
      refused.push(`${system}:${name}: without stacks; its events name no component`);
    }
    if (format === undefined || !instance.write(`${folder}/enable`, '1'))
      refused.push(`${system}:${name} cannot be switched on`);
    else decoder.add(format, row);
  };
  for (const row of points) enable(row.system, row.name, row);
  for (const [index, probe] of probes.entries()) {
    const { kind, args } = probeDefinition(probe);
    const name = `${probe.symbol}_${probe.atReturn ? 'r' : 'p'}${index}`;
    if (instance.define(kind, name, probe.symbol, args)) enable(instance.group, name, probe.row);
    else refused.push(`a probe on ${probe.symbol} is refused by this kernel`);
  }
  const stack = instance.format('ftrace', 'kernel_stack');
  if (stack !== undefined) decoder.stacks(stack);
  return refused;
}
