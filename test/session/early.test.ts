/** The file alone tells what the replay will tell of recorded events. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { EventPage, EventRow, TimelineView } from '../../engine/app/api.ts';
import { TiledTimeline } from '../../engine/app/early/tiled-timeline.ts';
import { NotYet } from '../../engine/app/session-parts.ts';
import { openTraceFile } from '../../main/cli/trace.ts';
import { scratch } from '../../tracer/store/scratch.testing.ts';
import { LACKING } from '../emulate/build.testing.ts';
import { randomFrom } from '../kill/random.ts';
import {
  type Ask,
  bothOf,
  emulatedTrace,
  importedTrace,
  packedTrace,
  runTrace,
  unpackedTrace,
  untiledTrace,
} from './sessions.testing.ts';

const SEED = Number(process.env.HVREWIND_SEED ?? Date.now() % 1_000_000);
const random = randomFrom(SEED);
const WINDOWS = 12;
const FILTERS = [
  'kind == msr && op == write',
  'errno',
  'status != HV_STATUS_SUCCESS',
  't >= 1ms && cpu == 1',
  'input.partition_id == 2 || kind == lifecycle',
  'seq == 0',
  'nothing == 1',
];

/** A row without what only the replay adds. */
function plain({ findings: _findings, diverges: _diverges, ...row }: EventRow): object {
  return row;
}

function rowsOf(page: EventPage | { readonly problem: unknown }): unknown {
  return 'problem' in page ? page : { total: page.total, rows: page.rows.map(plain) };
}

function sameAnswers(early: Ask, full: Ask): void {
  const info = early('info', {});
  assert.deepEqual(info, full('info', {}));
  const { events } = info;
  for (const filter of ['', ...FILTERS]) {
    const list = { filter, derived: false };
    for (const from of [0, Math.floor(random() * events), events - 3]) {
      const page = { ...list, from, count: 40 };
      assert.deepEqual(rowsOf(early('events', page)), rowsOf(full('events', page)), `${filter} from ${from}`);
    }
    const at = String(1 + Math.floor(random() * events));
    assert.deepEqual(early('locate', { ...list, at }), full('locate', { ...list, at }), `${filter} ${at}`);
  }
  for (let i = 0; i < WINDOWS; i++) {
    const at = String(1 + Math.floor(random() * events));
    const [now, then] = [early('event', { at }), full('event', { at })];
    assert.deepEqual(plain(now.row), plain(then.row));
    assert.deepEqual([now.text, now.buffers], [then.text, then.buffers], at);
    assert.deepEqual(now.parent && plain(now.parent), then.parent && plain(then.parent));
    assert.deepEqual(
      now.children.map(plain),
      then.children.filter((child) => !child.at.includes('.')).map(plain),
    );
    assert.deepEqual([now.replayed, then.replayed, now.answers, now.writes], [false, true, [], []]);
  }
}

type Lanes = TimelineView['lanes'];

function sameTimelines(early: Ask, full: Ask): void {
  const { events, durationNs } = early('info', {});
  const check = (from: number, to: number, buckets: number): void => {
    const own = early('timeline', { axis: 'events', from, to, buckets, derived: false });
    assert.ok(own.from <= Math.max(from, 1) && own.to >= Math.min(to, events), `${own.from} to ${own.to}`);
    const asked = { axis: own.axis, from: own.from, to: own.to, buckets: own.buckets };
    const why = `${from} to ${to} in ${buckets}, seed ${SEED}`;
    assert.deepEqual(own, full('timeline', { ...asked, derived: false }), why);
  };
  check(0.5, events + 0.5, 600);
  check(0.5, events + 0.5, 3);
  for (let i = 0; i < WINDOWS; i++) {
    const [a, b] = [random() * events, random() * events];
    check(Math.min(a, b), Math.max(a, b) + 1, 1 + Math.floor(random() * 700));
    // On the axis of time, the same buckets of events, each as wide as the time that it took.
    const [s, t] = [random() * durationNs, random() * durationNs];
    const window = { from: Math.floor(Math.min(s, t)), to: Math.ceil(Math.max(s, t)) + 1, buckets: 50 };
    sameTimes(early, full, window);
  }
}

