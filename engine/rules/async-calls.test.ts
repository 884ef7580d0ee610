import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldOf, messageTypes, writeField } from '../abi/index.ts';
import { asyncCalls } from './async-calls.ts';
import { enter, hypercall, leave } from './calls.testing.ts';
import { judging, Traffic } from './traffic.testing.ts';

const { only, silent } = judging([asyncCalls]);

const set = (traffic: Traffic, partition_id = 2, extra: Parameters<typeof hypercall>[3] = {}) =>
  hypercall(traffic, 'SET_PARTITION_PROPERTY', { partition_id }, { status: 'CALL_PENDING', ...extra });

/** The message of the end of a call of a partition. */
function completion(traffic: Traffic, partition: number): Traffic {
  const slot = new Uint8Array(40);
  writeField(
    slot,
    fieldOf('hv_message', 'header.message_type'),
    messageTypes.number('ASYNC_CALL_COMPLETION'),
  );
  slot[16] = partition;
  return traffic.add({ kind: 'message', what: 'deliver', cpu: 0, sint: 0, slot });
}

test('a second call while the first is under way', () => {
  const finding = only(set(completion(set(new Traffic()), 3)));
  assert.deepEqual([finding.id, finding.culprit.at, finding.partition], ['R36:mshv:second', '3', '2']);
  silent(set(completion(set(new Traffic()), 2)));
  silent(set(completion(set(new Traffic()), 3), 4));
});

test('nobody sees completions: silent', () => {
  silent(set(set(new Traffic())));
  silent(set(completion(set(new Traffic()), 3).add({ kind: 'mark', what: 'gap', lost: 1 })));
});

test('the ioctl of the first call waits for its end', () => {
  const asked = (returns: boolean) => {
    const traffic = new Traffic();
    const below = enter(traffic, 'partition:2', 'ROOT_HVCALL', {
      code: 'HVCALL_SET_PARTITION_PROPERTY',
      in_sz: 24,
    });
    set(traffic, 2, { below });
    if (returns) leave(traffic, below, 0);
    return set(traffic);
  };
  silent(asked(true));
  only(asked(false));
});

test('only one call may be finished later', () => {
  const get = (status: string) =>
    hypercall(new Traffic(), 'GET_PARTITION_PROPERTY', { partition_id: 2 }, { status });
  assert.equal(only(get('CALL_PENDING')).culprit.component, 'hypervisor');
  silent(get('OPERATION_DENIED'));
});
