import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import fc from 'fast-check';
import { check } from './check.ts';
import { type Row, row, TABLE, tree, WORDS } from './filter.testing.ts';
import { readFilter } from './filter.ts';
import type { Plan } from './plan.ts';
import { type Access, compilePredicate } from './predicate.ts';
import { print } from './print.ts';
import { type Column, type Columns, toSql } from './sql.ts';
import type { FieldValue } from './value.ts';

const ACCESS: Access<Row> = {
  field: (name) => {
    if (name === 'sub') return () => 0;
    return (event) => event[name as keyof Row];
  },
  payload: () => (event) => event.member,
  changes: () => (event) => event.seq % 2 === 0,
  under: (position) => (event) => event.seq > position.seq && event.seq % 3 === 0,
};

/** Rows of values held in another table: `who` by name, `pid` by an actor with number 10 + pid. */
const select = (
  values: readonly FieldValue[],
  first: number,
): Extract<Column, { by: 'interned' }>['select'] => {
  return (passes) => values.flatMap((value, i) => (passes(value) ? [first + i] : []));
};

/** A table as a store may have it: `op` serves three kinds, `ret` is kept elsewhere for one of them. */
const COLUMNS: Columns = new Map<string, Column>([
  ['seq', { by: 'integer', sql: 'seq' }],
  ['sub', { by: 'constant', value: 0 }],
  ['t', { by: 'integer', sql: 't' }],
  ['kind', { by: 'integer', sql: 'kind' }],
  ['op', { by: 'integer', sql: 'op' }],
  ['ret', { by: 'integer', sql: 'result', when: 'has_ret' }],
  ['id', { by: 'integer', sql: 'id', unsigned64: true }],
  ['who', { by: 'interned', sql: 'who', select: select(WORDS, 0) }],
  ['pid', { by: 'interned', sql: 'actor', select: select([0, 1, 2, 3], 10) }],
]);

function fill(db: DatabaseSync, rows: readonly Row[]): void {
  const insert = db.prepare(
    'INSERT INTO event (row, seq, t, kind, op, result, has_ret, id, who, actor) VALUES (?,?,?,?,?,?,?,?,?,?)',
  );
  rows.forEach((event, i) => {
    const who = event.who === undefined ? null : WORDS.indexOf(event.who);
    const id = event.id === undefined ? null : BigInt.asIntN(64, event.id);
    const ret = event.ret ?? 1n;
    const actor = event.pid === undefined ? null : event.pid + 10;
    const op = event.op ?? null;
    insert.run(i, event.seq, event.t, event.kind, op, ret, event.ret === undefined ? 0 : 1, id, who, actor);
  });
}

function selected(db: DatabaseSync, plan: Plan, rows: readonly Row[]): { rows: number[]; exact: boolean } {
  const sql = toSql(plan, COLUMNS);
  const found = db.prepare(`SELECT row FROM event WHERE ${sql.where} ORDER BY row`).all(...sql.params);
  const rest = sql.residual === null ? () => true : compilePredicate(sql.residual, ACCESS);
  assert.equal(sql.exact, sql.residual === null);
  return {
    rows: found.map((at) => at.row as number).filter((i) => rest(rows[i] as Row)),
    exact: sql.exact,
  };
}

function withTable<T>(use: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(':memory:');
  try {
    db.exec(
      'CREATE TABLE event (row INTEGER PRIMARY KEY, seq, t, kind, op, result, has_ret, id, who, actor)',
    );
    return use(db);
  } finally {
    db.close();
  }
}

test('SQL and predicate choose the same rows', () => {
  let exact = 0;
  let some = 0;
  withTable((db) => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 12 }), tree, (rows, filter) => {
        const plan = check(filter, TABLE);
        assert.ok(plan.ok, print(filter));
        db.exec('DELETE FROM event');
        fill(db, rows);
        const predicate = compilePredicate(plan.value, ACCESS);
        const expected = rows.flatMap((event, i) => (predicate(event) ? [i] : []));
        const got = selected(db, plan.value, rows);
        assert.deepEqual(got.rows, expected, print(filter));
        exact += got.exact ? 1 : 0;
        some += expected.length > 0 && expected.length < rows.length ? 1 : 0;
      }),
      { numRuns: 1500 },
    );
  });
  assert.ok(exact > 100, `only ${exact} filters were all SQL`);
  assert.ok(some > 300, `only ${some} filters chose some of the rows`);
});

function planOf(text: string): Plan {
  const filter = readFilter(text, TABLE);
  assert.ok(filter.ok, text);
  return filter.value.plan;
}

test('filters over columns are all SQL; the rest stays behind as residual', () => {
  const sql = (text: string) => toSql(planOf(text), COLUMNS);
  assert.deepEqual(sql('seq == 4'), { where: 'seq = ?', params: [4n], exact: true, residual: null });
  assert.deepEqual(sql('seq <= 4').where, 'seq <= ?');
  assert.equal(sql('who ~ ^m && pid == 2').where, '(who = ? AND actor = ?)');
  assert.equal(sql('op ~ "." && kind != message && !(ret < 0 || id > 5)').exact, true);
  const mixed = sql('kind == msr && (arg.x == 1 || t > 5ns)');
  assert.equal(mixed.where, 'kind = ?');
  assert.deepEqual(mixed.residual, planOf('arg.x == 1 || t > 5ns'));
  assert.deepEqual(sql('under(7)').where, 'seq >= ?');
  assert.equal(sql('seq == 4.1').where, '0');
});

test('the largest filters stay within the limits of SQLite', () => {
  withTable((db) => {
    const alternatives = Array.from({ length: 256 }, (_, i) => `ret==${i}`).join('||');
    const listed = `ret in {${Array.from({ length: 600 }, (_, i) => i).join(',')}}`;
    for (const text of [alternatives, listed, `!(${alternatives})`]) {
      assert.deepEqual(selected(db, planOf(text), []), { rows: [], exact: true });
    }
  });
});

test('64-bit values compare exactly on both sides', () => {
  const base = { seq: 1, t: 0, kind: 0, op: 0n, who: undefined, pid: 0, rule: undefined, member: undefined };
  const top = 1n << 63n;
  const values = [0n, 1n, top - 1n, top, top + 1n, (1n << 64n) - 1n];
  const rows = values.map((id): Row => ({ ...base, id, ret: BigInt.asIntN(64, id) }));
  withTable((db) => {
    fill(db, rows);
    const ids = (text: string) => selected(db, planOf(text), rows).rows;
    assert.deepEqual(ids(`id == ${top}`), [3]);
    assert.deepEqual(ids(`id < ${top}`), [0, 1, 2]);
    assert.deepEqual(ids(`id > ${top}`), [4, 5]);
    assert.deepEqual(ids(`id >= ${top - 1n}`), [2, 3, 4, 5]);
    assert.deepEqual(ids('id > -1'), [0, 1, 2, 3, 4, 5]);
    assert.deepEqual(ids('id == -1'), []);
    assert.deepEqual(ids(`ret < 0`), [3, 4, 5]);
    assert.deepEqual(ids(`ret < ${1n << 70n}`), [0, 1, 2, 3, 4, 5]);
  });
});
