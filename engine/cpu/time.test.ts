/** What RDTSC reads. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesOf, reg, segmentValue, TestGuest, TestMemory } from './cpu.testing.ts';
import { GuestCpu } from './index.ts';

/** nop; nop; nop; rdtsc; hlt */
const PROGRAM = '90 90 90 0f 31 f4';

test('RDTSC follows the executed instructions', () => {
  const guest = new TestGuest().flat(PROGRAM);
  guest.set('TSC', 0x1_0000_0000n);
  assert.equal(guest.run().kind, 'halt');
  assert.deepEqual([guest.get('RDX'), guest.get('RAX')], [1, 3]);
});

/** A processor whose host has a clock. */
function timed(clock: () => number): GuestCpu {
  const memory = new TestMemory().map(0, 0x8000);
  memory.write(0x100, bytesOf(PROGRAM));
  const cpu = new GuestCpu(memory, undefined, clock);
  cpu.setRegister(reg('CS'), segmentValue(0, 0, 0xffff, 0x9b));
  return cpu;
}

/** RDTSC of a processor, at address 100h. */
function stampOf(cpu: GuestCpu): bigint {
  cpu.setRegister(reg('RIP'), 0x100n);
  assert.equal(cpu.run(100).kind, 'halt');
  return (cpu.getRegister(reg('RDX')) << 32n) | cpu.getRegister(reg('RAX'));
}

test('or the clock of the host', () => {
  let now = 5_000_000_000;
  const cpu = timed(() => now);
  assert.equal(stampOf(cpu), 5_000_000_000n);
  cpu.setRegister(reg('TSC'), 7n);
  now += 1000;
  assert.equal(stampOf(cpu), 1007n);
});

test('two processors with the clock in common go on with the same time', () => {
  let now = 100;
  const [first, second] = [timed(() => now), timed(() => now)];
  first.setRegister(reg('TSC'), 7n);
  const adjust = first.getRegister(reg('TSC_ADJUST'));
  now += 50;
  second.setRegister(reg('TSC_ADJUST'), adjust);
  assert.equal(stampOf(second), 57n);
});
