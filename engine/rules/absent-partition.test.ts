import assert from 'node:assert/strict';
import { test } from 'node:test';
import { absentPartition } from './absent-partition.ts';
import { partitionPhase } from './partition-phase.ts';
import { ACTIVE, hypercall, type Line, told } from './told.testing.ts';
import { judging } from './traffic.testing.ts';

const { only, silent } = judging([partitionPhase, absentPartition]);
const ROOT = { role: 'root', cpus: 1 };
const REFUSED = { status: 'INVALID_PARTITION_ID' };

function property(partition_id: number | string, extra: Readonly<Record<string, unknown>> = REFUSED): Line {
  return hypercall('GET_PARTITION_PROPERTY', { partition_id, property_code: 0x10001 }, extra);
}

test('a partition that nobody created: all calls on it are one finding, and the first names it', () => {
  const again = hypercall('CREATE_VP', { partition_id: 3, vp_index: 0 }, REFUSED);
  const finding = only(told(ROOT, [...ACTIVE, property(3), again, again]));
  assert.deepEqual(finding, {
    id: 'R49:mshv',
    rule: 'R49',
    severity: 'error',
    title: 'mshv makes HVCALL_GET_PARTITION_PROPERTY on a partition that is not there',
    at: '4',
    culprit: { at: '4', component: 'mshv' },
    evidence: ['4', '5'],
    cells: ['partition[3]'],
    partition: '3',
    fix: 'let mshv name the partition that HVCALL_CREATE_PARTITION gave it, and none when that failed',
  });
  silent(told(ROOT, [...ACTIVE, property(2, {})]));
});

test('its creation failed: that is in the proof, unless it was made again with more pages', () => {
  const create = (status: string): Line => hypercall('CREATE_PARTITION', {}, { status });
  const finding = only(told(ROOT, [create('ACCESS_DENIED'), property(2)]));
  assert.deepEqual([finding.evidence, finding.culprit.at], [['1', '2'], '2']);
  assert.match(finding.title, /whose creation failed$/);
  const short = only(told(ROOT, [create('INSUFFICIENT_MEMORY'), ...ACTIVE, property(3)]));
  assert.deepEqual(short.evidence, ['5']);
});

test('either partition of a call that names two, and one inside an identity', () => {
  const ports = (port: string | number, connection: number): Line =>
    hypercall(
      'CREATE_PORT',
      { port_partition_id: port, port_id: 1, connection_partition_id: connection },
      REFUSED,
    );
  assert.equal(only(told(ROOT, [...ACTIVE, ports('0xffffffffffffffff', 3)])).partition, '3');
  silent(told(ROOT, [...ACTIVE, ports('0xffffffffffffffff', 2)]));
  const stats = hypercall('UNMAP_STATS_PAGE', { type: 2, identity: { vp: { partition_id: 7 } } }, REFUSED);
  assert.equal(only(told(ROOT, [...ACTIVE, stats])).partition, '7');
});

test('the own partition, by its constant and by the id that the hypervisor told: silent', () => {
  const told1 = hypercall('GET_PARTITION_ID', {}, { output: { partition_id: 9 } });
  silent(told(ROOT, [property('0xffffffffffffffff'), told1, property(9)]));
  only(told(ROOT, [told1, property(8)]));
});

test('deleted meanwhile: R10 says so, and this rule of calls that R10 does not know', () => {
  const gone = [
    ...ACTIVE,
    hypercall('FINALIZE_PARTITION', { partition_id: 2 }),
    hypercall('DELETE_PARTITION', { partition_id: 2 }),
  ];
  assert.equal(only(told(ROOT, [...gone, property(2)])).rule, 'R10');
  const translate = hypercall('TRANSLATE_VIRTUAL_ADDRESS', { partition_id: 2, vp_index: 0 }, REFUSED);
  assert.equal(only(told(ROOT, [...gone, translate])).rule, 'R49');
});

test('children are told one after the other, and one goes meanwhile: silent', () => {
  const next = { parent_partition_id: '0xffffffffffffffff', previous_child_partition_id: 3 };
  silent(told(ROOT, [...ACTIVE, hypercall('GET_NEXT_CHILD_PARTITION', next, REFUSED)]));
});

test('a guest, a caller that is not known, a recording that began mid-life or has a gap: silent', () => {
  silent(told(ROOT, [...ACTIVE, property(3, { ...REFUSED, vp: '2.0', component: 'guest' })]));
  silent(told(ROOT, [...ACTIVE, property(3, { ...REFUSED, component: 'unknown' })]));
  silent(told({ ...ROOT, initial: 'unknown' }, [property(3)]));
  silent(told(ROOT, [...ACTIVE, { kind: 'mark', what: 'gap', lost: 1 }, property(3)]));
});
