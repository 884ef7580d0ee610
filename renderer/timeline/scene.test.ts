import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventRow, FindingView, LaneBucket, TimelineView } from '../../engine/app/api.ts';
import { AXIS_PX, buildScene, LEAST_LANE_PX, pointedAt, type SceneInput, TOP_PX } from './scene.ts';
import { ticksOf } from './ticks.ts';

const bucket = (number: number, at: number, count = 1, failed = 0): LaneBucket => ({
  bucket: number,
  at: String(at),
  count,
  failed,
  derived: 0,
  kind: 'msr',
  component: 'vmbus',
});
const TIMELINE: TimelineView = {
  axis: 'events',
  from: 0.5,
  to: 100.5,
  buckets: 100,
  signs: [{ what: 'gap', at: '45', tNs: 0, text: '7 events were lost' }],
  lanes: [
    { id: 'cpu:0:vmbus', label: 'CPU 0 vmbus', group: 'cpu', buckets: [bucket(9, 10), bucket(29, 30, 8, 1)] },
    { id: 'cpu:0:mshv', label: 'CPU 0 mshv', group: 'cpu', buckets: [bucket(59, 60), bucket(60, 61)] },
  ],
};
const row = (at: string, lane: string): EventRow => ({
  index: 0,
  at,
  tNs: 0,
  kind: 'msr',
  provenance: 'emulated',
  who: '',
  lane,
  op: '',
  failed: false,
  summary: '',
  findings: [],
  diverges: false,
});
const FINDING: FindingView = {
  id: 'a',
  rule: 'R01',
  severity: 'error',
  title: '',
  at: '60',
  culprit: { at: '60', component: 'mshv' },
  evidence: ['10', '60'],
  cells: [],
  fix: '',
};
const INPUT: SceneInput = {
  timeline: TIMELINE,
  axis: 'events',
  range: { from: 0.5, to: 100.5 },
  widthPx: 1000,
  heightPx: 50,
  findings: [FINDING],
  shown: undefined,
  proofRows: new Map([
    ['10', row('10', 'cpu:0:vmbus')],
    ['60', row('60', 'cpu:0:mshv')],
  ]),
  event: undefined,
};

test('events stand where their numbers are; close ones become small', () => {
  const [vmbus, mshv] = buildScene(INPUT).lanes;
  assert.deepEqual(
    vmbus?.marks.map(({ x, glyphPx }) => [x, glyphPx]),
    [
      [95, 13],
      [295, 13],
    ],
  );
  assert.deepEqual(
    mshv?.marks.map(({ glyphPx }) => glyphPx),
    [11, 11],
  );
  assert.deepEqual([vmbus?.count, vmbus?.failed], [9, 1]);
});

test('an older answer is drawn where it belongs in the new window', () => {
  const { lanes } = buildScene({ ...INPUT, range: { from: 50.5, to: 100.5 } });
  assert.equal(lanes[1]?.marks[0]?.x, 190);
});

test('a finding that is shown brings its lanes to the top and dims the others', () => {
  const lone = { ...FINDING, evidence: [] };
  const scene = buildScene({ ...INPUT, findings: [lone], shown: lone });
  assert.deepEqual(
    scene.lanes.map(({ id, dimmed }) => [id, dimmed]),
    [
      ['cpu:0:mshv', false],
      ['cpu:0:vmbus', true],
    ],
  );
  assert.equal(buildScene(INPUT).flags.length, 1, 'only the culprit of a finding that is not shown');
  assert.equal(buildScene({ ...INPUT, shown: FINDING }).flags.length, 2);
});

test('arrows lead from the parent and to the children, where their lanes are', () => {
  const event = {
    row: row('30', 'cpu:0:vmbus'),
    text: '',
    buffers: [],
    replayed: true,
    answers: [],
    parent: row('10', 'cpu:0:vmbus'),
    children: [row('60', 'cpu:0:mshv'), row('61', 'nowhere')],
    writes: [],
  };
  assert.deepEqual(buildScene({ ...INPUT, event }).arrows, [
    { fromX: 95, fromLane: 0, toX: 295, toLane: 0 },
    { fromX: 295, fromLane: 0, toX: 595, toLane: 1 },
  ]);
});

test('the pointer finds marks and flags close to it, also when the lanes are scrolled', () => {
  const scene = buildScene(INPUT);
  const lane = pointedAt(scene, 97, TOP_PX + 1, 0);
  assert.ok(lane !== undefined && 'mark' in lane && lane.mark.at === '10');
  const scrolled = pointedAt(scene, 596, TOP_PX + 1, LEAST_LANE_PX);
  assert.ok(scrolled !== undefined && 'mark' in scrolled && scrolled.mark.at === '60');
  const flag = pointedAt(scene, 593, AXIS_PX + 1, 0);
  assert.ok(flag !== undefined && 'flag' in flag && flag.flag.culprit);
  assert.equal(pointedAt(scene, 200, TOP_PX + 1, 0), undefined);
});

test('ticks are round, exact and inside the trace', () => {
  assert.deepEqual(
    ticksOf('events', { from: 0.5, to: 10.5 }, 700).map(({ label }) => label),
    ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10'],
  );
  assert.deepEqual(
    ticksOf('time', { from: -10_000_000, to: 1_010_000_000 }, 660).map(({ label }) => label),
    ['0', '200ms', '400ms', '600ms', '800ms', '1s'],
  );
});

test('gaps, notes and divergences stand in the strip and can be pointed at', () => {
  const scene = buildScene(INPUT);
  const [sign] = scene.signs;
  assert.deepEqual([sign?.what, sign?.x], ['gap', 445]);
  assert.deepEqual(pointedAt(scene, 447, AXIS_PX + 3, 0), { sign });
  assert.equal(pointedAt(scene, 500, AXIS_PX + 3, 0), undefined);
});

test('what the engine worked out is told from what was recorded', () => {
  const [lane] = TIMELINE.lanes;
  const derived = {
    ...(lane ?? assert.fail()),
    buckets: [
      { ...bucket(9, 10, 2), derived: 2 },
      { ...bucket(20, 20, 2), derived: 1 },
    ],
  };
  const scene = buildScene({ ...INPUT, timeline: { ...TIMELINE, lanes: [derived] } });
  assert.deepEqual(
    scene.lanes[0]?.marks.map((mark) => mark.derived),
    [true, false],
  );
});
