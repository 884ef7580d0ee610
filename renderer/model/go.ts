/** Moves of the cursor. Each answers with what to tell the user when it could not be made; undefined when it was. */

import { compareAddresses, formatAddress, parseAddress, RETURN_SUB } from '../../engine/trace/position.ts';
import { parseTime } from '../../engine/trace/time.ts';
import { replayText } from '../widgets/replay-text.ts';
import type { Model } from './model.ts';
import { eventAt } from './place.ts';

export type Refusal = string | undefined;

/** Why a move that only the replay can tell is not made. */
export function replaying(model: Model): string {
  return `not known yet: ${replayText(model.progress.peek())}`;
}

/** Steps `by` rows through the list, from the cursor's place in it. */
export function step(model: Model, by: number): Promise<Refusal> {
  return model.inTurn(async () => {
    const pages = model.pages.peek();
    const place = model.place.peek();
    const total = pages.total.peek();
    if (place === undefined || total === undefined) return undefined;
    if (total === 0) return 'no event matches the filter';
    // Where the filter hides the cursor, `place` is the row before it: that row is one step back.
    const here = await pages.fetch(place);
    const hidden = here !== undefined && here.at !== eventAt(model.view.at.peek());
    const before = hidden && isBefore(here.at, model.view.at.peek());
    const target = place + by + (before && by < 0 ? 1 : hidden && !before && by > 0 ? -1 : 0);
    const index = Math.min(Math.max(target, 0), total - 1);
    const row = await pages.fetch(index);
    if (row === undefined) return undefined;
    model.moveTo(row);
    if (target < 0) return 'the first event';
    return target >= total ? 'the last event' : undefined;
  });
}

/** To a row of the list by its index. */
export function goToRow(model: Model, index: number): Promise<Refusal> {
  return model.inTurn(async () => {
    const row = await model.pages.peek().fetch(index);
    if (row !== undefined) model.moveTo(row);
    return undefined;
  });
}

/** To a position (`812`, `812.3`, `812r`), or to the first event at or after a time (`900ms`). */
export async function goToText(model: Model, text: string): Promise<Refusal> {
  const wanted = text.trim();
  const address = parseAddress(wanted);
  if (address !== undefined) {
    const events = model.info.value.peek()?.events ?? 0;
    if (address.seq > events) return `the last event is ${events}`;
    // A derived event is not known before the replay: the cursor waits for it.
    const isKnown = address.sub === 0 || address.sub === RETURN_SUB || model.epoch.peek() > 0;
    if (address.seq !== 0 && isKnown) {
      const { rows } = await model.app.invoke('rows', { at: [wanted] });
      if (rows[0] === null) return `nothing stands at ${wanted}`;
    }
    model.jump(formatAddress(address));
    return undefined;
  }
  const time = parseTime(wanted);
  if (time === undefined) return `${wanted}: neither a position (812, 812.3, 812r) nor a time (5ms, 1.5us)`;
  const answer = await model.app.invoke('events', {
    filter: `t >= ${time}ns`,
    derived: false,
    from: 0,
    count: 1,
  });
  const row = 'rows' in answer ? answer.rows[0] : undefined;
  if (row === undefined) return `no event at or after ${wanted}`;
  model.jump(row.at);
  return undefined;
}

/** To the previous (-1) or next (1) write of the selected cell. */
export function goToChange(model: Model, direction: -1 | 1): Promise<Refusal> {
  return model.inTurn(async () => {
    const path = model.view.path.peek();
    if (path === '') return 'select a cell first: in the MSR matrix or in the state';
    if (model.history.waiting.peek()) return replaying(model);
    // No such cell: its view says so.
    if (model.history.value.peek() === undefined) return undefined;
    const { next, previous } = await model.app.invoke('history', {
      path,
      at: model.view.at.peek(),
      limit: 1,
    });
    const at = direction === 1 ? next : previous;
    if (at === undefined)
      return direction === 1 ? 'no later write of this cell' : 'no earlier write of this cell';
    model.jump(at);
    return undefined;
  });
}

/** To the previous (-1) or next (1) VP exit that the filter of exits lets through. */
export function goToExit(model: Model, direction: -1 | 1): Promise<Refusal> {
  return model.inTurn(async () => {
    if (model.epoch.peek() === 0) return replaying(model);
    const { at, exitFilter } = model.view;
    const input = { filter: exitFilter.peek(), at: eventAt(at.peek()) };
    const place = await model.app.invoke('exitPlace', input);
    const found = direction === 1 ? place.next : place.previous;
    if (found === undefined) return direction === 1 ? 'no later VP exit' : 'no earlier VP exit';
    model.jump(found);
    return undefined;
  });
}

/** To the parent of the event at the cursor. */
export function goToParent(model: Model): Refusal {
  const parent = model.event.value.peek()?.row.parent;
  if (parent === undefined) return 'no event caused this one';
  model.jump(parent);
  return undefined;
}

/** To the previous (-1) or next (1) divergence. */
export function goToDivergence(model: Model, direction: -1 | 1): Refusal {
  if (model.replay.waiting.peek()) return replaying(model);
  const places = (model.replay.value.peek()?.divergences ?? []).map(({ at }) => at);
  const at = model.view.at.peek();
  const found =
    direction === 1 ? places.find((p) => isBefore(at, p)) : places.findLast((p) => isBefore(p, at));
  if (found === undefined) return places.length === 0 ? 'no answer diverges' : 'no more divergences that way';
  model.jump(found);
  return undefined;
}

function isBefore(a: string, b: string): boolean {
  const [x, y] = [parseAddress(a), parseAddress(b)];
  return x !== undefined && y !== undefined && compareAddresses(x, y) < 0;
}
