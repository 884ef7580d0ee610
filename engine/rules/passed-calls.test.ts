import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldOf, writeField } from '../abi/index.ts';
import { enter, hypercall, leave } from './calls.testing.ts';
import { passedCalls } from './passed-calls.ts';
import { judging, Traffic } from './traffic.testing.ts';

const { only, silent } = judging([passedCalls]);

interface Case {
  readonly handle?: string;
  readonly name?: string;
  readonly partition?: number | string;
  readonly status?: string;
  readonly told?: number;
  readonly ret?: number;
  readonly kernel?: string;
}

/** A program asks for a call, and mshv makes it. */
function passed(given: Case): Traffic {
  const {
    handle = 'partition:2',
    name = 'GET_PARTITION_PROPERTY',
    partition = 2,
    status = 'SUCCESS',
  } = given;
  const traffic = new Traffic({ kernel: given.kernel ?? 'upstream-7.2', role: 'root' });
  const below = enter(traffic, handle, 'ROOT_HVCALL', { code: `HVCALL_${name}`, in_sz: 16 });
  // The kernel's own: no business of the rule.
  hypercall(traffic, 'DEPOSIT_MEMORY', { partition_id: 9, gpa_page_list: [1] }, { below });
  hypercall(traffic, name, { partition_id: partition }, { below, status });
  const arg = new Uint8Array(32);
  writeField(arg, fieldOf('mshv_root_hvcall', 'status'), given.told ?? 0);
  return leave(traffic, below, given.ret ?? 0, given.told === undefined ? undefined : { arg });
}

test('the call is for the partition of the descriptor', () => {
  silent(passed({}));
  assert.equal(only(passed({ partition: 3 })).id, 'R38:mshv:other-partition:HVCALL_GET_PARTITION_PROPERTY');
  silent(passed({ handle: 'device', partition: '0xffffffffffffffff' }));
  only(passed({ handle: 'device', partition: 2 }));
  silent(passed({ handle: 'partition:?', partition: 3 }));
});

test('only calls of the list are let through, on the device two of them', () => {
  assert.match(
    only(passed({ name: 'FINALIZE_PARTITION' })).fix,
    /refuse HVCALL_FINALIZE_PARTITION on a partition/,
  );
  silent(passed({ name: 'CLEAR_VIRTUAL_INTERRUPT' }));
  only(passed({ name: 'CLEAR_VIRTUAL_INTERRUPT', handle: 'device', partition: '0xffffffffffffffff' }));
});

test('the program is told the status that the hypervisor gave', () => {
  assert.match(
    only(passed({ told: 6, ret: 0 })).title,
    /HV_STATUS_ACCESS_DENIED .* answered HV_STATUS_SUCCESS$/,
  );
  silent(passed({ told: 0 }));
  silent(passed({ status: 'ACCESS_DENIED', told: 6, ret: -5 }));
});

test('and the errno that stands for it', () => {
  const wrong = only(passed({ status: 'ACCESS_DENIED', ret: -22 }));
  assert.deepEqual([wrong.severity, wrong.id], ['warning', 'R38:mshv:errno:HVCALL_GET_PARTITION_PROPERTY']);
  silent(passed({ status: 'INVALID_PARAMETER', ret: -22 }));
  for (const ret of [-4, -11, -12, -14]) silent(passed({ status: 'ACCESS_DENIED', ret }));
  // Which errnos another kernel has is not known.
  silent(passed({ status: 'ACCESS_DENIED', ret: -22, kernel: 'unknown' }));
  // What is finished later is told by a message.
  silent(passed({ name: 'SET_PARTITION_PROPERTY', status: 'CALL_PENDING', told: 5, ret: -22 }));
});
