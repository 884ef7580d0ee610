import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeControl } from '../abi/index.ts';
import { hypercall } from './calls.testing.ts';
import { possibleResults } from './possible-results.ts';
import { judging, Traffic } from './traffic.testing.ts';

const { only, silent } = judging([possibleResults]);

const unmap = (reps: number, start: number, done: number, status = 'SUCCESS') =>
  hypercall(new Traffic(), 'UNMAP_GPA_PAGES', { target_partition_id: 2 }, { reps, start, done, status });

test('a rep call completes at most what it was asked for', () => {
  assert.deepEqual(only(unmap(8, 0, 9)).culprit, { at: '1', component: 'hypervisor' });
  silent(unmap(8, 0, 8));
  silent(unmap(8, 0, 3)); // cut short
});

test('what was completed before counts', () => {
  assert.match(only(unmap(8, 4, 3)).title, /3 elements completed, of a call that began at 4$/);
  silent(unmap(8, 4, 4));
  silent(unmap(8, 4, 0, 'INVALID_PARTITION_ID'));
});

test('a simple call completes no elements, and one of unknown shape whatever it likes', () => {
  const get = (done: number, status: string | number = 'SUCCESS') =>
    hypercall(new Traffic(), 'GET_PARTITION_PROPERTY', { partition_id: 2 }, { done, status });
  only(get(1));
  silent(get(0));
  silent(get(0xfff, 0xffff)); // no hypercall page
  silent(
    hypercall(new Traffic(), 'VTL_CALL', { bytes: '' }, { control: encodeControl({ code: 0x11 }), done: 4 }),
  );
});
