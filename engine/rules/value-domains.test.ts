import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldOf, ioctlNamed, writeField } from '../abi/index.ts';
import { at } from '../trace/position.ts';
import { enter, hypercall, leave } from './calls.testing.ts';
import { judging, MASKED, Traffic, UNMASKED } from './traffic.testing.ts';
import { valueDomains } from './value-domains.ts';

const { only, silent } = judging([valueDomains]);

test('a SINT is not unmasked with the vector of an exception', () => {
  const sint = (value: bigint) => new Traffic().write('vmbus', 0, 'SINT2', value);
  only(sint(0xfn));
  silent(sint(0x10n));
  silent(sint(UNMASKED));
  silent(sint(MASKED & ~0xffn)); // as at reset
  silent(sint(0x4_0000n)); // polling
});

test('a timer has a vector in direct mode alone', () => {
  const timer = (value: bigint) => new Traffic().write('timer', 0, 'STIMER0_CONFIG', value);
  only(timer(0x1001n | (0xen << 4n)));
  silent(timer(0x1001n | (0x1en << 4n)));
  silent(timer(0x2_0001n)); // sends messages to SINT2
  silent(timer(0x1000n)); // off
});

test('IPIs and asserted interrupts', () => {
  const ipi = (vector: number) =>
    hypercall(new Traffic(), 'SEND_IPI', { vector, cpu_mask: 1 }, { component: 'arch' });
  only(ipi(15));
  silent(ipi(16));
  const asserted = (interrupt_type: string, vector: number, below?: number, traffic = new Traffic()) =>
    hypercall(
      traffic,
      'ASSERT_VIRTUAL_INTERRUPT',
      { partition_id: 2, control: { interrupt_type }, vector },
      below === undefined ? {} : { below },
    );
  silent(asserted('NMI', 0));
  silent(asserted('FIXED', 16));
  // mshv asserts what the routes of the program say.
  assert.equal(only(asserted('FIXED', 3)).culprit.component, 'vmm');
  const traffic = new Traffic();
  const below = enter(traffic, 'partition:2', 'ROOT_HVCALL', {
    code: 'HVCALL_ASSERT_VIRTUAL_INTERRUPT',
    in_sz: 32,
  });
  leave(asserted('LOWESTPRIORITY', 3, below, traffic), below, 0);
  assert.deepEqual(only(traffic).culprit, { at: '1', component: 'vmm' });
});

test('the hypervisor’s own vectors in a root partition', () => {
  const retarget = (vector: number, partition_id: number | string, role = 'root') =>
    hypercall(
      new Traffic({ role }),
      'RETARGET_INTERRUPT',
      { partition_id, int_target: { vector } },
      { component: 'arch' },
    );
  for (const vector of [0x29, 0x2c, 0x2d]) only(retarget(vector, 1));
  only(retarget(0x2c, '0xffffffffffffffff'));
  for (const vector of [0x28, 0x2a, 0x2b, 0x2e]) silent(retarget(vector, 1));
  silent(retarget(0x2c, 2));
  silent(retarget(0x2c, 1, 'guest'));
  only(retarget(14, 1, 'guest'));
  const mapped = (vector: number) =>
    hypercall(new Traffic({ role: 'root' }), 'MAP_DEVICE_INTERRUPT', {
      partition_id: 1,
      interrupt_descriptor: { target: { vector } },
    });
  only(mapped(0x2d));
  silent(mapped(0x30));
});

const TYPE = fieldOf('mshv_import_isolated_pages', 'page_type');
const COUNT = fieldOf('mshv_import_isolated_pages', 'page_count');

/** Imports pages of these types, and completes. */
function imports(types: readonly number[], ret: number): Traffic {
  const traffic = new Traffic();
  const call = (name: string, arg: Uint8Array, answer: number) => {
    const op = ioctlNamed('rust-vmm', 'partition', name)?.number;
    assert.ok(op !== undefined);
    const event = {
      kind: 'ioctl',
      handle: { kind: 'partition', partition: 2n },
      op,
      arg,
      ret: answer,
    } as const;
    traffic.add(event);
    const made = traffic.steps.at(-1)!;
    traffic.steps.push({ ...made, returned: true, address: at(made.event.seq, 0xffff_ffff) });
  };
  for (const type of types) {
    const arg = new Uint8Array(24);
    writeField(arg, TYPE, type);
    writeField(arg, COUNT, 1);
    call('IMPORT_ISOLATED_PAGES', arg, 0);
  }
  call('COMPLETE_ISOLATED_IMPORT', new Uint8Array(8), ret);
  return traffic;
}

test('secrets page and CPUID page have types of their own', () => {
  const finding = only(imports([0, 3], -5));
  assert.deepEqual([finding.culprit.component, finding.id], ['vmm', 'R25:vmm:isolated-pages:missing']);
  assert.match(only(imports([0, 4], -5)).title, /without a CPUID page \(type 5\)$/);
  silent(imports([0, 4, 5], -5));
  silent(imports([0, 3], 0));
  assert.match(only(imports([0, 4, 5, 4], 0)).title, /more than one secrets page/);
  assert.match(only(imports([0, 6], 0)).title, /type 6, which does not exist/);
});

test('imports by hypercall', () => {
  const direct = (type: number, status: string) => {
    const traffic = new Traffic();
    const input = { partition_id: 2, page_type: type, page_number: [9] };
    hypercall(traffic, 'IMPORT_ISOLATED_PAGES', input);
    hypercall(traffic, 'IMPORT_ISOLATED_PAGES', { ...input, page_type: 5 });
    return hypercall(traffic, 'COMPLETE_ISOLATED_IMPORT', { partition_id: 2 }, { status });
  };
  only(direct(3, 'OPERATION_DENIED'));
  silent(direct(4, 'OPERATION_DENIED'));
  silent(direct(3, 'SUCCESS'));
});
