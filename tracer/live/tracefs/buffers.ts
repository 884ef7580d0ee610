import { closeSync, constants, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { type PageLayout, type PageResult, readPage } from './page.ts';

/** Gets the records of one CPU in order, and after each page what it held besides, lost events always with their number. */
export interface BufferVisitor {
  record(cpu: number, t: number, view: DataView, at: number, length: number): void;
  page(cpu: number, result: PageResult): void;
}

/** Pages read from one CPU at a time, so that a flood on one does not starve the others. */
const MAX_PAGES = 256;

/** What the kernel itself counts for a CPU's buffer (`per_cpu/cpuN/stats`). */
export interface BufferStats {
  readonly entries: number;
  readonly overrun: number;
  readonly dropped: number;
  readonly readEvents: number;
}

interface CpuBuffer {
  readonly cpu: number;
  readonly fd: number;
  /** Lost events that were told so far. */
  lost: number;
  /** A page did not say how many were lost before it: from then on the counter of the buffer does. */
  isCounted: boolean;
}

/** The binary buffers of all CPUs of an instance, read without waiting (`per_cpu/cpuN/trace_pipe_raw`). */
export class CpuBuffers {
  readonly #path: string;
  readonly #layout: PageLayout;
  readonly #buffers: CpuBuffer[] = [];
  readonly #page: Uint8Array;
  readonly #view: DataView;

  /** `path` of the instance. */
  constructor(path: string, layout: PageLayout, pageBytes: number) {
    this.#path = path;
    this.#layout = layout;
    this.#page = new Uint8Array(pageBytes);
    this.#view = new DataView(this.#page.buffer);
    for (const name of readdirSync(`${path}/per_cpu`)) {
      const cpu = Number(/^cpu(\d+)$/.exec(name)?.[1]);
      if (!Number.isInteger(cpu)) continue;
      const file = `${path}/per_cpu/${name}/trace_pipe_raw`;
      const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
      this.#buffers.push({ cpu, fd, lost: 0, isCounted: false });
    }
    this.#buffers.sort((a, b) => a.cpu - b.cpu);
  }

  get cpus(): readonly number[] {
    return this.#buffers.map(({ cpu }) => cpu);
  }

  /** Reads what is there, up to a bound. Resolves to the CPUs whose buffers were not read to their end. */
  drain(visitor: BufferVisitor): ReadonlySet<number> {
    const more = new Set<number>();
    for (const buffer of this.#buffers) {
      const { cpu, fd } = buffer;
      const visit = (t: number, at: number, length: number): void =>
        visitor.record(cpu, t, this.#view, at, length);
      let pages = 0;
      while (pages < MAX_PAGES) {
        const length = this.#read(fd);
        if (length === 0) break;
        pages += 1;
        const view = length === this.#page.length ? this.#view : new DataView(this.#page.buffer, 0, length);
        const result = readPage(view, this.#layout, visit);
        visitor.page(cpu, result.lost === 0 ? result : { ...result, lost: this.#lost(buffer, result.lost) });
      }
      if (pages === MAX_PAGES) more.add(cpu);
    }
    return more;
  }

  stats(cpu: number): BufferStats {
    const text = readFileSync(`${this.#path}/per_cpu/cpu${cpu}/stats`, 'utf8');
    const count = (name: string): number => Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
    return {
      entries: count('entries'),
      overrun: count('overrun'),
      dropped: count('dropped events'),
      readEvents: count('read events'),
    };
  }

  close(): void {
    for (const { fd } of this.#buffers) closeSync(fd);
    this.#buffers.length = 0;
  }

  /**
   * Events lost before a page. One that is full has no room for their number: then it is what the buffer's counter has beyond
   * those told before. That may include some that are lost after this page, so the pages after it are told by the counter too.
   */
  #lost(buffer: CpuBuffer, told: number | undefined): number {
    buffer.isCounted ||= told === undefined;
    const { lost } = buffer;
    const now = buffer.isCounted ? Math.max(0, this.stats(buffer.cpu).overrun - lost) : (told ?? 0);
    buffer.lost += now;
    return now;
  }

  #read(fd: number): number {
    try {
      return readSync(fd, this.#page, 0, this.#page.length, null);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // EBUSY: tracing is being set up; ENODEV: the CPU is gone.
      if (code === 'EAGAIN' || code === 'EINTR' || code === 'EBUSY' || code === 'ENODEV') return 0;
      throw error;
    }
  }
}

/** Bytes of a page of the buffer; kernels before 6.8 have that of the machine. */
export function pageBytesOf(subbufferKb: string | undefined): number {
  const kb = Number(subbufferKb?.trim());
  return Number.isInteger(kb) && kb > 0 ? kb * 1024 : 4096;
}
