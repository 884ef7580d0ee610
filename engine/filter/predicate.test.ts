import assert from 'node:assert/strict';
import { test } from 'node:test';
import { named, type Row, TABLE } from './filter.testing.ts';
import { readFilter } from './filter.ts';
import { type Access, compilePredicate } from './predicate.ts';

const ROW: Row = {
  seq: 7,
  t: 3,
  kind: 1,
  op: 1n,
  ret: undefined,
  id: 0n,
  who: 'vmbus',
  pid: 0,
  rule: undefined,
  member: [named(0n, 'OFF', 'NONE'), 5n, 'text'],
};

/** Counts what is read, by field. */
function counting(reads: string[], sub = 0): Access<Row> {
  return {
    field: (name) => (event) => {
      reads.push(name);
      return name === 'sub' ? sub : event[name as keyof Row];
    },
    payload: (root, path) => (event) => {
      reads.push([root, ...path].join('.'));
      return event.member;
    },
    changes: (path) => () => {
      reads.push(path);
      return path === 'cpu[*].synic';
    },
    under: (position) => (event) => event.seq > position.seq,
  };
}

function holds(text: string, reads: string[] = [], sub = 0): boolean {
  const filter = readFilter(text, TABLE);
  assert.ok(filter.ok, text);
  return compilePredicate(filter.value.plan, counting(reads, sub))(ROW);
}

test('a filter means what the language says', () => {
  const cases: readonly (readonly [string, boolean])[] = [
    ['kind == msr', true],
    ['kind', true],
    ['kind in {ioctl, message}', false],
    ['op == write', true],
    ['op == MAP', false],
    ['op != MAP', true],
    ['op == 1', false],
    ['op ~ "^w"', true],
    ['op ~ OLD', false],
    ['ret', false],
    ['ret == 0', false],
    ['ret != 0', false],
    ['!(ret == 0)', true],
    ['id', false],
    ['id == 0', true],
    ['pid', false],
    ['who != mshv', true],
    ['who ~ BUS', true],
    ['rule != R01', false],
    ['t > 2ns && t <= 3ns', true],
    ['arg.x == OFF', true],
    ['arg.x == NONE', true],
    ['arg.x == 5', true],
    ['arg.x != 5', false],
    ['arg.x > 4', true],
    ['arg.x > 5', false],
    ['arg.x ~ ex', true],
    ['arg.x', true],
    ['changes(cpu[*].synic)', true],
    ['changes(cpu[1].synic)', false],
    ['under(6)', true],
    ['under(7)', false],
    ['ret || kind == ioctl || who == vmbus', true],
  ];
  for (const [text, expected] of cases) assert.equal(holds(text), expected, text);
});

test('positions are ordered: the event, what is derived below it, its return', () => {
  const cases: readonly (readonly [string, number, boolean])[] = [
    ['seq == 7', 0, true],
    ['seq == 7', 3, false],
    ['seq == 7.3', 3, true],
    ['seq in {7.2, 7.3, 9}', 3, true],
    ['seq > 7', 0, false],
    ['seq > 7', 1, true],
    ['seq > 7.3', 3, false],
    ['seq >= 7.3', 3, true],
    ['seq >= 7.3', 2, false],
    ['seq < 7r', 9, true],
    ['seq <= 7', 1, false],
    ['seq < 8', 9, true],
    ['seq > 6r', 0, true],
    ['seq != 7', 0, false],
  ];
  for (const [text, sub, expected] of cases)
    assert.equal(holds(text, [], sub), expected, `${text} at 7.${sub}`);
});

test('payloads and state are read last, and only where the rest leaves it open', () => {
  const reads: string[] = [];
  assert.equal(holds('changes(cpu[*].synic) && in.a[0].b == 5 && kind == ioctl', reads), false);
  assert.deepEqual(reads, ['kind']);
  assert.equal(holds('changes(cpu[*].synic) && in.a[0].b == 5 && kind == msr', reads), true);
  assert.deepEqual(reads, ['kind', 'kind', 'in.a.0.b', 'cpu[*].synic']);
});
