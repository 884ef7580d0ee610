import type { EventSource } from '../../replay/source.ts';
import { ioctlRowOf } from '../../trace/dialect.ts';
import type { IoctlEvent, TraceEvent } from '../../trace/event.ts';
import { formatVp } from '../../trace/handle.ts';
import { at, RETURN_SUB } from '../../trace/position.ts';
import type { Profile } from '../../trace/profile.ts';
import type { EventReader } from '../lists.ts';
import { type ExitTarget, targetOf } from './target.ts';

/** One MSHV_RUN_VP, by numbers. */
export interface Exit {
  /** Place among all exits, from 0. */
  readonly number: number;
  readonly seq: number;
  /** `2.0` */
  readonly vp: string;
  readonly startNs: number;
  /** Undefined: it never returned. */
  readonly endNs: number | undefined;
  /** Number of the VP's next exit; undefined for its last. */
  readonly next: number | undefined;
  readonly previous: number | undefined;
  /** Calls of the VMM from this exit to the VP's next entry. */
  readonly calls: number;
  /** Undefined where the call gave no message. */
  readonly target: ExitTarget | undefined;
}

const NONE = 0xffff_ffff;

/** Whether an event lets a VP run until it stops (every dialect calls it MSHV_RUN_VP). */
export function isRun(event: TraceEvent, profile: Profile): event is IoctlEvent {
  return (
    event.kind === 'ioctl' && event.handle.kind === 'vp' && ioctlRowOf(event, profile)?.name === 'MSHV_RUN_VP'
  );
}

/** Every exit of a trace in columns, 44 bytes an exit; one pass over the events. */
export class ExitIndex {
  readonly count: number;
  /** Event numbers of the calls, ascending. */
  readonly seqs: Uint32Array;
  readonly #starts: Float64Array;
  /** -1: it never returned. */
  readonly #ends: Float64Array;
  readonly #nexts: Uint32Array;
  readonly #previous: Uint32Array;
  readonly #calls: Uint32Array;
  readonly #vpNumbers: Uint32Array;
  readonly #targetNumbers: Uint32Array;
  readonly #vps: readonly string[];
  readonly #targets: readonly (ExitTarget | undefined)[];

  constructor(source: EventSource, reader: EventReader) {
    const found = scan(source, reader);
    this.count = found.seqs.length;
    this.seqs = Uint32Array.from(found.seqs);
    this.#starts = Float64Array.from(found.starts);
    this.#ends = Float64Array.from(found.ends);
    this.#nexts = Uint32Array.from(found.nexts);
    this.#previous = Uint32Array.from(found.previous);
    this.#calls = Uint32Array.from(found.calls);
    this.#vpNumbers = Uint32Array.from(found.vpNumbers);
    this.#targetNumbers = Uint32Array.from(found.targetNumbers);
    this.#vps = [...found.vps.keys()];
    this.#targets = found.targets;
  }

  /** The exit with a number below `count`. */
  exit(number: number): Exit {
    const end = this.#ends[number] as number;
    const [next, previous] = [this.#nexts[number], this.#previous[number]];
    return {
      number,
      seq: this.seqs[number] as number,
      vp: this.#vps[this.#vpNumbers[number] as number] ?? '?',
      startNs: this.#starts[number] as number,
      endNs: end < 0 ? undefined : end,
      next: next === NONE ? undefined : next,
      previous: previous === NONE ? undefined : previous,
      calls: this.#calls[number] as number,
      target: this.#targets[this.#targetNumbers[number] as number],
    };
  }
}

interface Found {
  readonly seqs: number[];
  readonly starts: number[];
  readonly ends: number[];
  readonly nexts: number[];
  readonly previous: number[];
  readonly calls: number[];
  readonly vpNumbers: number[];
  readonly targetNumbers: number[];
  readonly vps: ReadonlyMap<string, number>;
  readonly targets: readonly (ExitTarget | undefined)[];
}

function scan(source: EventSource, reader: EventReader): Found {
  const { profile } = source.header;
  const vps = new Map<string, number>();
  const targetNumbersByKey = new Map<string, number>();
  const targets: (ExitTarget | undefined)[] = [];
  const columns = {
    ...{ seqs: [] as number[], starts: [] as number[], ends: [] as number[], nexts: [] as number[] },
    ...{ previous: [] as number[], calls: [] as number[] },
    ...{ vpNumbers: [] as number[], targetNumbers: [] as number[] },
  };
  /** The last exit of each VP, and the last one that each thread took. */
  const ofVp = new Map<string, number>();
  const ofThread = new Map<number | undefined, number>();
  for (const event of source.range(1, source.count)) {
    if (event.kind !== 'ioctl' || event.parent !== undefined) continue;
    const vp = event.handle.kind === 'vp' ? formatVp(event.handle) : undefined;
    if (!isRun(event, profile) || vp === undefined) {
      const answers = vp === undefined ? ofThread.get(event.tid) : ofVp.get(vp);
      if (answers !== undefined) (columns.calls[answers] as number)++;
      continue;
    }
    const number = columns.seqs.length;
    const before = ofVp.get(vp);
    if (before !== undefined) columns.nexts[before] = number;
    const run = answered(event, reader);
    const target = run.out?.data === undefined ? undefined : targetOf(run.out.data);
    columns.seqs.push(event.seq);
    columns.starts.push(event.t);
    columns.ends.push(run.tEnd ?? (typeof run.ret === 'number' ? event.t : -1));
    columns.nexts.push(NONE);
    columns.previous.push(before ?? NONE);
    columns.calls.push(0);
    columns.vpNumbers.push(numbered(vps, vp));
    const key = target === undefined ? '' : `${target.type} ${target.access} ${target.place}`;
    const targetNumber = numbered(targetNumbersByKey, key);
    targets[targetNumber] = target;
    columns.targetNumbers.push(targetNumber);
    ofVp.set(vp, number);
    ofThread.set(event.tid, number);
  }
  return { ...columns, vps, targets };
}

/** The call with its answer: the engine's, where none was recorded. */
export function answered(run: IoctlEvent, reader: EventReader): IoctlEvent {
  if (run.ret !== undefined || run.out !== undefined) return run;
  const returned = reader.get(at(run.seq, RETURN_SUB))?.event;
  return returned?.kind === 'ioctl' ? returned : run;
}

function numbered(map: Map<string, number>, key: string): number {
  const known = map.get(key);
  if (known !== undefined) return known;
  map.set(key, map.size);
  return map.size - 1;
}
