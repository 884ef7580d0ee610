/** The tables can fail: each column of a wrong row is named. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { wrongOf } from './row.ts';
import { playSection } from './section.ts';
import { rowsOf } from './table.ts';

function wrong(name: string, table: string): string[] {
  const page = { path: 'page.md', name, source: 'here', rows: rowsOf(table) };
  return page.rows.flatMap((row) => wrongOf(page, row));
}

describe('a row that is not so', () => {
  it('of a hypercall: answer, output, cells, rule', () => {
    const right = `
| given | input | answer | leaves | rule |
|---|---|---|---|---|
| root | flags: 0x100 | SUCCESS → partition_id: 2 | partition[2].flags = 0x100; no partition[3].flags | TLFS2013.partition.create |
`;
    assert.deepEqual(wrong('HVCALL_CREATE_PARTITION', right), []);
    const cases: readonly [was: string, is: string, complaint: string][] = [
      ['SUCCESS →', 'ACCESS_DENIED →', 'page.md:4: answer SUCCESS'],
      ['partition_id: 2', 'partition_id: 3', 'page.md:4: output {"partition_id":"0x2"}'],
      ['partition[2].flags = 0x100', 'partition[2].flags = 0x101', 'page.md:4: partition[2].flags = 0x100'],
      [
        'partition[2].flags = 0x100',
        'partition[9].flags = 0',
        'page.md:4: partition[9].flags does not exist',
      ],
      ['no partition[3]', 'no partition[2]', 'page.md:4: no partition[2].flags exists'],
      ['TLFS2013.partition.create', 'TLFS2013.vp.create', 'page.md:4: rule TLFS2013.partition.create'],
    ];
    for (const [was, is, complaint] of cases) {
      assert.deepEqual(wrong('HVCALL_CREATE_PARTITION', right.replace(was, is)), [complaint]);
    }
  });

  it('of an ioctl: answer and children, by name, status, repetitions, fields and number', () => {
    const right = `
| given | input | answer | children |
|---|---|---|---|
| partition | - | 0 | DEPOSIT_MEMORY 208 {partition_id: 0x2}; INITIALIZE_PARTITION |
`;
    assert.deepEqual(wrong('MSHV_INITIALIZE_PARTITION', right), []);
    for (const [was, is] of [
      ['| 0 |', '| EIO |'],
      ['DEPOSIT_MEMORY 208', 'DEPOSIT_MEMORY 207'],
      ['partition_id: 0x2', 'partition_id: 0x3'],
      ['; INITIALIZE_PARTITION', ''],
      ['INITIALIZE_PARTITION |', 'INITIALIZE_PARTITION INVALID_PARTITION_STATE |'],
      ['INITIALIZE_PARTITION |', 'INITIALIZE_PARTITION; DELETE_PARTITION |'],
    ] as const) {
      assert.equal(wrong('MSHV_INITIALIZE_PARTITION', right.replace(was, is)).length, 1, is);
    }
  });

  it('of an MSR: a fault, a value, one that is not modelled', () => {
    const table = (step: string, answer: string) =>
      wrong('MSRs', `| given | step | answer |\n|---|---|---|\n| l1vh | ${step} | ${answer} |\n`);
    assert.deepEqual(table('W SVERSION 0x1', '#GP'), []);
    assert.deepEqual(table('W SVERSION 0x1', '0x1'), ['page.md:3: answer #GP']);
    assert.deepEqual(table('R SVERSION', '0x2'), ['page.md:3: answer 0x1']);
    assert.deepEqual(table('R 0x10', '0x0'), ['page.md:3: answer ?']);
  });
});

it('a table whose rows have other columns than its head is refused', () => {
  assert.throws(() => rowsOf('| a | b |\n|---|---|\n| 1 |\n'), /line 3: 1 cells/);
});

it('a scenario shows children of children, and answers', () => {
  const { found, divergences } = playSection({
    profile: 'role: l1vh, kernel: upstream-7.2',
    steps: ['start vmbus'],
  });
  assert.equal(found[0], 'start vmbus');
  assert.ok(found.includes('    W SCONTROL 0x1') && found.includes('        message deliver SINT2'));
  assert.deepEqual(divergences, []);
});
