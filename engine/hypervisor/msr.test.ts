import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HypervisorBench, tableOf } from './bench.testing.ts';

/**
 * Register by register: what it reads at reset, and what a write of a value answers and leaves to be read.
 * Sources: TLFS (SynIC, timers, MSR list); OpenVMM for reserved and locked bits; KVM for EOI and timers.
 */
const REGISTERS = `
| register               | reset   | write            | answer  | then reads |
|------------------------|---------|------------------|---------|------------|
| SCONTROL               | 0x0     | 0x1              | 0x1     | 0x1        |
| SCONTROL               | 0x0     | 0xff00           | 0xff00  | 0xff00     |
| SVERSION               | 0x1     | 0x1              | #GP     | 0x1        |
| SIEFP                  | 0x0     | 0x1234001        | 0x1234001 | 0x1234001 |
| SIEFP                  | 0x0     | 0xffe            | 0xffe   | 0xffe      |
| SIMP                   | 0x0     | 0x5678001        | 0x5678001 | 0x5678001 |
| EOM                    | 0x0     | 0x7              | 0x7     | 0x0        |
| SIRBP                  | 0x0     | 0x9abc001        | 0x9abc001 | 0x9abc001 |
| SINT0                  | 0x10000 | 0xf3             | 0xf3    | 0xf3       |
| SINT0                  | 0x10000 | 0xf              | #GP     | 0x10000    |
| SINT0                  | 0x10000 | 0x1000f          | 0x1000f | 0x1000f    |
| SINT15                 | 0x10000 | 0x10             | 0x10    | 0x10       |
| SINT15                 | 0x10000 | 0x0              | #GP     | 0x10000    |
| NESTED_SCONTROL        | 0x0     | 0x1              | 0x1     | 0x1        |
| NESTED_SVERSION        | 0x1     | 0x0              | #GP     | 0x1        |
| NESTED_SIMP            | 0x0     | 0x5678001        | 0x5678001 | 0x5678001 |
| NESTED_SINT2           | 0x10000 | 0x200f3          | 0x200f3 | 0x200f3    |
| NESTED_SINT2           | 0x10000 | 0x2000f          | #GP     | 0x10000    |
| STIMER0_CONFIG         | 0x0     | 0x30003          | 0x30003 | 0x30003    |
| STIMER1_CONFIG         | 0x0     | 0x10f1           | #GP     | 0x0        |
| STIMER1_CONFIG         | 0x0     | 0x1ed1           | 0x1ed1  | 0x1ed1     |
| STIMER3_COUNT          | 0x0     | 0x64             | 0x64    | 0x64       |
| GUEST_OS_ID            | 0x0     | 0x8100000702000000 | 0x8100000702000000 | 0x8100000702000000 |
| HYPERCALL              | 0x0     | 0x1001           | 0x1000  | 0x1000     |
| HYPERCALL              | 0x0     | 0x1004           | #GP     | 0x0        |
| VP_INDEX               | 0x0     | 0x1              | #GP     | 0x0        |
| TIME_REF_COUNT         | 0x0     | 0x1              | #GP     | 0x0        |
| TSC_FREQUENCY          | 0x3b9aca00 | 0x1           | #GP     | 0x3b9aca00 |
| APIC_FREQUENCY         | 0xbebc200 | 0x1            | #GP     | 0xbebc200  |
| REFERENCE_TSC          | 0x0     | 0x1001           | 0x1001  | 0x1001     |
| REFERENCE_TSC          | 0x0     | 0x1003           | #GP     | 0x0        |
| VP_ASSIST_PAGE         | 0x0     | 0x2001           | 0x2001  | 0x2001     |
| VP_ASSIST_PAGE         | 0x0     | 0x2801           | #GP     | 0x0        |
| EOI                    | #GP     | 0x0              | 0x0     | #GP        |
| CRASH_P0               | 0x0     | 0xdead           | 0xdead  | 0xdead     |
| 0x40000004             | #GP     | 0x0              | #GP     | #GP        |
| 0x400001ff             | #GP     | 0x0              | #GP     | #GP        |
| 0x40000200             | ?       | 0x0              | ?       | ?          |
| 0x10                   | ?       | 0x0              | ?       | ?          |
`;

describe('registers of the hypervisor', () => {
  for (const [name = '', reset, write = '0', answer, then] of tableOf(REGISTERS).slice(1)) {
    it(`${name}: reads ${reset}, write ${write} gives ${answer}`, () => {
      const bench = new HypervisorBench({ role: 'l1vh', cpus: 2 });
      const msr = name.startsWith('0x') ? Number(name) : name;
      assert.equal(bench.read(msr), reset);
      assert.equal(bench.write(msr, BigInt(write)), answer);
      assert.equal(bench.read(msr), then);
    });
  }

  it('keeps the registers of CPUs apart, and shares those of the partition', () => {
    const bench = new HypervisorBench({ role: 'l1vh', cpus: 2 });
    bench.write('SINT3', 0xf3n, 'timer', 1);
    assert.equal(bench.read('SINT3'), '0x10000');
    assert.equal(bench.read('SINT3', 'timer', 1), '0xf3');
    bench.write('GUEST_OS_ID', 5n, 'arch', 1);
    assert.equal(bench.read('GUEST_OS_ID'), '0x5');
    assert.equal(bench.read('VP_INDEX', 'arch', 1), '0x1');
    assert.equal(bench.cell('cpu[1].msr[0x40000000]'), 5n);
  });

  it('takes the nested register file from the alias or from the flag beside the plain address', () => {
    const bench = new HypervisorBench({ role: 'nested-root' });
    bench.write('NESTED_SINT2', 0xf3n, 'vmbus');
    assert.equal(bench.read('SINT2'), '0x10000');
    assert.equal(bench.cell('cpu[0].nested.synic.sint[2]'), 0xf3n);
  });

  it('refuses accesses on a CPU that is not there as not modelled', () => {
    assert.equal(new HypervisorBench({ cpus: 1 }).read('SIMP', 'test', 7), '?');
  });
});

