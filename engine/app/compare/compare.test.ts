import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { diff } from '../../analysis/diff/diff.ts';
import { played, SIDES, scenario } from '../../drivers/scenario.testing.ts';
import { memorySource } from '../../replay/source.ts';
import type { AppMethod, AppRequests } from '../api.ts';
import { readCall } from '../border.ts';
import { openSession } from '../open.ts';
import { Cancelled, Work } from './work.ts';

const SCENARIOS = join(import.meta.dirname, '../../../samples/scenarios');

function sourceOf(name: string) {
  const from = scenario(name, readFileSync(join(SCENARIOS, `${name}.hvtrace.ndjson`), 'utf8'));
  return memorySource(from.header, played(from, from.header.profile).events);
}

const a = sourceOf('teardown-l1vh-kexec-before');
const b = sourceOf('teardown-l1vh-kexec-after');

function asking(other?: typeof b) {
  const session = openSession({
    name: 'before',
    source: a,
    sides: SIDES,
    ...(other === undefined ? {} : { other: () => OTHER }),
  });
  const OTHER = { name: 'after', source: other ?? b };
  return <M extends AppMethod>(method: M, input: AppRequests[M]['in']): AppRequests[M]['out'] => {
    const call = readCall(method, input);
    assert.ok(!('problem' in call) && call.method !== 'progress');
    return session.answer(call) as never;
  };
}

const TRACE = { against: 'trace', edits: [] } as const;

describe('two traces side by side', () => {
  const ask = asking(b);
  const view = ask('compare', TRACE);
  assert.ok(!('problem' in view));
  const all = ask('compareRows', { ...TRACE, folded: false, from: 0, count: 1000 });

  test('each list keeps its order, and every event stands in one row', () => {
    const of = (side: 'a' | 'b') => all.rows.flatMap((row) => row[side]?.at ?? []);
    assert.deepEqual(
      of('a'),
      Array.from({ length: a.count }, (_, i) => `${i + 1}`),
    );
    assert.deepEqual(
      of('b'),
      Array.from({ length: b.count }, (_, i) => `${i + 1}`),
    );
    assert.equal(all.total, view.rows);
    assert.deepEqual(
      all.rows.map(({ at }) => Number(at)),
      [...all.rows.keys()],
    );
  });

  test('the counts, the first difference and the cells there are those of diff', () => {
    const told = diff(a, b, SIDES);
    const { counts, first } = view;
    assert.deepEqual(
      [counts.same + counts.changed + counts.moved, counts.onlyA, counts.onlyB],
      [told.aligned, told.onlyA, told.onlyB],
    );
    assert.deepEqual([first?.reason, first?.fields], [told.first?.reason, told.first?.fields]);
    const row = all.rows[first?.row ?? -1];
    assert.ok(row?.first);
    assert.deepEqual([row.a?.at, row.b?.at], [String(told.first?.a), String(told.first?.b)]);
    const detail = ask('compareDetail', { ...TRACE, row: first?.row ?? 0 });
    assert.deepEqual(detail.state, told.state);
    const differing = detail.fields.filter(({ verdict }) => verdict === 'differs');
    assert.deepEqual(
      differing.map(({ path, a, b }) => [path, a, b]),
      told.first?.fields.map(({ field, a, b }) => [field, a, b]),
    );
  });

  test('next and previous lead through all differences, and the cursor finds its row', () => {
    const go = (to: 'next' | 'previous' | 'first', row: number) =>
      ask('comparePlace', { ...TRACE, folded: false, go: to, at: '', row });
    const rows: number[] = [];
    for (let at = go('first', 0); at.place !== undefined; at = go('next', at.place.row)) {
      rows.push(at.place.row);
      assert.equal(at.nth, rows.length);
      assert.equal(at.of, view.differences);
    }
    assert.equal(rows.length, view.differences);
    const back: number[] = [];
    for (let at = go('previous', view.rows); at.place !== undefined; at = go('previous', at.place.row))
      back.push(at.place.row);
    assert.deepEqual(back.reverse(), rows);
    const found = ask('comparePlace', { ...TRACE, folded: false, go: 'at', at: '93', row: 0 }).place;
    assert.equal(all.rows[found?.row ?? -1]?.a?.at, '93');
    assert.equal(found?.at, '93');
  });

  test('the folded list has the differences, some rows around them, and says what it leaves out', () => {
    const { rows, total } = ask('compareRows', { ...TRACE, folded: true, from: 0, count: 1000 });
    assert.ok(total < view.rows);
    const left = rows.reduce((sum, { folded }) => sum + folded, 0);
    const behind = view.rows - 1 - Number(rows.at(-1)?.at);
    assert.equal(total + left + behind, view.rows);
    const differing = (list: typeof rows): string[] =>
      list.filter(({ sign }) => /changed|only/.test(sign)).map(({ at }) => at);
    assert.deepEqual(differing(rows), differing(all.rows));
    const page = ask('compareRows', { ...TRACE, folded: true, from: 5, count: 3 });
    assert.deepEqual(page.rows, rows.slice(5, 8));
  });

  test('the finding that only the first has stands beside it', () => {
    assert.deepEqual(
      view.findings.onlyA.map(({ rule }) => rule),
      ['R01'],
    );
    assert.deepEqual(view.findings.onlyB, []);
  });
});

