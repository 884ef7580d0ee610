import type { TraceEvent } from '../../../engine/trace/event.ts';
import { timeNs } from '../../../engine/trace/position.ts';
import { parseProfile } from '../../../engine/trace/profile-read.ts';
import { formatEvent, textContext } from '../../../engine/trace/text/index.ts';
import { Emitter } from '../../sources/emitter.ts';
import { DECLARED } from '../../sources/kernel/declared.testing.ts';
import { TRACE_POINTS } from '../../sources/kernel/meanings.ts';
import { PROBES, type Probe } from '../../sources/kernel/probes.ts';
import { type EventFormat, parseFormat } from '../tracefs/format.ts';
import { readPage as read, type readPage } from '../tracefs/page.ts';
import { entry, formatText, LAYOUT, page, recordBytes } from '../tracefs/pages.testing.ts';
import { KernelSymbols } from '../tracefs/symbols.ts';
import { KernelDecoder } from './decoder.ts';
import { KernelEmitter } from './emit.ts';

type Values = Readonly<Record<string, bigint | number | readonly bigint[]>>;

/** A record as it will stand on a page: which event, of which thread, so many ns after the one before. */
export interface Written {
  readonly event: string;
  readonly tid: number;
  readonly after: number;
  readonly values?: Values;
}

const ORIGIN = 1_000_000;
const SYMBOLS = `
ffffffff81000000 T startup_64
ffffffff81200000 T hv_synic_disable_regs\t[hv_vmbus]
ffffffff81200100 t mshv_synic_cpu_exit\t[mshv_root]
ffffffff81200200 T hv_stimer_cleanup
ffffffff81200300 T native_send_call_func_ipi
ffffffff81200400 D hv_synic_data
`;
/** Inside of functions of the symbols above. */
export const FRAMES = {
  vmbus: 0xffffffff81200010n,
  mshv: 0xffffffff81200180n,
  timer: 0xffffffff81200204n,
  arch: 0xffffffff812003f0n,
} as const;

export const probeName = (probe: Probe): string => `${probe.symbol}${probe.atReturn ? ':return' : ''}`;

/** A kernel whose buffers are built byte by byte: formats from what the kernel's sources declare, pages of records. */
export class WrittenKernel {
  readonly #formats = new Map<string, EventFormat>();
  readonly #decoder: KernelDecoder;

  constructor(given = { hasIoctls: false, hasHypercalls: false }) {
    this.#decoder = new KernelDecoder(given, new KernelSymbols(SYMBOLS));
    for (const { system, name, fields } of DECLARED) {
      const row = TRACE_POINTS.find((candidate) => candidate.system === system && candidate.name === name);
      if (row !== undefined) this.#decoder.add(this.#format(name, formatText(name, this.#id, fields)), row);
    }
    for (const probe of PROBES) {
      const fields = probe.atReturn
        ? [['u64', 'ret'] as const]
        : probe.args.map(({ name }) => ['u64', name] as const);
      const name = probeName(probe);
      this.#decoder.add(
        this.#format(name, formatText(name, this.#id, [['unsigned long', '__probe_ip'], ...fields])),
        probe.row,
      );
    }
    const stack = `${formatText('kernel_stack', this.#id, [['int', 'size']])}
\tfield:unsigned long caller[8];\toffset:16;\tsize:64;\tsigned:0;`;
    this.#decoder.stacks(this.#format('kernel_stack', stack));
  }

  get #id(): number {
    return 100 + this.#formats.size;
  }

  #format(name: string, text: string): EventFormat {
    const format = parseFormat(text);
    if (format === undefined) throw new Error(`the format of ${name}`);
    this.#formats.set(name, format);
    return format;
  }

  /** A page of CPU `cpu` is read whose first record comes `t` ns after the start of the trace. */
  page(cpu: number, t: number, records: readonly Written[], lost: Parameters<typeof page>[2] = 0): void {
    const entries = records.map(({ event, tid, after, values = {} }) => {
      const format = this.#formats.get(event);
      if (format === undefined) throw new Error(`no event ${event}`);
      return entry(after, recordBytes(format, tid, values));
    });
    this.raw(cpu, page(ORIGIN + t, entries, lost));
  }

  raw(cpu: number, view: DataView): void {
    const visit: Parameters<typeof readPage>[2] = (t, at, length) =>
      this.#decoder.record(cpu, t, view, at, length);
    this.#decoder.page(cpu, read(view, LAYOUT, visit));
  }

  /** Everything as event text, with what the file would have after the calls have returned. */
  text(): string[] {
    const events: TraceEvent[] = [];
    const emitter = new Emitter({
      append: (event) => events.push(event),
      begin: (event) => events.push(event),
      complete: (seq, answer) => {
        events[seq - 1] = { ...events[seq - 1], ...answer } as TraceEvent;
      },
    });
    const kernel = new KernelEmitter(emitter, { of: (tid) => ({ pid: tid - (tid % 10) }) }, ORIGIN);
    for (const item of this.#decoder.take(Number.POSITIVE_INFINITY)) kernel.add(item);
    kernel.end();
    const profile = parseProfile({ kernel: 'unknown', initial: 'unknown', cpus: 4 });
    if ('problem' in profile) throw new Error(profile.problem.message);
    const context = textContext(profile.profile);
    return events.map((event) => formatEvent({ ...event, t: timeNs(event.t) }, context));
  }
}