function sameTimes(
  early: Ask,
  full: Ask,
  window: { readonly from: number; readonly to: number; readonly buckets: number },
): void {
  const own = early('timeline', { axis: 'time', ...window, derived: false });
  if (own.edges === undefined) {
    assert.deepEqual(own, full('timeline', { axis: 'time', ...window, derived: false }));
    return;
  }
  assert.equal(own.edges.length, own.buckets + 1);
  const [first] = firstsOf(own.lanes);
  assert.ok(first !== undefined);
  const { rows } = full('rows', { at: [...own.edges.keys()].slice(0, -1).map((i) => edgeAt(own, i)) });
  assert.deepEqual(
    rows.map((row) => row?.tNs),
    own.edges.slice(0, -1),
  );
  const begin = Number(edgeAt(own, 0));
  const size = own.buckets === 1 ? 1 : Number(edgeAt(own, 1)) - begin;
  const to = own.buckets === 1 ? begin + full('info', {}).events : begin + size * own.buckets;
  const then = full('timeline', { axis: 'events', from: begin, to, buckets: own.buckets, derived: false });
  if (own.buckets > 1) assert.deepEqual(own.lanes, then.lanes);
}

const firstsOf = (lanes: Lanes): number[] =>
  lanes.flatMap(({ buckets }) => buckets.map(({ at }) => Number(at)));

/** The first event of a bucket, of whatever lane. */
function edgeAt({ lanes }: TimelineView, bucket: number): string {
  const own = lanes.map((lane) => ({ ...lane, buckets: lane.buckets.filter((b) => b.bucket === bucket) }));
  return String(Math.min(...firstsOf(own)));
}

/** Windows that want tiles of the second level and what lies behind its last full one. */
function sameCoarse(file: string, full: Ask): void {
  const { source, file: opened, close } = openTraceFile(file);
  const { index } = opened;
  assert.ok(index?.tiles !== undefined);
  const timeline = new TiledTimeline(source, index, index.tiles, [], { closeEvents: 1, tiles: 2 });
  for (let i = 0; i < WINDOWS; i++) {
    const from = 1 + random() * 5000;
    const window = { axis: 'events', from, to: from + 2500 + random() * 3000, buckets: 9 } as const;
    const own = timeline.view({ ...window, derived: false });
    assert.equal((own.to - own.from) / own.buckets, 8192);
    const { axis, to, buckets } = own;
    assert.deepEqual(own, full('timeline', { axis, from: own.from, to, buckets, derived: false }));
  }
  close();
}

function notYet(early: Ask): void {
  const at = '1';
  const asks: readonly (() => unknown)[] = [
    () => early('replay', {}),
    () => early('findings', {}),
    () => early('state', { at, path: '' }),
    () => early('matrix', { at, nested: false }),
    () => early('event', { at: '1.1' }),
    () => early('events', { filter: 'changes(cpu[0].synic)', derived: false, from: 0, count: 1 }),
    () => early('exits', { filter: '', from: 0, count: 1 }),
    () => early('partitions', { at }),
    () => early('gpaMap', { at }),
  ];
  for (const ask of asks) assert.throws(ask, NotYet, ask.toString());
}

const folder = scratch();
const run = runTrace(folder);
const SOURCES: readonly {
  readonly of: string;
  readonly make: () => string | Promise<string>;
  readonly timeline: boolean;
  readonly skip?: string | undefined;
}[] = [
  { of: 'run', make: () => run, timeline: true },
  { of: 'run, short', make: () => runTrace(folder, 300), timeline: true },
  { of: 'import', make: () => importedTrace(folder, run), timeline: true },
  { of: 'emulate', make: () => emulatedTrace(folder), timeline: true, skip: LACKING },
  { of: 'unpack', make: async () => unpackedTrace(folder, await packedTrace(folder, run)), timeline: true },
  { of: 'a writer without tiles', make: () => untiledTrace(folder, run), timeline: false },
  { of: 'pack', make: () => packedTrace(folder, run), timeline: false },
];

for (const { of, make, timeline, skip } of SOURCES) {
  describe(`a file of ${of}, seed ${SEED}`, { skip }, async () => {
    if (skip !== undefined) return;
    const file = await make();
    const { early, full, close } = bothOf(file);
    after(close);
    if (of === 'run') test('has the same timeline of the tiles of tiles', () => sameCoarse(file, full));
    test('has the same events before and after its replay', () => {
      if (of === 'pack') {
        // Its components are known when its events were read.
        assert.deepEqual(early('info', {}).components, []);
        assert.deepEqual({ ...early('info', {}), components: full('info', {}).components }, full('info', {}));
      } else sameAnswers(early, full);
    });
    test('puts off what only the replay tells', () => notYet(early));
    if (timeline) test('has the same timeline of tiles as of events', () => sameTimelines(early, full));
    else {
      test('has no timeline before its replay', () => {
        const whole = { axis: 'events', from: 0, to: 9, buckets: 9, derived: false } as const;
        assert.throws(() => early('timeline', whole), NotYet);
      });
    }
  });
}
