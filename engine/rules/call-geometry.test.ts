import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeControl, hypercalls } from '../abi/index.ts';
import { callGeometry } from './call-geometry.ts';
import { enter, hypercall, leave } from './calls.testing.ts';
import { judging, Traffic } from './traffic.testing.ts';

const { only, silent } = judging([callGeometry]);

const pages = (count: number) => [{ from: 0x1000, count, step: 1 }];
const call = (
  ...[name, input, extra]: Parameters<typeof hypercall> extends [Traffic, ...infer Rest] ? Rest : never
) => hypercall(new Traffic(), name, input, extra);
const map = (count: number) =>
  call('MAP_GPA_PAGES', { target_partition_id: 2, source_gpa_page_list: pages(count) });
const deposit = (count: number) => call('DEPOSIT_MEMORY', { partition_id: 2, gpa_page_list: pages(count) });
const unmap = (reps: number) => call('UNMAP_GPA_PAGES', { target_partition_id: 2 }, { reps });

test('as many elements as the page of this call holds', () => {
  silent(map(509)); // 24 + 509 * 8 = 4096
  const finding = only(map(510));
  assert.equal(finding.id, 'R08:mshv:HVCALL_MAP_GPA_PAGES:input-size');
  assert.match(finding.title, /with 510 elements, whose input takes 4104 bytes/);
  silent(deposit(511));
  only(deposit(512));
});

test('unmapping has no list: any number is legal', () => {
  for (const reps of [1, 509, 512, 4095]) silent(unmap(reps));
});

test('an output that no page holds', () => {
  const get = (count: number) =>
    call('GET_VP_REGISTERS', { partition_id: 2, names: Array.from({ length: count }, () => 0x20000) });
  silent(get(256));
  assert.match(only(get(257)).id, /output-size$/);
});

test('rep calls have elements, simple calls have none', () => {
  only(unmap(0));
  only(call('GET_PARTITION_PROPERTY', { partition_id: 2 }, { reps: 1 }));
  silent(call('GET_PARTITION_PROPERTY', { partition_id: 2 }));
  silent(call('UNMAP_GPA_PAGES', { target_partition_id: 2 }, { reps: 9, start: 8 }));
  assert.match(
    only(call('UNMAP_GPA_PAGES', { target_partition_id: 2 }, { reps: 9, start: 9 })).id,
    /rep-start$/,
  );
});

test('a variable header and registers for input only where the call has them', () => {
  const code = hypercalls.number('GET_PARTITION_PROPERTY');
  const input = { partition_id: 2 };
  only(call('GET_PARTITION_PROPERTY', input, { control: encodeControl({ code, variableHeaderQwords: 1 }) }));
  only(call('GET_PARTITION_PROPERTY', input, { fast: true }));
  silent(call('FINALIZE_PARTITION', input, { fast: true }));
});

test('a call whose shape no public source has: silent', () => {
  silent(
    call('VTL_CALL', { bytes: '00' }, { control: encodeControl({ code: 0x11, repCount: 7, repStart: 9 }) }),
  );
  silent(call('VTL_CALL', { bytes: '00' }, { control: encodeControl({ code: 0xeee, repCount: 7 }) }));
});

test('pointers are aligned, and blocks stay inside their page', () => {
  const at = (inputGpa: bigint, outputGpa?: bigint) =>
    call(
      'GET_PARTITION_PROPERTY',
      { partition_id: 2 },
      { inputGpa, ...(outputGpa === undefined ? {} : { outputGpa }) },
    );
  silent(at(0x1ff0n, 0x2ff8n));
  assert.match(only(at(0x1ff8n)).id, /input-crossing$/);
  assert.match(only(at(0x1004n)).id, /input-alignment$/);
  assert.match(only(at(0x1000n, 0x2ffcn)).id, /output-alignment$/);
  // The words of a fast call are no pointers.
  silent(call('FINALIZE_PARTITION', { partition_id: 2 }, { fast: true, inputGpa: 3n }));
});

test('a processor set is sparse or all, and has as many banks as its mask', () => {
  const flush = (set: object, extra: object = {}) =>
    call('FLUSH_VIRTUAL_ADDRESS_SPACE_EX', { hv_vp_set: set }, extra);
  silent(flush({ format: 'ALL' }));
  silent(flush({ format: 'SPARSE_4K', valid_bank_mask: 0x5, bank_contents: [1, 1] }));
  assert.match(
    only(flush({ format: 'SPARSE_4K', valid_bank_mask: 0x7, bank_contents: [1, 1] })).id,
    /set-banks$/,
  );
  assert.match(only(flush({ format: 'ALL', valid_bank_mask: 0x1, bank_contents: [1] })).id, /set-banks$/);
  assert.match(only(flush({ format: 6 })).id, /set-format$/);
});

test('a set for a device interrupt counts, where it is one', () => {
  const retarget = (int_target: object) => call('RETARGET_INTERRUPT', { int_target });
  silent(retarget({ vector: 0x30, vp_mask: 0xffff }));
  silent(
    retarget({
      vector: 0x30,
      flags: 2,
      vp_set: { format: 'SPARSE_4K', valid_bank_mask: 1, bank_contents: [1] },
    }),
  );
  only(
    retarget({
      vector: 0x30,
      flags: 2,
      vp_set: { format: 'SPARSE_4K', valid_bank_mask: 0xf, bank_contents: [1] },
    }),
  );
});

test('what a program passes through is as long as its elements', () => {
  const pass = (in_sz: number) => {
    const traffic = new Traffic();
    const names = Array.from({ length: 4 }, () => 0x20000);
    const asked = { code: 'HVCALL_GET_VP_REGISTERS', reps: 4, in_sz };
    const below = enter(traffic, 'vp:2.0', 'ROOT_HVCALL', asked, { in: { names } });
    const bytes = new Uint8Array(in_sz);
    hypercall(traffic, 'GET_VP_REGISTERS', { names }, { below, input: bytes });
    return leave(traffic, below, 0);
  };
  silent(pass(32));
  const finding = only(pass(24));
  assert.deepEqual([finding.culprit, finding.at], [{ at: '1', component: 'vmm' }, '2']);
  assert.match(finding.title, /24 bytes of input for 4 elements, which take 32/);
  // Of a call of the kernel's own, the recorder may have kept a part.
  silent(call('GET_VP_REGISTERS', { names: [1, 2, 3, 4] }, { input: new Uint8Array(24), reps: 4 }));
});

test('one mistake is one finding, however often', () => {
  const traffic = new Traffic();
  for (let i = 0; i < 4; i++) {
    hypercall(traffic, 'MAP_GPA_PAGES', { source_gpa_page_list: pages(512) }, { cpu: i });
  }
  only(traffic);
});
