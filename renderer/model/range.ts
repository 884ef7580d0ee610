/** The stretch of the timeline that is drawn: fit, zoom, pan. */

import type { Model } from './model.ts';
import { eventAt, placeOn } from './place.ts';
import type { Range } from './view.ts';

/** Narrowest window: a few events, or a microsecond. */
const LEAST = { events: 4, time: 1000 } as const;

export function fitRange(model: Model): void {
  model.view.range.value = undefined;
}

/** Makes the window `factor` times as wide, keeping the cursor where it is (the middle when it is outside). */
export function zoomRange(model: Model, factor: number): void {
  const now = windowOf(model);
  if (now === undefined) return;
  const cursor = cursorPlace(model);
  const fixed =
    cursor !== undefined && cursor >= now.from && cursor <= now.to ? cursor : (now.from + now.to) / 2;
  const width = now.to - now.from;
  const wanted = Math.max(width * factor, LEAST[model.view.axis.peek()]);
  const from = fixed - ((fixed - now.from) / width) * wanted;
  setRange(model, { from, to: from + wanted });
}

/** Moves the window by a part of its width. */
export function panRange(model: Model, part: number): void {
  const now = windowOf(model);
  if (now === undefined) return;
  const by = (now.to - now.from) * part;
  setRange(model, { from: now.from + by, to: now.to + by });
}

/** Sets the window, kept within the trace; the whole trace is no range at all. */
export function setRange(model: Model, range: Range): void {
  const all = model.extent.peek();
  if (all === undefined) return;
  const width = Math.min(range.to - range.from, all.to - all.from);
  const from = Math.min(Math.max(range.from, all.from), all.to - width);
  const whole = width >= (all.to - all.from) * 0.9999;
  model.view.range.value = whole ? undefined : { from, to: from + width };
}

/** The window, be it the whole trace. */
export function windowOf(model: Model): Range | undefined {
  return model.view.range.peek() ?? model.extent.peek();
}

/** Where the cursor stands on the axis, once its event is known. */
export function cursorPlace(model: Model): number | undefined {
  const at = eventAt(model.view.at.peek());
  const { axis } = model.view;
  if (axis.peek() === 'events') return placeOn('events', { at, tNs: 0 });
  const row = model.event.value.peek()?.row;
  return row?.at === at ? row.tNs : undefined;
}
