import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MatrixCell, MsrMatrix } from '../../engine/app/api.ts';
import { shortRegister, usedColumns } from './columns.ts';

const cell = (written: boolean): MatrixCell => ({
  path: '',
  value: '0x0',
  known: true,
  short: '',
  decoded: {},
  changed: false,
  ...(written ? { writer: { at: '1', component: 'vmbus' } } : {}),
});
const matrix = (...rows: boolean[][]): MsrMatrix => ({
  at: '0',
  registers: (rows[0] ?? []).map((_, i) => `HV_X64_MSR_SINT${i}`),
  rows: rows.map((row, cpu) => ({ cpu, cells: row.map(cell) })),
});

test('a column stays when any CPU wrote it, now or later', () => {
  const now = matrix([true, false, false, false], [false, false, false, false]);
  const atEnd = matrix([true, false, false, false], [false, false, true, false]);
  assert.deepEqual(usedColumns(now, atEnd), [0, 2]);
  assert.deepEqual(usedColumns(now, undefined), [0]);
});

test('with nothing written all columns are shown', () => {
  assert.deepEqual(usedColumns(matrix([false, false]), matrix([false, false])), [0, 1]);
});

test('registers are named without what all have in common', () => {
  assert.equal(shortRegister('HV_X64_MSR_SIMP'), 'SIMP');
  assert.equal(shortRegister('0x40000099'), '0x40000099');
});
