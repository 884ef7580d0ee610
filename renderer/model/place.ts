import { parseAddress } from '../../engine/trace/position.ts';
import type { Axis } from './view.ts';

/** Where an event stands on an axis; derived events stand with the event that they are derived from. */
export function placeOn(axis: Axis, row: { readonly at: string; readonly tNs: number }): number {
  return axis === 'time' ? row.tNs : (parseAddress(row.at)?.seq ?? 0);
}

/** The event of a position: the return of a call belongs to the call. */
export function eventAt(at: string): string {
  return at.replace(/r$/, '');
}
