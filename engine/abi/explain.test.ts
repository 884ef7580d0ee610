import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Explanation, explain } from './explain.ts';

function label(explanation: Explanation): string {
  switch (explanation.what) {
    case 'ioctl':
      return `ioctl ${explanation.row.dialect}/${explanation.row.fds}/${explanation.row.name}`;
    case 'ioctl-number':
      return `ioctl-number ${explanation.nr} of ${explanation.size} bytes`;
    case 'struct':
      return `struct ${explanation.layout.name}`;
    case 'set-member':
    case 'constant':
      return `${explanation.what} ${explanation.name}`;
    default:
      return `${explanation.what} ${explanation.row.name}`;
  }
}

const READINGS: readonly (readonly [string, readonly string[]])[] = [
  [
    '0x4020b802',
    [
      'ioctl upstream/partition/MSHV_SET_GUEST_MEMORY',
      'ioctl rfc2020/partition/MSHV_MAP_GUEST_MEMORY',
      'ioctl dom0-legacy/partition/MSHV_MAP_GUEST_MEMORY',
    ],
  ],
  [
    '0xc020b807',
    [
      'ioctl upstream/device/MSHV_ROOT_HVCALL',
      'ioctl upstream/partition/MSHV_ROOT_HVCALL',
      'ioctl upstream/vp/MSHV_ROOT_HVCALL',
    ],
  ],
  ['0xc0ffb8ee', ['ioctl-number 238 of 255 bytes']],
  ['0x40000083', ['msr HV_X64_MSR_SIMP']],
  ['0x40000003', ['msr HV_X64_MSR_RESET', 'constant HYPERV_CPUID_FEATURES']],
  ['HV_STATUS_INVALID_PARAMETER', ['status HV_STATUS_INVALID_PARAMETER']],
  ['5', ['status HV_STATUS_INVALID_PARAMETER', 'errno EIO', 'channel-message CHANNELMSG_OPENCHANNEL']],
  ['CHANNELMSG_UNLOAD', ['channel-message CHANNELMSG_UNLOAD']],
  ['GPADL_TORNDOWN', ['channel-message CHANNELMSG_GPADL_TORNDOWN']],
  [
    '0x50003',
    [
      'register HV_X64_REGISTER_DR3',
      'property HV_PARTITION_PROPERTY_PROCESSORS_PER_SOCKET',
      'set-member VERSION_WIN10_V5_3',
    ],
  ],
  ['vmbus_channel_offer', ['struct vmbus_channel_offer']],
  ['-22', ['errno EINVAL']],
  ['EINVAL', ['errno EINVAL']],
  ['0x0000000800000000', ['result-word HV_STATUS_SUCCESS']],
  ['0x800000050', ['control-word HVCALL_GET_VP_REGISTERS', 'result-word HV_STATUS_INVALID_REGISTER_VALUE']],
  [
    '0x0000000000000005',
    [
      'status HV_STATUS_INVALID_PARAMETER',
      'errno EIO',
      'channel-message CHANNELMSG_OPENCHANNEL',
      'result-word HV_STATUS_INVALID_PARAMETER',
    ],
  ],
  ['SIMP', ['msr HV_X64_MSR_SIMP', 'register HV_REGISTER_SIMP']],
  ['HVCALL_CREATE_VP', ['hypercall HVCALL_CREATE_VP']],
  ['HVMSG_X64_HALT', ['message HVMSG_X64_HALT']],
  ['0x80010007', ['message HVMSG_X64_HALT']],
  ['0x20010', ['register HV_X64_REGISTER_RIP']],
  [
    '0x00090007',
    ['register HV_REGISTER_CPU_MANAGEMENT_VERSION', 'property HV_PARTITION_PROPERTY_VMM_CAPABILITIES'],
  ],
  ['HV_PORT_TYPE_DOORBELL', ['set-member HV_PORT_TYPE_DOORBELL']],
  ['HV_MAP_GPA_WRITABLE', ['set-member HV_MAP_GPA_WRITABLE']],
  ['HV_ANY_VP', ['constant HV_ANY_VP']],
  ['hv_message', ['struct hv_message']],
  ['nonsense', []],
  ['', []],
  ['0x', []],
  ['=', []],
];

for (const [text, expected] of READINGS) {
  test(`explain ${JSON.stringify(text)}`, () => assert.deepEqual(explain(text).map(label), expected));
}

test('a value after the name is taken apart', () => {
  const [msr] = explain('SIMP=0x1234001');
  assert.equal(msr?.what, 'msr');
  const set = msr.bits?.filter(({ value }) => value !== 0n).map(({ name, value }) => [name, value]);
  assert.deepEqual(set, [
    ['enabled', 1n],
    ['base_simp_gpa', 0x1234n],
  ]);
  assert.deepEqual(explain('CS=0x1').map(label), ['register HV_X64_REGISTER_CS']);
  assert.deepEqual(explain('SIMP=x'), []);
});
