import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CellView } from '../../engine/app/api.ts';
import { ancestors, treeLines } from './build.ts';

const cell = (path: string, changed = false): CellView => ({
  path,
  value: '0x0',
  known: true,
  type: 'number',
  decoded: {},
  changed,
});
const CELLS = [
  cell('cpu[0].synic.scontrol', true),
  cell('cpu[0].synic.sint[2]'),
  cell('cpu[1].synic.scontrol'),
  cell('system.time'),
];
const shown = (options: Partial<Parameters<typeof treeLines>[1]>) =>
  treeLines(CELLS, { open: new Set(), filter: '', changedOnly: false, ...options }).map(
    (line) =>
      `${'  '.repeat(line.depth)}${line.name}${line.kind === 'node' ? ` ${line.changed}/${line.cells}` : ''}`,
  );

test('closed nodes say how many cells they hold and how many changed', () => {
  assert.deepEqual(shown({}), ['cpu[0] 1/2', 'cpu[1] 0/1', 'system 0/1']);
});

test('open nodes show what is below them, in the order of the cells', () => {
  assert.deepEqual(shown({ open: new Set(['cpu[0]', 'cpu[0].synic']) }), [
    'cpu[0] 1/2',
    '  synic 1/2',
    '    scontrol',
    '    sint[2]',
    'cpu[1] 0/1',
    'system 0/1',
  ]);
});

test('a filter shows what matches, unfolded; words may stand anywhere and hold *', () => {
  const both = ['cpu[0] 1/1', '  synic 1/1', '    scontrol', 'cpu[1] 0/1', '  synic 0/1', '    scontrol'];
  assert.deepEqual(shown({ filter: 'scontrol' }), both);
  assert.deepEqual(shown({ filter: 'CPU[*].synic.scon' }), both);
  assert.deepEqual(shown({ filter: 'scontrol cpu[1]' }), both.slice(3));
  assert.deepEqual(shown({ filter: 'nothing' }), []);
});

test('only what changed', () => {
  assert.deepEqual(shown({ changedOnly: true }), ['cpu[0] 1/1', '  synic 1/1', '    scontrol']);
});

test('a cell that has cells below it is shown with them', () => {
  const lines = treeLines([cell('port[1]'), cell('port[1].sint')], {
    open: new Set(),
    filter: '',
    changedOnly: false,
  });
  assert.deepEqual(
    lines.map(({ path }) => path),
    ['port[1]', 'port[1].sint'],
  );
});

test('the nodes above a cell', () => {
  assert.deepEqual(ancestors('cpu[0].synic.sint[2]'), ['cpu[0]', 'cpu[0].synic']);
  assert.deepEqual(ancestors('a'), []);
});
