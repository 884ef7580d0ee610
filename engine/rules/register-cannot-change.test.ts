import assert from 'node:assert/strict';
import { test } from 'node:test';
import { registerCannotChange } from './register-cannot-change.ts';
import { judging, Traffic } from './traffic.testing.ts';

const { only, silent } = judging([registerCannotChange]);
const guest = () => new Traffic({ role: 'guest' });

test('registers that can only be read', () => {
  const traffic = guest();
  for (const register of [
    'VP_INDEX',
    'TIME_REF_COUNT',
    'TSC_FREQUENCY',
    'APIC_FREQUENCY',
    'SVERSION',
    'VP_RUNTIME',
  ]) {
    silent(guest().read('arch', 0, register, 1n));
    assert.equal(only(guest().write('arch', 0, register, 1n)).id, `R34:arch:${register}`);
  }
  silent(guest().write(undefined, 0, 'SVERSION', 1n));
  const finding = only(traffic.write('arch', 1, 'SVERSION', 2n).write('arch', 0, 'SVERSION', 2n));
  assert.deepEqual([finding.severity, finding.at, finding.cpus], ['warning', '1', [0, 1]]);
});

test('a deliberate trial: silent', () => {
  const trial = guest().add({ kind: 'mark', what: 'probe', phase: 'begin' }).write('arch', 0, 'SVERSION', 2n);
  silent(trial.add({ kind: 'mark', what: 'probe', phase: 'end' }));
  only(trial.write('arch', 0, 'SVERSION', 2n));
});

test('HYPERCALL does not change once it is locked', () => {
  const write = (traffic: Traffic, value: bigint, extra = {}) =>
    traffic.write('arch', 0, 'HYPERCALL', value, extra);
  const locked = () => write(guest(), 0x5000_003n);
  silent(locked());
  silent(write(locked(), 0x5000_003n));
  assert.match(only(write(locked(), 0x5000_000n)).title, /is locked$/);
  silent(write(write(guest(), 0x5000_001n), 0x5000_000n));
  silent(write(write(guest(), 0x5000_003n, { fault: true }), 0x6000_001n));
  silent(write(locked(), 0x5000_000n, { vp: { partition: 2n, vp: 0 } }));
  silent(write(locked().life('kexec'), 0x5000_000n));
  silent(write(locked().add({ kind: 'mark', what: 'gap', lost: 1 }), 0x5000_000n));
});
