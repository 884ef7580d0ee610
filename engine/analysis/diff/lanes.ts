import type { TraceEvent } from '../../trace/event.ts';
import { mixed, textHash } from '../hashing.ts';

/** The events of one actor, by index in the trace; `shape` is a hash of what each of them is. */
export interface Lane {
  readonly key: string;
  /** Actors of one sort may stand for each other: threads, VPs of partitions. Others are known by their key. */
  readonly sort: 'thread' | 'vp' | 'fixed';
  readonly pid: number | undefined;
  readonly events: number[];
  readonly shapes: number[];
}

/** A trace, actor by actor. */
export interface Lanes {
  readonly lanes: readonly Lane[];
  /** Lane of each event; -1 for remarks, which nobody did. */
  readonly of: Int32Array;
}

/** A remark of whoever recorded says nothing of the machine. */
function isRemark(event: TraceEvent): boolean {
  return event.kind === 'mark' && event.what === 'note';
}

/**
 * Who did it. A thread wanders from CPU to CPU, and what the kernel does for it is its own; an MSR belongs to a CPU and the
 * component that owns the access; what a life-cycle step does on a CPU goes on beside what it does on others.
 */
function keyOf(event: TraceEvent, above: string | undefined): readonly [sort: Lane['sort'], key: string] {
  const { kind, cpu, component, vp } = event;
  if (kind === 'msr') return ['fixed', `cpu ${cpu} ${component}`];
  if (kind === 'message' && cpu !== undefined) return ['fixed', `cpu ${cpu} sint ${event.sint}`];
  if ((kind === 'intercept' || kind === 'message' || kind === 'page') && vp !== undefined)
    return ['vp', `vp ${vp.partition}.${vp.vp} ${kind}`];
  if (above?.startsWith('thread ') === true) return ['thread', above];
  const { pid, tid } = event;
  if (pid !== undefined || tid !== undefined) return ['thread', `thread ${pid}/${tid ?? pid}`];
  if (kind === 'lifecycle') return ['fixed', above ?? 'lifecycle'];
  if (cpu !== undefined) return ['fixed', `cpu ${cpu} ${component}`];
  return ['fixed', above ?? `${component}`];
}

/** What an event is, whatever it carries: equal shapes may be the same event. */
export function shapeOf(event: TraceEvent): number {
  switch (event.kind) {
    case 'msr':
      return mixed(mixed(1, event.msr), event.dir === 'read' ? 1 : 2);
    case 'hypercall':
      return mixed(2, Number(event.control & 0xffffn));
    case 'ioctl':
      return mixed(mixed(3, event.op), event.handle.kind === 'vp' ? (event.handle.vp ?? -1) : -2);
    case 'message':
      return mixed(mixed(4, textHash(event.what)), event.sint);
    case 'intercept':
      return mixed(mixed(5, event.type), event.vp.vp ?? -1);
    case 'fd':
      return mixed(mixed(6, textHash(event.what)), textHash(event.handle?.kind ?? ''));
    case 'page':
      return mixed(mixed(7, textHash(event.what)), textHash(event.page));
    case 'lifecycle':
      return mixed(
        mixed(mixed(8, textHash(event.what)), textHash(event.component ?? '')),
        (event.cpu ?? -1) * 2 + (event.phase === 'end' ? 1 : 0),
      );
    case 'mark':
      return mixed(9, textHash(event.what));
  }
}

/** Events between two calls of the progress. */
const PROGRESS_EVENTS = 4096;

/** `progress` is called now and then; it may throw to end the work. */
export function lanesOf(
  events: Iterable<TraceEvent>,
  count: number,
  progress: (done: number) => void = () => {},
): Lanes {
  const byKey = new Map<string, number>();
  const lanes: Lane[] = [];
  const of = new Int32Array(count).fill(-1);
  let index = -1;
  for (const event of events) {
    index++;
    if (index % PROGRESS_EVENTS === 0) progress(0);
    if (isRemark(event)) continue;
    const above = event.parent === undefined ? -1 : (of[event.parent - 1] ?? -1);
    const [sort, key] = keyOf(event, lanes[above]?.key);
    let lane = byKey.get(key);
    if (lane === undefined) {
      lane = lanes.push({ key, sort, pid: event.pid, events: [], shapes: [] }) - 1;
      byKey.set(key, lane);
    }
    of[index] = lane;
    lanes[lane]?.events.push(index);
    lanes[lane]?.shapes.push(shapeOf(event));
  }
  return { lanes, of };
}

/** Threads and VPs that are compared with each other to find who is who; of more the order of appearance decides. */
const COMPARED = 200;

/** For each lane of the first trace the lane of the second that is the same actor; -1 where there is none. */
export function pairLanes(a: readonly Lane[], b: readonly Lane[]): Int32Array {
  const pairs = new Int32Array(a.length).fill(-1);
  const free = new Set(b.keys());
  const pair = (i: number, j: number): void => {
    pairs[i] = j;
    free.delete(j);
  };
  const byKey = new Map(b.map(({ key }, j) => [key, j]));
  for (const [i, lane] of a.entries()) {
    const j = lane.sort === 'fixed' ? byKey.get(lane.key) : undefined;
    if (j !== undefined) pair(i, j);
  }
  const processes = new Map<number | undefined, number | undefined>();
  for (const [i, lane] of a.entries()) {
    if (lane.sort === 'fixed') continue;
    const candidates = [...free].filter((j) => b[j]?.sort === lane.sort).slice(0, COMPARED);
    let [best, most] = [-1, -1];
    for (const j of candidates) {
      const other = b[j] as Lane;
      const akin = processes.has(lane.pid) && processes.get(lane.pid) === other.pid ? 1 : 0;
      const alike = commonShapes(lane, other) * 4 + akin * 2 + Number(lane.key === other.key);
      if (alike > most) [best, most] = [j, alike];
    }
    if (best < 0) continue;
    pair(i, best);
    processes.set(lane.pid, b[best]?.pid);
  }
  return pairs;
}

/** Events that both begin with; one more where they are of one length. */
function commonShapes(a: Lane, b: Lane): number {
  const most = Math.min(a.shapes.length, b.shapes.length);
  let i = 0;
  while (i < most && a.shapes[i] === b.shapes[i]) i++;
  return i + Number(i === a.shapes.length && i === b.shapes.length);
}