describe('a trace and what it is with edits', () => {
  const ask = asking();
  const rowsWith = (...edits: string[]) => {
    const view = ask('compare', { against: 'edits', edits });
    assert.ok(!('problem' in view), JSON.stringify(view));
    const { rows } = ask('compareRows', { against: 'edits', edits, folded: false, from: 0, count: 1000 });
    return { view, rows };
  };

  test('without edits all is the same', () => {
    const { view, rows } = rowsWith();
    assert.ok(view.equal);
    assert.deepEqual([...new Set(rows.map(({ sign }) => sign))], ['same']);
    assert.ok(rows.every((row) => row.a?.at === row.b?.at && row.a?.result === row.b?.result));
  });

  test('what is moved is reordered in both, what it was told is another, and the finding is gone', () => {
    const { view, rows } = rowsWith('move 62 after 88');
    const moved = rows.filter(({ sign }) => sign === 'reordered');
    assert.ok(moved.some((row) => row.a?.at === '62') && moved.some((row) => row.b?.at === '62'));
    assert.deepEqual(
      view.findings.onlyA.map(({ rule }) => rule),
      ['R01'],
    );
    const changed = rows.find((row) => row.a?.at === '93');
    assert.deepEqual([changed?.sign, changed?.a?.failed, changed?.b?.failed], ['changed', true, false]);
    const { fields } = ask('compareDetail', {
      against: 'edits',
      edits: ['move 62 after 88'],
      row: Number(changed?.at),
    });
    assert.deepEqual(
      fields.filter(({ verdict }) => verdict === 'differs').map(({ path }) => path),
      ['fault'],
    );
  });

  test('what is dropped is only in A, what is put in only in B, under the names of the edits', () => {
    const line = '{"kind":"msr","dir":"read","cpu":0,"component":"vmbus","msr":"HV_X64_MSR_SINT2"}';
    const { rows } = rowsWith('drop 74', `insert after 40 '${line}'`);
    assert.deepEqual(
      rows.filter(({ sign }) => sign === 'only A').map((row) => row.a?.at),
      ['74'],
    );
    assert.deepEqual(
      rows.filter(({ sign }) => sign === 'only B').map((row) => row.b?.at),
      ['+1'],
    );
  });

  test('another profile derives other events below the same stimulus', () => {
    const { view, rows } = rowsWith('profile synicOwnership=merged');
    assert.ok(view.counts.onlyA > 0 && view.counts.same > 0);
    const kexec = rows.find((row) => row.a?.op === 'kexec');
    assert.equal(kexec?.sign, 'same');
    assert.deepEqual(ask('compare', { against: 'edits', edits: ['drop'] }), {
      problem: (ask('whatIf', { edits: ['drop'] }) as { problem: string }).problem,
    });
  });
});

test('a search for a suggestion tells how far it is and ends when it is told to', () => {
  const seen: unknown[] = [];
  const session = openSession({
    ...{ name: 'before', source: a, sides: SIDES },
    breathe: () => {
      const now = session.answer({ method: 'work', input: {} }) as { work: { what: string } | null };
      if (now.work?.what !== 'suggest') return;
      seen.push(now.work);
      if (seen.length === 1) session.answer({ method: 'cancel', input: {} });
    },
  });
  const { findings } = session.answer({ method: 'findings', input: {} }) as { findings: { id: string }[] };
  const input = { finding: findings[0]?.id ?? '' };
  assert.throws(() => session.answer({ method: 'suggest', input }), /^Error: cancelled$/);
  assert.deepEqual(seen, [{ what: 'suggest', done: 1, total: 240 }]);
  const { edits } = session.answer({ method: 'suggest', input }) as { edits: string[] };
  assert.equal(edits.length, 1);
});

test('work says how far it is, answers others meanwhile, and ends when it is told to', () => {
  const seen: unknown[] = [];
  const work = new Work(() => {
    seen.push(work.view);
    if (seen.length === 2) assert.equal(work.cancel(), true);
  });
  const job = (report: (done: number) => void): string => {
    for (let i = 1; i < 10; i++) report(i);
    return 'done';
  };
  assert.throws(() => work.run('suggest', 9, job), Cancelled);
  assert.deepEqual(seen, [
    { what: 'suggest', done: 1, total: 9 },
    { what: 'suggest', done: 2, total: 9 },
  ]);
  assert.equal(work.view, null);
  assert.equal(work.cancel(), false);
  assert.equal(work.run('suggest', 9, job), 'done');
});
