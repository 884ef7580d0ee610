import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeedView, DescriptorLife, PartitionLife } from '../../engine/app/api-machine.ts';
import { flagsText, leftText, pagesText } from './words.ts';

const deed: DeedView = { at: '1', tNs: 0, component: 'vmm', op: 'open', causeAt: '1', cause: 'open' };
const descriptor = (left: boolean): DescriptorLife => ({
  ...{ process: '7', fd: '3', handle: 'device', opened: deed, now: 'there', changed: false },
  left,
});
const partition = (left: boolean): PartitionLife => ({
  ...{ id: '2', phases: [], phase: '', changed: false, deposited: 0, used: 0, deposits: [], left },
  vps: [{ vp: '2.0', created: deed, now: 'gone', held: '', runsSoFar: 0, runs: 0, left, changed: false }],
});

test('map flags have short forms, and unknown ones stay', () => {
  assert.equal(flagsText(['READABLE', 'WRITABLE', 'USER_EXECUTABLE']), 'R W UX');
  assert.equal(flagsText(['NO_ACCESS']), 'no access');
  assert.equal(flagsText(['ADJUSTABLE']), 'adjustable');
  assert.equal(flagsText([]), 'none');
});

test('what is left is named', () => {
  assert.equal(leftText([partition(false)], [descriptor(false)]), '');
  assert.equal(leftText([partition(true)], [descriptor(true)]), 'partition 2, VP 2.0, 1 descriptor');
  assert.equal(leftText([], [descriptor(true), descriptor(true)]), '2 descriptors');
});

test('pages are counted', () => {
  assert.deepEqual([1, 2].map(pagesText), ['1 page', '2 pages']);
});
