/** A trace that begins as another does: its history goes on from the other's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Events } from '../../engine/analysis/diff/events.ts';
import { identicalEvents } from '../../engine/analysis/diff/identical.ts';
import { replayBranch } from '../../engine/replay/branch.ts';
import type { History } from '../../engine/replay/history.ts';
import { replayWithHistory } from '../../engine/replay/replay.ts';
import { at } from '../../engine/trace/position.ts';
import { SIDES } from '../../main/cli/sides.ts';
import { renumbered } from '../mutation/order.ts';
import { longTeardown } from './long.testing.ts';
import { whole } from './traces.testing.ts';

/** Enough for a second checkpoint, and for all that is looked at ahead of it. */
const EVENTS = 7000;

function journal(history: History): unknown[] {
  const writes = Array.from({ length: history.entries }, (_, entry) => history.write(entry));
  const places = Array.from({ length: history.events }, (_, i) => history.offset(at(i + 1)));
  const returns = Array.from({ length: history.events }, (_, i) => history.returnedDuring(i + 1));
  return [writes, places, returns, history.tables.objects.map(({ id, key }) => [id, key])];
}

test('the history of a trace that parts late is that of its whole replay', () => {
  const trunk = longTeardown(EVENTS);
  const index = trunk.events.findLastIndex(({ kind, parent }) => kind === 'msr' && parent === undefined);
  const events = renumbered(trunk.events.toSpliced(index, 1), trunk.events);
  const [a, b] = [whole(trunk), whole({ ...trunk, events })];
  const same = identicalEvents(a, b, [new Events(a), new Events(b, 2048)]);
  assert.equal(same, index);
  const { history } = replayWithHistory(a, SIDES);
  assert.ok(history.checkpoints.length > 1 && same > 5200, 'there is a checkpoint to go on from');
  const branch = replayBranch(b, SIDES, history, same);
  assert.ok(branch !== undefined);
  assert.deepEqual(journal(branch), journal(replayWithHistory(b, SIDES).history));
  assert.deepEqual(
    identicalEvents(a, { ...b, start: { store: {}, tables: {}, open: [] } as never }, [
      new Events(a),
      new Events(b),
    ]),
    0,
  );
});

test('events are read by page, in any order, and in ranges', () => {
  const source = whole(longTeardown(3000));
  const events = new Events(source, 1);
  const all = [...source.range(1, source.count)];
  assert.deepEqual([...events], all);
  for (const [from, to] of [
    [1, 1],
    [1000, 1100],
    [2040, source.count + 5],
  ] as const)
    assert.deepEqual([...events.range(from, to)], all.slice(from - 1, to));
  assert.equal(events.at(2500)?.seq, 2501);
  assert.equal(events.at(0)?.seq, 1);
  assert.equal(events.at(source.count), undefined);
});
