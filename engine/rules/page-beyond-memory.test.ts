import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hypercall } from './calls.testing.ts';
import { pageBeyondMemory } from './page-beyond-memory.ts';
import { judging, Traffic } from './traffic.testing.ts';

const { only, silent } = judging([pageBeyondMemory]);
const VIRTUAL = 0xffff_8880_1234_5001n;
const LAST = 0x000f_ffff_ffff_f001n;

test('a virtual address in the register of a page', () => {
  const traffic = new Traffic().write('vmbus', 0, 'SIMP', VIRTUAL).write('vmbus', 1, 'SIMP', VIRTUAL);
  const finding = only(traffic);
  assert.deepEqual([finding.id, finding.at, finding.cpus], ['R35:vmbus:SIMP', '1', [0, 1]]);
  const elements = [{ name: 'HV_REGISTER_SIMP', value: '0xffff888012345001' }];
  const input = { partition_id: 2, vp_index: 1, elements };
  assert.equal(only(hypercall(new Traffic(), 'HVCALL_SET_VP_REGISTERS', input)).vp, 1);
});

test('any address that can be, an enable bit that is clear, or a write that was refused: silent', () => {
  silent(new Traffic().write('vmbus', 0, 'SIMP', LAST));
  only(new Traffic().write('vmbus', 0, 'SIMP', LAST + 0x1000n));
  silent(new Traffic().write('vmbus', 0, 'SIMP', VIRTUAL - 1n));
  silent(new Traffic().write('vmbus', 0, 'SIMP', VIRTUAL, { fault: true }));
});
