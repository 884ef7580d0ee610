import type { Dialect } from '../../../engine/trace/event.ts';
import type { ClientMemory } from '../../process/client-memory.ts';
import type { Entry } from '../../ptrace/ptrace.ts';
import type { Plain, PlainObject } from '../ring/wire.ts';
import type { FileNumbers, TracedProcess } from './open-files.ts';

/** A system call that a thread is about to make. */
export interface Call extends Entry {
  readonly tid: number;
  readonly process: TracedProcess;
}

/** Is told what a call returned: the result, or the negative errno. */
export type Finish = (ret: number) => void;

/** What the handlers of calls work with. */
export interface Host {
  readonly memory: ClientMemory;
  readonly numbers: FileNumbers;
  readonly processes: ReadonlyMap<number, TracedProcess>;
  readonly dialect: Dialect;
  now(): number;
  /** A call has begun; the number is for {@link end}. */
  begin(event: PlainObject): number;
  end(id: number, answer: PlainObject): void;
  event(event: PlainObject): void;
  /** A call tells which interface the program speaks. */
  learn(kernel: 'rfc2020' | 'upstream' | 'vtl', reason: string): void;
}

/** What every event of a thread has. */
export function stamp(
  host: Host,
  { pid }: TracedProcess,
  tid: number,
): { t: number; pid: number; tid: number } {
  return { t: host.now(), pid, tid };
}

/** A handle or argument of the engine's types as plain values: they are. */
export function plain(value: object): Plain {
  return value as PlainObject;
}
