import assert from 'node:assert/strict';
import { test } from 'node:test';
import { throughText } from '../abi.testing.ts';
import { fieldOf, readU32, readU64 } from '../layout/field.ts';
import { structOf } from '../layout/structs.ts';
import { hypercalls } from '../lookup/hypercalls.ts';
import type { IoctlRow } from '../lookup/ioctl-row.ts';
import { ioctlNamed } from '../lookup/ioctls.ts';
import { fromObject } from './from-object.ts';
import { hypercallInputFromObject, hypercallInputToObject, hypercallOutputFromObject } from './hypercall.ts';
import { ioctlArgFromObject, ioctlArgToObject, ioctlInFromObject, ioctlInToObject } from './ioctl.ts';
import { ioctlOutFromObject, ioctlOutToObject } from './ioctl-out.ts';
import type { ObjectError } from './json.ts';
import { slotFromObject, slotToObject } from './message.ts';
import { toObject } from './to-object.ts';
import { encodeControl } from './words.ts';

function input(call: string, json: unknown) {
  const read = hypercallInputFromObject(hypercalls.number(call), json);
  assert.ok(read.ok, JSON.stringify(read));
  return read;
}

function written(call: string, json: unknown): unknown {
  const { bytes, variableHeaderQwords } = input(call, json);
  return throughText(
    hypercallInputToObject(encodeControl({ code: hypercalls.number(call), variableHeaderQwords }), bytes),
  );
}

function refused(call: string, json: unknown): ObjectError {
  const read = hypercallInputFromObject(hypercalls.number(call), json);
  assert.ok(!read.ok, 'was not refused');
  return read.error;
}

function ioctl(
  dialect: 'upstream' | 'rfc2020' | 'rust-vmm' | 'vtl',
  fd: 'device' | 'partition' | 'vp',
  name: string,
): IoctlRow {
  const row = ioctlNamed(dialect, fd, name);
  assert.ok(row);
  return row;
}

test('integers are decimal or hex strings, or numbers; what is not given is 0', () => {
  const { bytes } = input('HVCALL_CREATE_VP', { partition_id: '0x2', vp_index: 1 });
  assert.equal(bytes.length, 40);
  assert.equal(readU64(bytes, fieldOf('hv_create_vp', 'partition_id')), 2n);
  assert.equal(readU32(bytes, fieldOf('hv_create_vp', 'vp_index')), 1);
  assert.deepEqual(input('CREATE_VP', { partition_id: '2', vp_index: '1' }).bytes, bytes);
});

test('flags are names without their prefix, with it, or a number', () => {
  for (const flags of [['READABLE', 'WRITABLE'], ['HV_MAP_GPA_READABLE', 'WRITABLE'], 3, '0x3']) {
    const { bytes } = input('HVCALL_MAP_GPA_PAGES', { map_flags: flags });
    assert.equal(readU32(bytes, fieldOf('hv_input_map_gpa_pages', 'map_flags')), 3);
  }
  const { map_flags } = written('HVCALL_MAP_GPA_PAGES', { map_flags: ['EXECUTABLE', 'READABLE'] }) as Record<
    string,
    unknown
  >;
  assert.deepEqual(map_flags, ['READABLE', 'KERNEL_EXECUTABLE', 'USER_EXECUTABLE']);
  assert.equal(
    (written('HVCALL_MAP_GPA_PAGES', { map_flags: '0x40' }) as Record<string, unknown>).map_flags,
    '0x40',
  );
});

test('a doorbell says its size once', () => {
  const doorbell = (flags: unknown) => ({
    connection_info: {
      port_type: 'HV_PORT_TYPE_DOORBELL',
      doorbell_connection_info: { gpa: '0xfebf0000', flags },
    },
  });
  const { connection_info } = written(
    'CONNECT_PORT',
    doorbell(['TRIGGER_ANY_VALUE', 'TRIGGER_SIZE_DWORD']),
  ) as Record<string, unknown>;
  assert.deepEqual(connection_info, {
    port_type: 'HV_PORT_TYPE_DOORBELL',
    doorbell_connection_info: {
      gpa: '0xfebf0000',
      trigger_value: '0x0',
      flags: ['TRIGGER_SIZE_DWORD', 'TRIGGER_ANY_VALUE'],
    },
  });
  const error = refused('CONNECT_PORT', doorbell(['TRIGGER_SIZE_BYTE', 'TRIGGER_SIZE_WORD']));
  assert.equal(error.path, 'connection_info.doorbell_connection_info.flags');
});

