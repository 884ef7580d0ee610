import { scaleLinear } from 'd3';
import type { Axis, Range } from '../model/view.ts';
import { timeText } from '../widgets/time.ts';

export interface Tick {
  readonly at: number;
  readonly label: string;
}

/** Room that a label needs. */
const LABEL_PX = { events: 70, time: 110 } as const;

/** Round places on the axis, as many as have room, with exact labels. */
export function ticksOf(axis: Axis, { from, to }: Range, widthPx: number): Tick[] {
  const wanted = Math.max(2, Math.floor(widthPx / LABEL_PX[axis]));
  const places = scaleLinear([from, to], [0, widthPx]).ticks(wanted);
  const whole = places.filter((place) => Number.isInteger(place) && place >= (axis === 'events' ? 1 : 0));
  return whole.map((at) => ({ at, label: axis === 'events' ? String(at) : timeText(at) }));
}
