import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerCannotCome } from './answer-cannot-come.ts';
import { hypercall } from './calls.testing.ts';
import { sharedOwnership } from './shared-ownership.ts';
import { judging, MASKED, mshvDown, mshvUp, Traffic, vmbusDown, vmbusUp } from './traffic.testing.ts';

const { only, silent } = judging([sharedOwnership, answerCannotCome]);

function post(traffic: Traffic, name: string, members: object = {}, extra: object = {}): Traffic {
  const payload = { vmbus: `CHANNELMSG_${name}`, ...members };
  return hypercall(
    traffic,
    'HVCALL_POST_MESSAGE',
    { connectionid: 4, payload },
    { component: 'vmbus', ...extra },
  );
}

test('UNLOAD after the SynIC of the CPU that made contact went down', () => {
  const finding = only(post(vmbusDown(vmbusUp(new Traffic(), 0), 0), 'UNLOAD'));
  assert.deepEqual(
    [finding.id, finding.at, finding.evidence, finding.cells],
    ['R33:vmbus:CHANNELMSG_UNLOAD:SIMP', '9', ['6', '9'], ['cpu[0].synic.simp']],
  );
  silent(vmbusDown(post(vmbusUp(new Traffic(), 0), 'UNLOAD'), 0));
  // Masked, but the slot is there.
  silent(post(vmbusUp(new Traffic(), 0).write('vmbus', 0, 'SINT2', MASKED), 'UNLOAD'));
});

test('the answer comes to the CPU that made contact', () => {
  const both = () => vmbusUp(vmbusUp(new Traffic(), 0), 1);
  const contact = (traffic: Traffic, cpu: number) => post(traffic, 'INITIATE_CONTACT', { target_vcpu: cpu });
  silent(post(vmbusDown(contact(both(), 0), 1), 'UNLOAD'));
  assert.deepEqual(only(post(vmbusDown(contact(both(), 1), 1), 'UNLOAD')).cpus, [1]);
  only(contact(vmbusDown(both(), 1), 1));
});

test('another took it away: its fault; nobody did, or nobody waits: silent', () => {
  const taken = mshvDown(mshvUp(vmbusUp(new Traffic(), 0), 0), 0);
  assert.equal(only(post(taken, 'UNLOAD')).rule, 'R01');
  silent(post(new Traffic().read('vmbus', 0, 'SIMP', 0n), 'UNLOAD'));
  const down = () => vmbusDown(vmbusUp(new Traffic(), 0), 0);
  silent(post(down(), 'REQUESTOFFERS'));
  silent(post(down(), 'UNLOAD', {}, { status: 'INVALID_CONNECTION_ID' }));
  silent(post(vmbusUp(down(), 0), 'UNLOAD'));
});