test('page lists hold runs, and are written as runs', () => {
  const list = [{ from: '0x9000', count: 208, step: 1 }];
  const { bytes, elements } = input('HVCALL_DEPOSIT_MEMORY', { partition_id: 2, gpa_page_list: list });
  assert.equal(elements, 208);
  assert.equal(readU64(bytes, fieldOf('hv_deposit_memory', 'gpa_page_list'), 207), 0x9000n + 207n);
  assert.deepEqual(written('HVCALL_DEPOSIT_MEMORY', { partition_id: 2, gpa_page_list: list }), {
    partition_id: '0x2',
    gpa_page_list: list,
  });
  const mixed = ['0x5', 7, { from: 512, count: 4, step: 512 }];
  assert.deepEqual(
    (written('MAP_GPA_PAGES', { source_gpa_page_list: mixed }) as Record<string, unknown>)
      .source_gpa_page_list,
    ['0x5', '0x7', { from: '0x200', count: 4, step: 512 }],
  );
});

test('registers are set by elements; asked for by names, answered by values', () => {
  const set = {
    partition_id: '0x2',
    vp_index: 0,
    input_vtl: undefined,
    elements: [{ name: 'RIP', value: '0xfff0' }],
  };
  const { elements } = written('HVCALL_SET_VP_REGISTERS', throughText(set)) as Record<string, unknown>;
  assert.deepEqual(elements, [{ name: 'HV_X64_REGISTER_RIP', value: '0xfff0' }]);
  const { names } = written('HVCALL_GET_VP_REGISTERS', { names: ['RIP', '0x12345'] }) as Record<
    string,
    unknown
  >;
  assert.deepEqual(names, ['HV_X64_REGISTER_RIP', '0x12345']);
  const output = hypercallOutputFromObject(hypercalls.number('GET_VP_REGISTERS'), { values: ['0x1', 2] });
  assert.ok(output.ok && output.bytes.length === 32);
});

test('the value of a segment register may be given by its members', () => {
  const elements = [
    { name: 'CS', value: { segment: { base: '0xffff0000', limit: '0xffff', selector: '0xf000' } } },
  ];
  const back = written('SET_VP_REGISTERS', { elements }) as Record<string, unknown>;
  assert.deepEqual(back.elements, [{ name: 'HV_X64_REGISTER_CS', value: '0xf0000000ffff00000000ffff0000' }]);
});

test('a variable header stands before the elements, and is found again', () => {
  const json = {
    address_space: '0x1000',
    flags: ['ALL_PROCESSORS'],
    hv_vp_set: { format: 'HV_GENERIC_SET_SPARSE_4K', valid_bank_mask: '0x3', bank_contents: ['0x1', '0x2'] },
    gva_list: ['0x7f000', '0x8f000'],
  };
  const { bytes, variableHeaderQwords, elements } = input('FLUSH_VIRTUAL_ADDRESS_LIST_EX', json);
  assert.deepEqual([bytes.length, variableHeaderQwords, elements], [64, 2, 2]);
  assert.deepEqual(written('FLUSH_VIRTUAL_ADDRESS_LIST_EX', json), json);
  assert.equal(input('SEND_IPI_EX', { vp_set: { bank_contents: [1, 2, 3] } }).variableHeaderQwords, 3);
  assert.equal(input('GET_VP_STATE', { output_data_pfns: ['0x1'] }).variableHeaderQwords, 1);
});

test('members of one union may all be given while they agree', () => {
  const sint = structOf('hv_synic_sint');
  const both = fromObject(sint, { as_uint64: '0x200f3', vector: '0xf3', auto_eoi: 1 });
  assert.ok(both.ok);
  assert.deepEqual(toObject(sint, both.bytes), { vector: '0xf3', auto_eoi: 1 });
  assert.deepEqual(fromObject(sint, '0x200f3'), both);
  const clash = fromObject(sint, { as_uint64: '0x200f3', masked: 1 });
  assert.ok(!clash.ok);
  assert.equal(clash.error.path, 'masked');
});

test('what members cannot say stands beside them by offset', () => {
  const layout = structOf('rfc2020_mshv_user_mem_region');
  const bytes = new Uint8Array(33);
  bytes[28] = 0xaa;
  const json = toObject(layout, bytes);
  assert.deepEqual((json as Record<string, unknown>).bytes, { '0x1c': 'aa', '0x20': '00' });
  assert.deepEqual(fromObject(layout, throughText(json)), { ok: true, bytes });
  assert.deepEqual(toObject(layout, bytes.subarray(0, 5)), { bytes: '0000000000' });
});

