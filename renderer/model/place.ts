import { parseAddress } from '../../engine/trace/position.ts';
import type { Axis } from './view.ts';

/** Where an event stands on an axis; derived events stand with the event that they are derived from. */
export function placeOn(axis: Axis, row: { readonly at: string; readonly tNs: number }): number {
  return axis === 'time' ? row.tNs : (parseAddress(row.at)?.seq ?? 0);
}
