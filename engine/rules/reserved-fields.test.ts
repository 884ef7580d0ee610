import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeControl, hypercalls } from '../abi/index.ts';
import { enter, hypercall, leave } from './calls.testing.ts';
import { reservedFields } from './reserved-fields.ts';
import { judge, judging, Traffic } from './traffic.testing.ts';

const { only, silent } = judging([reservedFields]);

const MAP = {
  target_partition_id: 2,
  map_flags: ['READABLE'],
  source_gpa_page_list: [{ from: 0x12340, count: 8, step: 1 }],
};
const features = (xsave: object) => ({
  partition_creation_properties: { disabled_processor_xsave_features: xsave },
});

test('what the call before left on the page is told as such', () => {
  const traffic = hypercall(new Traffic(), 'MAP_GPA_PAGES', MAP);
  const stale = features({ xsaveopt_support: 1, reserved1: 0x2468 });
  const finding = only(hypercall(traffic, 'CREATE_PARTITION', stale, { status: 'INVALID_PARAMETER' }));
  assert.match(finding.title, /reserved1 set.*left over from HVCALL_MAP_GPA_PAGES on the same page$/);
  assert.match(finding.fix, /clear the input block before/);
  assert.deepEqual([finding.severity, finding.evidence], ['error', ['1', '2']]);
  // Another CPU has another page; and other bytes have come from elsewhere.
  const apart = hypercall(new Traffic(), 'MAP_GPA_PAGES', MAP, { cpu: 1 });
  const plain = only(hypercall(apart, 'CREATE_PARTITION', stale));
  assert.deepEqual([plain.evidence, plain.severity], [['2'], 'warning']);
  assert.match(plain.fix, /leave .*reserved1 of HVCALL_CREATE_PARTITION zero/);
  const other = hypercall(new Traffic(), 'MAP_GPA_PAGES', MAP);
  const foreign = only(hypercall(other, 'CREATE_PARTITION', features({ reserved1: 0x9999 })));
  assert.deepEqual(foreign.evidence, ['2']);
});

test('a mask of ones is deliberate: silent', () => {
  silent(
    hypercall(
      new Traffic(),
      'CREATE_PARTITION',
      features({ avx_support: 1, reserved1: '0x1fffffffffffffff' }),
    ),
  );
  only(
    hypercall(
      new Traffic(),
      'CREATE_PARTITION',
      features({ avx_support: 1, reserved1: '0xfffffffffffffff' }),
    ),
  );
});

test('all reserved members are zero, whatever stands behind the block: silent', () => {
  const post = { connectionid: 1, message_type: 1, payload_size: 4, payload: '00112233' };
  silent(hypercall(new Traffic(), 'POST_MESSAGE', { ...post, payload: '001122335a5a5a5a' }));
  const wrong = only(
    hypercall(new Traffic(), 'POST_MESSAGE', { ...post, reserved: 0x5a5a }, { component: 'vmbus' }),
  );
  assert.deepEqual(
    [wrong.id, wrong.culprit],
    ['R05:vmbus:HVCALL_POST_MESSAGE', { at: '1', component: 'vmbus' }],
  );
});

test('elements of a list have reserved members too', () => {
  const set = (more: object) =>
    hypercall(new Traffic(), 'SET_VP_REGISTERS', {
      partition_id: 2,
      elements: [
        { name: 0, value: 0 },
        { name: 1, value: 0, ...more },
      ],
    });
  silent(set({}));
  assert.match(only(set({ reserved2: 7 })).title, /elements\[1\]\.reserved2/);
});

test('members count by what the others say they are', () => {
  const port = (type: string, info: object) =>
    hypercall(new Traffic(), 'CREATE_PORT', {
      port_partition_id: 2,
      port_info: { port_type: type, ...info },
    });
  silent(port('EVENT', { event_port_info: { target_sint: 2, base_flag_number: 7, flag_count: 9 } }));
  only(port('DOORBELL', { doorbell_port_info: { target_sint: 5, rsvdz: 0x9_0007 } }));
});

test('reserved bits of the control word', () => {
  const code = hypercalls.number('FLUSH_VIRTUAL_ADDRESS_SPACE');
  const call = (reserved: bigint) =>
    hypercall(
      new Traffic(),
      'FLUSH_VIRTUAL_ADDRESS_SPACE',
      { processor_mask: 1 },
      {
        control: encodeControl({ code, reserved }),
        status: 'INVALID_HYPERCALL_INPUT',
      },
    );
  silent(call(0n));
  assert.match(only(call(1n << 27n)).title, /^mshv gives the control word with bits that must be zero set/);
  silent(call(1n << 31n)); // the nested bit
});