test('a slot has the members of its header, and a payload by its type', () => {
  const slot = {
    message_type: 'HVMSG_TIMER_EXPIRED',
    payload_size: 24,
    message_flags: { msg_pending: 1 },
    payload: { timer_index: 1, expiration_time: 100 },
  };
  const read = slotFromObject(slot);
  assert.ok(read.ok && read.bytes.length === 256);
  assert.deepEqual([...read.bytes.subarray(0, 6)], [0x10, 0, 0, 0x80, 24, 1]);
  assert.deepEqual(throughText(slotToObject(read.bytes)), {
    ...slot,
    sender: '0x0',
    payload: { timer_index: 1, expiration_time: 100, delivery_time: 0 },
  });
  const raw = slotFromObject({ message_type: 1, payload: '0102' });
  assert.ok(raw.ok && raw.bytes[17] === 2);
  assert.ok(!slotFromObject({ message_type: 1, payload: { a: 1 } }).ok);
});

test('MSHV_RUN_VP answers with type and payload', () => {
  const row = ioctl('upstream', 'vp', 'MSHV_RUN_VP');
  const none = { arg: undefined, in: undefined };
  const halt = ioctlOutFromObject(row, none, { type: 'HVMSG_X64_HALT', payload: {} });
  assert.ok(halt.ok);
  const data = halt.answer.data as Uint8Array;
  assert.equal(data.length, 256);
  assert.equal(readU32(data, fieldOf('hv_message', 'header.message_type')), 0x80010007);
  assert.equal(readU32(data, fieldOf('hv_message', 'header.payload_size')), 40);
  assert.deepEqual(ioctlOutToObject(row, none, { data }), { type: 'HVMSG_X64_HALT', payload: {} });
  const bad = ioctlOutFromObject(row, none, { type: 'HVMSG_NO_SUCH' });
  assert.ok(!bad.ok && bad.error.path === 'type');
});

test('MSHV_ROOT_HVCALL carries the call’s input and output', () => {
  const row = ioctl('upstream', 'vp', 'MSHV_ROOT_HVCALL');
  const read = ioctlArgFromObject(row, { code: 'HVCALL_GET_VP_REGISTERS', reps: 1, in_sz: 20, out_sz: 16 });
  assert.ok(read.ok);
  const arg = read.bytes;
  const asked = ioctlInFromObject(row, arg, { vp_index: 1, names: ['RIP'] });
  assert.ok(asked.ok);
  const buffers = { arg, in: asked.bytes };
  assert.deepEqual(throughText(ioctlInToObject(row, buffers)), {
    partition_id: '0x0',
    vp_index: 1,
    names: ['HV_X64_REGISTER_RIP'],
  });
  const out = { reps: 1, status: 'HV_STATUS_SUCCESS', values: ['0x1000'] };
  const answer = ioctlOutFromObject(row, buffers, out);
  assert.ok(answer.ok);
  assert.equal(readU32(answer.answer.arg as Uint8Array, fieldOf('mshv_root_hvcall', 'in_sz')), 20);
  assert.deepEqual(throughText(ioctlOutToObject(row, buffers, answer.answer)), out);
});

test('a size in the argument makes short outputs readable', () => {
  const row = ioctl('upstream', 'device', 'MSHV_ROOT_HVCALL');
  const read = ioctlArgFromObject(row, { code: 'GET_PARTITION_PROPERTY_EX', in_sz: 24, out_sz: 16 });
  assert.ok(read.ok);
  const asked = ioctlInFromObject(row, read.bytes, {
    property_code: 'HV_PARTITION_PROPERTY_VMM_CAPABILITIES',
  });
  assert.ok(asked.ok);
  const buffers = { arg: read.bytes, in: asked.bytes };
  const out = { property_value: { vmm_capabilities: { bank_count: 1, vp_affinity_property: 1 } } };
  const answer = ioctlOutFromObject(row, buffers, out);
  assert.ok(answer.ok && answer.answer.data?.length === 16);
  assert.deepEqual(throughText(ioctlOutToObject(row, buffers, answer.answer)), out);
});

test('MSHV_CREATE_PARTITION has two sizes', () => {
  const row = ioctl('upstream', 'device', 'MSHV_CREATE_PARTITION');
  const short = ioctlArgFromObject(row, { pt_flags: ['LAPIC', 'X2APIC'] });
  const long = ioctlArgFromObject(row, {
    pt_flags: ['LAPIC', 'CPU_AND_XSAVE_FEATURES'],
    pt_num_cpu_fbanks: 2,
  });
  assert.ok(short.ok && short.bytes.length === 16 && short.bytes[0] === 3);
  assert.ok(long.ok && long.bytes.length === 64 && long.bytes[0] === 9);
  assert.deepEqual((ioctlArgToObject(row, long.bytes) as Record<string, unknown>).pt_num_cpu_fbanks, 2);
});

