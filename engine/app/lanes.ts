import type { EventKind, TraceEvent } from '../trace/event.ts';
import { formatVp } from '../trace/handle.ts';
import type { Lane } from './api.ts';

type LaneGroup = Lane['group'];

/** A lane of the timeline without its events. */
export interface LaneHead {
  readonly id: string;
  readonly label: string;
  readonly group: LaneGroup;
}

/** What of an event decides on its lane. */
export type LaneSigns = Partial<Pick<TraceEvent, 'cpu' | 'component' | 'pid' | 'tid' | 'vp'>> & {
  readonly kind: EventKind;
};

/** Life-cycle steps have a lane of their own; the rest goes by who did it. */
export function laneOf(event: LaneSigns): LaneHead {
  if (event.kind === 'lifecycle') return { id: 'lifecycle', label: 'life cycle', group: 'component' };
  if (event.vp !== undefined) {
    const vp = formatVp(event.vp);
    return { id: `vp:${vp}`, label: `VP ${vp}`, group: 'vp' };
  }
  if (event.cpu !== undefined) {
    const component = event.component ?? 'unknown';
    return { id: `cpu:${event.cpu}:${component}`, label: `CPU ${event.cpu} ${component}`, group: 'cpu' };
  }
  if (event.tid !== undefined || event.pid !== undefined) {
    const id = `${event.pid ?? '?'}/${event.tid ?? event.pid}`;
    return { id: `thread:${id}`, label: `thread ${id}`, group: 'thread' };
  }
  const component = event.component ?? 'unknown';
  return { id: `component:${component}`, label: component, group: 'component' };
}

const GROUP_ORDER: readonly LaneGroup[] = ['component', 'cpu', 'thread', 'vp', 'hypervisor'];

/** Life cycle and components first, then CPUs, threads and VPs, each by number. */
export function compareLanes(a: LaneHead, b: LaneHead): number {
  const byGroup = GROUP_ORDER.indexOf(a.group) - GROUP_ORDER.indexOf(b.group);
  if (byGroup !== 0) return byGroup;
  const [aNumber, bNumber] = [laneNumber(a), laneNumber(b)];
  if (aNumber !== bNumber) return aNumber - bNumber;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

function laneNumber(lane: LaneHead): number {
  return Number(/[0-9]+/.exec(lane.id)?.[0] ?? 0);
}
