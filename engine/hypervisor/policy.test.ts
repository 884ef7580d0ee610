import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HypervisorBench, tableOf } from './bench.testing.ts';

/** After `vmbus` switched the SynIC on and `mshv` switched it off: what a write of VMBus answers, by policy. */
const AFTER_DISABLE = `
| register       | permissive | strict-transition | kvm-like |
|----------------|------------|-------------------|----------|
| SINT2          | ok         | #GP               | ok       |
| SIMP           | ok         | #GP               | ok       |
| SIEFP          | ok         | #GP               | ok       |
| SIRBP          | ok         | ok                | ok       |
| EOM            | ok         | ok                | ok       |
| STIMER0_CONFIG | ok         | ok                | ok       |
| SCONTROL       | ok         | ok                | ok       |
`;

function switchedOff(synicPolicy: string): HypervisorBench {
  const bench = new HypervisorBench({ role: 'l1vh', synicPolicy });
  bench.write('SIMP', 0x1001n, 'vmbus');
  bench.write('SIEFP', 0x2001n, 'vmbus');
  bench.write('SINT2', 0xf3n, 'vmbus');
  bench.write('SCONTROL', 1n, 'vmbus');
  bench.write('SCONTROL', 0n, 'mshv');
  return bench;
}

describe('SynIC policy', () => {
  const [head = [], ...rows] = tableOf(AFTER_DISABLE);
  for (const [register = '', ...answers] of rows) {
    answers.forEach((expected, i) => {
      const policy = head[i + 1] ?? '';
      it(`${policy}: ${register} after another component switched the SynIC off: ${expected}`, () => {
        const answer = switchedOff(policy).write(register, 0xf4n, 'vmbus');
        assert.equal(answer === '#GP' ? '#GP' : 'ok', expected);
      });
    });
  }

  it('strict-transition: names the choice behind the #GP', () => {
    assert.equal(
      switchedOff('strict-transition').ruleOf('write', 'SINT2', 0xf4n, 'vmbus'),
      'choice.synic.strict-transition',
    );
  });

  it('strict-transition: reading is free', () => {
    assert.equal(switchedOff('strict-transition').read('SINT2', 'vmbus'), '0xf3');
  });

  it('strict-transition: a component that switched the SynIC off itself may set it up again', () => {
    const bench = switchedOff('strict-transition');
    assert.equal(bench.write('SIMP', 0x3001n, 'mshv'), '0x3001');
  });

  it('strict-transition: all is well once the SynIC is on again', () => {
    const bench = switchedOff('strict-transition');
    bench.write('SCONTROL', 1n, 'mshv');
    assert.equal(bench.write('SINT2', 0xf4n, 'vmbus'), '0xf4');
  });

  it('strict-transition: boot order works, with SCONTROL last', () => {
    const bench = new HypervisorBench({ role: 'l1vh', synicPolicy: 'strict-transition' });
    for (const name of ['SIMP', 'SIEFP']) assert.equal(bench.write(name, 0x1001n, 'vmbus'), '0x1001');
    assert.equal(bench.write('SINT2', 0xf3n, 'vmbus'), '0xf3');
  });

  it('strict-transition: a write of 0 to a SynIC that was off blames nobody', () => {
    const bench = new HypervisorBench({ role: 'l1vh', synicPolicy: 'strict-transition' });
    bench.write('SCONTROL', 0n, 'mshv');
    assert.equal(bench.write('SIMP', 0x1001n, 'vmbus'), '0x1001');
  });

  it('kvm-like: everything of the SynIC and the timers faults while it is not active', () => {
    const cpuid = { '0x40000003': { eax: '0x0' } };
    const bench = new HypervisorBench({ role: 'guest', synicPolicy: 'kvm-like', cpuid });
    for (const name of [
      'SCONTROL',
      'SIMP',
      'SIEFP',
      'SIRBP',
      'SINT2',
      'EOM',
      'STIMER0_CONFIG',
      'STIMER0_COUNT',
    ]) {
      assert.equal(bench.read(name), '#GP', name);
      assert.equal(bench.write(name, 0x10f3n), '#GP', name);
    }
    assert.equal(bench.write('GUEST_OS_ID', 1n), '0x1');
  });

  it('kvm-like: nothing faults where the partition has the privilege', () => {
    const cpuid = { '0x40000003': { eax: '0x4' } };
    const bench = new HypervisorBench({ role: 'guest', synicPolicy: 'kvm-like', cpuid });
    assert.equal(bench.write('SIMP', 0x1001n), '0x1001');
  });
});