describe('hypercall page', () => {
  it('needs an identity, and goes with it', () => {
    const bench = new HypervisorBench({ role: 'guest' });
    bench.write('GUEST_OS_ID', 0x8100n);
    assert.equal(bench.write('HYPERCALL', 0x7001n), '0x7001');
    bench.write('GUEST_OS_ID', 0n);
    assert.equal(bench.read('HYPERCALL'), '0x7000');
  });

  it('cannot change once it is locked', () => {
    const bench = new HypervisorBench({ role: 'guest' });
    bench.write('GUEST_OS_ID', 0x8100n);
    assert.equal(bench.write('HYPERCALL', 0x7003n), '0x7003');
    assert.equal(bench.write('HYPERCALL', 0x8001n), '#GP');
    assert.equal(bench.read('HYPERCALL'), '0x7003');
  });
});

describe('timers', () => {
  const bench = () => new HypervisorBench({ role: 'guest' });

  it('start by a count where auto-enable is set, and stop at count 0', () => {
    const timer = bench();
    timer.write('STIMER0_CONFIG', 0x30008n);
    timer.write('STIMER0_COUNT', 100n);
    assert.equal(timer.read('STIMER0_CONFIG'), '0x30009');
    timer.write('STIMER0_COUNT', 0n);
    assert.equal(timer.read('STIMER0_CONFIG'), '0x30008');
  });

  it('that run and are pointed at SINT 0 stop', () => {
    const timer = bench();
    timer.write('STIMER2_CONFIG', 0x30001n);
    assert.equal(timer.ruleOf('write', 'STIMER2_CONFIG', 0x1n), 'KVM.stimer.enabled-without-sint');
    assert.equal(timer.read('STIMER2_CONFIG'), '0x0');
  });
});

describe('pages that a root partition is given', () => {
  const provided = { simp: '0x100', siefp: '0x200', sirbp: '0x300', hypercall: '0x400', vpAssist: '0x500' };

  it('stand in the registers at reset, disabled, one for each CPU', () => {
    const bench = new HypervisorBench({ role: 'root', cpus: 2, provided });
    assert.equal(bench.read('SIMP'), '0x100000');
    assert.equal(bench.read('SIMP', 'mshv', 1), '0x101000');
    assert.equal(bench.read('SIRBP', 'mshv', 1), '0x301000');
    assert.equal(bench.read('HYPERCALL', 'arch', 1), '0x400000');
    assert.equal(bench.read('VP_ASSIST_PAGE', 'arch', 1), '0x501000');
  });

  it('are nobody else’s', () => {
    const bench = new HypervisorBench({ role: 'l1vh', provided });
    for (const name of ['SIMP', 'SIEFP', 'SIRBP', 'HYPERCALL']) assert.equal(bench.read(name), '0x0');
  });

  it('lie in both register files of a nested root, apart from each other', () => {
    const bench = new HypervisorBench({ role: 'nested-root', provided });
    assert.equal(bench.read('SIMP'), '0x100000');
    assert.notEqual(bench.read('NESTED_SIMP'), '0x0');
    assert.notEqual(bench.read('NESTED_SIMP'), bench.read('SIMP'));
  });

  it('cannot be moved, as far as the assist page goes', () => {
    const root = new HypervisorBench({ role: 'root', provided });
    assert.equal(root.write('VP_ASSIST_PAGE', 0x500001n), '0x500001');
    assert.equal(root.write('VP_ASSIST_PAGE', 0x600001n), '#GP');
    assert.equal(root.ruleOf('write', 'VP_ASSIST_PAGE', 0x600001n), 'Linux.vp-assist.root-page-moved');
    assert.equal(new HypervisorBench({ role: 'guest' }).write('VP_ASSIST_PAGE', 0x600001n), '0x600001');
  });
});

describe('a recording that began mid-life', () => {
  it('does not know a register until it is written', () => {
    const bench = new HypervisorBench({ role: 'root', initial: 'unknown' });
    assert.equal(bench.read('SIMP'), '?');
    assert.equal(bench.read('VP_ASSIST_PAGE'), '?');
    bench.write('SIMP', 0x1001n);
    assert.equal(bench.read('SIMP'), '0x1001');
    assert.equal(bench.read('EOM'), '0x0');
  });

  it('has the other reset value of SCONTROL where the profile says so', () => {
    assert.equal(new HypervisorBench({ scontrolReset: '1' }).read('SCONTROL'), '0x1');
  });
});