test('the register ioctls of every dialect read elements, names and values', () => {
  const elements = [{ name: 'HV_X64_REGISTER_RIP', value: '0x10' }];
  const set = ioctl('rfc2020', 'vp', 'MSHV_SET_VP_REGISTERS');
  const rfc = ioctlInFromObject(set, undefined, { elements });
  assert.ok(rfc.ok && rfc.bytes.length === 20);
  assert.deepEqual(throughText(ioctlInToObject(set, { arg: undefined, in: rfc.bytes })), { elements });
  const get = ioctl('rust-vmm', 'vp', 'MSHV_GET_VP_REGISTERS');
  const asked = ioctlInFromObject(get, undefined, { names: ['RIP', 'RAX'] });
  assert.ok(asked.ok && asked.bytes.length === 64);
  const buffers = { arg: undefined, in: asked.bytes };
  assert.deepEqual(throughText(ioctlInToObject(get, buffers)), {
    names: ['HV_X64_REGISTER_RIP', 'HV_X64_REGISTER_RAX'],
  });
  const answer = ioctlOutFromObject(get, buffers, { values: ['0x1', '0x2'] });
  assert.ok(answer.ok && answer.answer.data?.length === 64);
  assert.deepEqual(throughText(ioctlOutToObject(get, buffers, answer.answer)), { values: ['0x1', '0x2'] });
});

test('the state of a VP is written by its kind, and the page around it is left out', () => {
  const row = ioctl('upstream', 'vp', 'MSHV_SET_VP_STATE');
  const read = ioctlArgFromObject(row, { type: 'MSHV_VP_STATE_LAPIC', buf_sz: 4096 });
  assert.ok(read.ok);
  const state = ioctlInFromObject(row, read.bytes, { apic_id: 1, apic_irr: [1] });
  assert.ok(state.ok && state.bytes.length === 4096);
  const json = throughText(ioctlInToObject(row, { arg: read.bytes, in: state.bytes })) as Record<
    string,
    unknown
  >;
  assert.deepEqual([json.apic_id, json.apic_irr, json.bytes], [1, ['0x1'], undefined]);
});

test('what is not understood is refused, with its place and the words expected there', () => {
  assert.deepEqual(refused('CREATE_VP', { vp_index: 'one' }), {
    path: 'vp_index',
    message: '"one" is not an integer',
    expected: [],
  });
  assert.equal(refused('CREATE_VP', { vp_index: -1 }).message, '-1 does not fit in 32 bits');
  assert.equal(refused('CREATE_VP', { vp_index: '0x100000000' }).path, 'vp_index');
  assert.equal(refused('CREATE_VP', { vp_index: 1.5 }).path, 'vp_index');
  assert.equal(refused('CREATE_VP', { partition_id: 2 ** 53 }).path, 'partition_id');
  assert.equal(refused('CREATE_VP', { vp_index: null }).path, 'vp_index');
  assert.ok(refused('CREATE_VP', { index: 1 }).expected.includes('vp_index'));
  assert.equal(refused('CREATE_VP', { __proto__: null, constructor: 1 }).path, 'constructor');
  assert.equal(refused('CREATE_VP', 5).path, '');
  assert.equal(refused('CREATE_VP', { bytes: 'xyz' }).path, 'bytes');
  assert.equal(refused('CREATE_VP', { bytes: '00', vp_index: 1 }).path, 'bytes');
  assert.equal(refused('CREATE_VP', { bytes: { '0x7fffffff': '00' } }).path, 'bytes.0x7fffffff');
  assert.equal(refused('SET_VP_REGISTERS', { elements: [{ name: 'NO_SUCH' }] }).path, 'elements[0].name');
  assert.equal(
    refused('DEPOSIT_MEMORY', { gpa_page_list: [{ from: 0, count: 1e9 }] }).path,
    'gpa_page_list[0].count',
  );
  assert.equal(refused('DEPOSIT_MEMORY', { gpa_page_list: [{ form: 0 }] }).path, 'gpa_page_list[0].form');
  assert.deepEqual(refused('CREATE_PORT', { port_info: { port_type: 'DOOR' } }).expected, [
    'HV_PORT_TYPE_MESSAGE',
    'HV_PORT_TYPE_EVENT',
    'HV_PORT_TYPE_MONITOR',
    'HV_PORT_TYPE_DOORBELL',
  ]);
  assert.deepEqual(refused('VTL_CALL', { a: 1 }).expected, ['bytes']);
});
