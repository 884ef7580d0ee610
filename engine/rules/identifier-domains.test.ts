import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hypercall } from './calls.testing.ts';
import { identifierDomains } from './identifier-domains.ts';
import { judging, Traffic } from './traffic.testing.ts';

const { only, silent } = judging([identifierDomains]);

/** The hypervisor is asked which VPs have these APIC ids. */
function translated(
  pairs: readonly (readonly [apic: number, vp: number])[],
  traffic = new Traffic(),
): Traffic {
  const output = new Uint8Array(new Uint32Array(pairs.map(([, vp]) => vp)).buffer);
  const input = { partition_id: 7, apic_ids: pairs.map(([apic]) => apic) };
  return hypercall(traffic, 'GET_VP_INDEX_FROM_APIC_ID', input, { component: 'arch', output });
}

const start = (traffic: Traffic, vp_index: number, status = 'SUCCESS', partition_id = 7) =>
  hypercall(traffic, 'START_VP', { partition_id, vp_index }, { component: 'arch', status });

test('an APIC id where a VP index is meant', () => {
  const finding = only(start(translated([[16, 8]]), 16));
  assert.deepEqual(
    [finding.id, finding.severity, finding.evidence],
    ['R20:arch:apic-id:HVCALL_START_VP', 'error', ['1', '2']],
  );
  assert.match(finding.title, /APIC id 16 .* the VP with that id is VP 8$/);
  silent(start(translated([[16, 8]]), 8));
});

test('both numbers are the same, or the number is both: silent', () => {
  silent(start(translated([[16, 16]]), 16));
  silent(
    start(
      translated([
        [16, 8],
        [32, 16],
      ]),
      16,
    ),
  );
  // What is said of one partition says nothing of another.
  silent(start(translated([[16, 8]]), 16, 'SUCCESS', 3));
});

test('a target mask of a device interrupt has VP indexes too', () => {
  const retarget = (vp_mask: string, more: object = {}) =>
    hypercall(translated([[16, 8]]), 'RETARGET_INTERRUPT', {
      partition_id: 7,
      int_target: { vector: 0x30, vp_mask, ...more },
    });
  only(retarget('0x10000'));
  silent(retarget('0x100'));
});

test('a VP that does not exist, as the hypervisor says', () => {
  const get = (vp_index: number | string, status: string) =>
    hypercall(
      new Traffic(),
      'GET_VP_REGISTERS',
      { partition_id: 2, vp_index, names: [1] },
      { status, done: 0 },
    );
  const finding = only(get(5, 'INVALID_VP_INDEX'));
  assert.deepEqual([finding.severity, finding.partition, finding.vp], ['warning', '2', 5]);
  silent(get(5, 'INVALID_PARAMETER'));
  silent(get('0xfffffffe', 'INVALID_VP_INDEX'));
  silent(get('0xffffffff', 'INVALID_VP_INDEX'));
  // One that is to be created does not exist yet.
  silent(
    hypercall(new Traffic(), 'CREATE_VP', { partition_id: 2, vp_index: 5 }, { status: 'INVALID_VP_INDEX' }),
  );
});

test('a contact names a VP of the guest', () => {
  const contact = (target_vcpu: number | string, given: Record<string, string> = {}) =>
    hypercall(
      new Traffic({ role: 'guest', cpus: 4, ...given }),
      'POST_MESSAGE',
      { connectionid: 4, payload: { vmbus: 'CHANNELMSG_INITIATE_CONTACT', target_vcpu } },
      { component: 'vmbus' },
    );
  only(contact(4));
  silent(contact(3));
  silent(contact('0xffffffff'));
  silent(contact(64, { initial: 'unknown' }));
});

test('repetitions are one finding', () => {
  const traffic = translated([
    [16, 8],
    [18, 9],
  ]);
  start(start(traffic, 16), 18);
  only(traffic);
});
