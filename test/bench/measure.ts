/** One line of the result: what was measured, against what goal. */
export interface Measured {
  readonly what: string;
  /** In words; absent where design has none. */
  readonly goal?: string;
  readonly value: string;
  /** Whether the goal holds. */
  readonly held?: boolean;
}

/** What a measure works on: a folder of its own, and the trace of the mixed load there. */
export interface Ground {
  readonly folder: string;
  readonly trace: string;
  readonly events: number;
}

export type Measure = (ground: Ground) => Promise<readonly Measured[]>;

/** How long something took: by the clock, and of the processor (a shared machine makes the clock run on). */
export interface Took {
  readonly ms: number;
  readonly cpuMs: number;
}

export function timed<T>(work: () => T): Took & { readonly result: T } {
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  const result = work();
  const { user, system } = process.cpuUsage(cpu);
  return { ms: performance.now() - start, cpuMs: (user + system) / 1000, result };
}

export function perSecond(events: number, ms: number): number {
  return (events / ms) * 1000;
}

export function rate(events: number, ms: number): string {
  return `${Math.round(perSecond(events, ms)).toLocaleString('en')}/s`;
}

/** The rate by the clock, and by processor time. */
export function rates(events: number, { ms, cpuMs }: Took): string {
  return `${rate(events, ms)} (${rate(events, cpuMs)} of processor time)`;
}

/** The value below which a share of the sorted numbers lies. */
export function percentile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

export function milliseconds(ms: number): string {
  return ms < 10 ? `${ms.toFixed(2)} ms` : `${Math.round(ms)} ms`;
}