test('what a program passes through or gives is its own', () => {
  const traffic = new Traffic();
  const input = { partition_id: 0, property_code: 1, padding: 5 };
  const asked = enter(
    traffic,
    'partition:2',
    'ROOT_HVCALL',
    { code: 'HVCALL_GET_PARTITION_PROPERTY', in_sz: 16 },
    { in: input },
  );
  hypercall(traffic, 'GET_PARTITION_PROPERTY', input, { below: asked, status: 'INVALID_PARAMETER' });
  leave(traffic, asked, -22);
  assert.deepEqual(only(traffic).culprit, { at: '1', component: 'vmm' });
  const created = new Traffic();
  const call = enter(created, 'device', 'CREATE_PARTITION', {
    pt_flags: 8,
    pt_num_cpu_fbanks: 2,
    pt_disabled_xsave: 0x12340,
  });
  hypercall(created, 'CREATE_PARTITION', features({ reserved1: 0x2468 }), { below: call });
  leave(created, call, 4);
  assert.equal(only(created).culprit.component, 'vmm');
});

test('an argument with a reserved member set, once it is known what came of it', () => {
  const map = (rsvd: string, ret: number) => {
    const traffic = new Traffic();
    const call = enter(traffic, 'partition:2', 'SET_GUEST_MEMORY', { size: 0x1000, rsvd });
    return leave(traffic, call, ret);
  };
  silent(map('00', 0));
  const refused = only(map('0001', -22));
  assert.deepEqual([refused.id, refused.severity], ['R05:vmm:MSHV_SET_GUEST_MEMORY', 'error']);
  assert.equal(only(map('0001', 0)).severity, 'warning');
});

test('the partition id of a change of host access is zero unless pages are made exclusive', () => {
  const change = (flags: number) =>
    hypercall(new Traffic(), 'ACQUIRE_SPARSE_SPA_PAGE_HOST_ACCESS', {
      flags,
      partition_id: 2,
      spa_page_list: [1],
    });
  silent(change(1));
  only(change(2));
});

test('all calls of one kind by one component are one finding', () => {
  const traffic = new Traffic();
  const bad = { connectionid: 1, reserved: 9, message_type: 1 };
  for (let i = 0; i < 5; i++) hypercall(traffic, 'POST_MESSAGE', bad, { cpu: i });
  only(traffic);
  hypercall(traffic, 'POST_MESSAGE', bad, { component: 'vmbus' });
  hypercall(traffic, 'SEND_IPI', { vector: 0xf3, reserved: 1, cpu_mask: 1 });
  assert.equal(judge(traffic, [reservedFields]).length, 3);
  // Nobody knows whose it is.
  silent(hypercall(new Traffic(), 'POST_MESSAGE', bad, { component: 'unknown' }));
});

test('preserved bits of an MSR are written back as they were read', () => {
  const read = (value: bigint) => new Traffic().read('vmbus', 0, 'SIMP', value);
  silent(read(0x5010n).write('vmbus', 0, 'SIMP', 0x1011n | 0x4000n));
  const lost = only(read(0x5010n).write('vmbus', 0, 'SIMP', 0x1001n));
  assert.deepEqual(
    [lost.id, lost.cells, lost.severity],
    ['R05:vmbus:SIMP', ['cpu[0].synic.simp'], 'warning'],
  );
  // Who has not read them may write zeros.
  silent(read(0x5010n).write('mshv', 0, 'SIMP', 0x1001n));
  only(read(0x5010n).write('mshv', 0, 'SIMP', 0x1111n));
  // On another CPU they are others.
  silent(read(0x5010n).write('vmbus', 1, 'SIMP', 0x1001n));
});

test('bits that were never set are set: found where the value at reset is known', () => {
  only(new Traffic().write('vmbus', 0, 'SINT2', 0xff00f3n));
  silent(new Traffic().write('vmbus', 0, 'SINT2', 0x2_00f3n));
  silent(new Traffic({ initial: 'unknown' }).write('vmbus', 0, 'SINT2', 0xff00f3n));
  const gap = new Traffic().add({ kind: 'mark', what: 'gap', lost: 3 });
  silent(gap.write('vmbus', 0, 'SINT2', 0xff00f3n));
  assert.equal(
    only(new Traffic().write('arch', 0, 'VP_ASSIST_PAGE', 0x1003n, { fault: true })).severity,
    'error',
  );
});
