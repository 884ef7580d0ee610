import assert from 'node:assert/strict';
import { it } from 'node:test';
import { bytesOf, reg, segmentValue, TestMemory } from './cpu.testing.ts';
import { GuestCpu } from './cpu.ts';

const CODE = 0x8000;

/** RAX times RBX in 64-bit mode, without paging: what is left in RAX, and OF. */
function product(a: bigint, b: bigint): [bigint, boolean] {
  const memory = new TestMemory().map(0, 0x9000);
  memory.write(CODE, bytesOf('48 0f af c3 0f 90 c1')); // imul rax, rbx; seto cl
  const cpu = new GuestCpu(memory);
  const set = (name: string, value: bigint): void => cpu.setRegister(reg(name), value);
  memory.write(0x1000, [3, 0x20]);
  memory.write(0x2000, [3, 0x30]);
  memory.write(0x3000, [0x83]);
  set('CR0', 0x11n);
  set('CR3', 0x1000n);
  set('CR4', 0x20n);
  set('EFER', 0x100n);
  set('CR0', 0x80000011n);
  set('CS', segmentValue(8, 0, 0xffffffff, 0xa09b));
  set('RIP', BigInt(CODE));
  set('RAX', BigInt.asUintN(64, a));
  set('RBX', BigInt.asUintN(64, b));
  assert.equal(cpu.run(2).kind, 'budget');
  return [BigInt.asIntN(64, cpu.getRegister(reg('RAX'))), (cpu.getRegister(reg('RCX')) & 0xffn) === 1n];
}

it('IMUL of 64 bits: the lower half, and whether there is more, up to the last bit', () => {
  const top = 1n << 63n;
  const factors = [
    0n,
    1n,
    -1n,
    7n,
    1317624576693539401n,
    3037000499n,
    3037000500n,
    1n << 31n,
    1n << 32n,
    top - 1n,
    -top,
  ];
  const odd = [0x1234_5678_9abc_def1n, -0xfedc_ba98_7654_321n, 0xffff_ffffn, 0x7fff_ffff_ffffn, -(1n << 32n)];
  for (const a of [...factors, ...odd]) {
    for (const b of [...factors, ...odd]) {
      const exact = a * b;
      const kept = BigInt.asIntN(64, exact);
      assert.deepEqual(product(a, b), [kept, kept !== exact], `${a} * ${b}`);
    }
  }
});
