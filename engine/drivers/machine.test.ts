import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JsonObject } from '../trace/text/json.ts';
import { Bench } from './bench.testing.ts';

const BEFORE = { kernel: 'upstream-7.0', role: 'l1vh', cpus: 2 };

function started(given: JsonObject, ...components: string[]): Bench {
  const bench = new Bench(given);
  for (const component of components) bench.lifecycle('component-start', { component });
  return bench;
}

/** Who does something, in order, each run of one party on one CPU as one word. */
function parties(lines: readonly string[]): string[] {
  const words = lines
    .filter((line) => !line.includes('message') && !line.includes('mark'))
    .map((line) => (/^\d/.test(line) ? line.split(' ').slice(0, 2).reverse().join('@') : line));
  return words.filter((word, i) => word !== words[i - 1]);
}

describe('boot', () => {
  it('guest: assist page of each CPU, identity, hypercall page of its own (Linux 7.2 hv_init.c)', () => {
    const { lines } = new Bench({ ...BEFORE, kernel: 'upstream-7.2' }).lifecycle('component-start', {
      component: 'arch',
    });
    assert.deepEqual(lines, [
      '0 arch R VP_INDEX 0x0',
      '0 arch W VP_ASSIST_PAGE 0x200000001',
      '1 arch R VP_INDEX 0x1',
      '1 arch W VP_ASSIST_PAGE 0x200001001',
      '0 arch W GUEST_OS_ID 0x8100000702000000',
      '0 arch R HYPERCALL 0x0',
      '0 arch W HYPERCALL 0x200002001',
    ]);
  });

  it('root: the pages that the hypervisor provides', () => {
    const provided = { hypercall: '0x400', vpAssist: '0x500' };
    const bench = new Bench({ kernel: 'upstream-7.2', role: 'root', cpus: 1, provided });
    assert.deepEqual(bench.lifecycle('component-start', { component: 'arch' }).lines, [
      '0 arch R VP_INDEX 0x0',
      '0 arch R VP_ASSIST_PAGE 0x500000',
      '0 arch W VP_ASSIST_PAGE 0x500001',
      '0 arch W GUEST_OS_ID 0x8100000702000000',
      '0 arch R HYPERCALL 0x400000',
      '0 arch W HYPERCALL 0x400001',
    ]);
  });
});

describe('reenlightenment (Linux 7.2 arch/x86/hyperv/hv_init.c)', () => {
  const CPUID = { '0x40000003': { eax: 0x2800, edx: 0x100 } };
  const of = (lines: readonly string[]) => lines.filter((line) => line.includes('REENLIGHTENMENT'));

  it('KVM asks for it; the CPU that is told moves, and comes back after a sleep', () => {
    const bench = started({ ...BEFORE, cpuid: CPUID }, 'arch');
    const start = bench.lifecycle('component-start', { component: 'kvm', cpu: 1 });
    assert.deepEqual(start.lines, [
      '1 arch W REENLIGHTENMENT_CONTROL 0x1000100ee',
      '1 arch W TSC_EMULATION_CONTROL 0x1',
    ]);
    assert.deepEqual(of(bench.lifecycle('cpu-offline', { cpu: 1 }).lines), [
      '1 arch R REENLIGHTENMENT_CONTROL 0x1000100ee',
      '1 arch W REENLIGHTENMENT_CONTROL 0x100ee',
    ]);
    assert.equal(of(bench.lifecycle('suspend').lines).at(-1), '0 arch W REENLIGHTENMENT_CONTROL 0xee');
    assert.deepEqual(of(bench.lifecycle('resume').lines), ['0 arch W REENLIGHTENMENT_CONTROL 0x100ee']);
    const stop = bench.lifecycle('component-stop', { component: 'kvm' });
    assert.equal(of(stop.lines).at(-1), '0 arch W REENLIGHTENMENT_CONTROL 0xee');
    assert.deepEqual(of(bench.lifecycle('suspend').lines), []);
  });

  it('is not there where the hypervisor does not say so', () => {
    const bench = started(BEFORE, 'arch');
    assert.deepEqual(bench.lifecycle('component-start', { component: 'kvm' }).lines, []);
  });
});

describe('CPU hotplug', () => {
  it('down: mshv before VMBus before the kernel; up: the other way round', () => {
    const bench = started(BEFORE, 'arch', 'vmbus', 'mshv');
    const down = bench.lifecycle('cpu-offline', { cpu: 1 });
    assert.deepEqual(parties(down.lines), ['mshv@1', 'vmbus@1', 'arch@1']);
    assert.equal(down.outcome?.ret, 0);
    assert.equal(bench.cell('cpu[1].online'), 0n);
    const up = bench.lifecycle('cpu-online', { cpu: 1 });
    assert.deepEqual(parties(up.lines), ['arch@1', 'vmbus@1', 'mshv@1']);
    assert.equal(bench.cell('cpu[1].online'), 1n);
    assert.equal(bench.cell('cpu[1].synic.scontrol'), 1n);
  });

  it('goes by the order of registration, and a number that is free is used again', () => {
    const bench = started({ ...BEFORE, kernel: 'upstream-7.2' }, 'vmbus', 'mshv');
    assert.equal(bench.cell('driver.vmbus.hotplug'), 2n);
    assert.equal(bench.cell('driver.mshv.hotplug'), 3n);
    bench.lifecycle('component-stop', { component: 'vmbus' });
    bench.lifecycle('component-start', { component: 'vmbus' });
    assert.equal(bench.cell('driver.vmbus.hotplug'), 2n);
  });

  it('the CPU that talks to the host stays: what was torn down before comes up again', () => {
    const bench = started(BEFORE, 'vmbus', 'mshv');
    const { lines, outcome } = bench.lifecycle('cpu-offline', { cpu: 0 });
    assert.equal(outcome?.ret, -16);
    assert.deepEqual(parties(lines), ['mshv@0']);
    assert.equal(bench.cell('cpu[0].online'), 1n);
    assert.equal(bench.cell('cpu[0].synic.scontrol'), 1n);
    assert.equal(bench.cell('cpu[0].synic.sint[0]'), 0x200f3n);
  });

  it('a CPU on which mshv cannot map a page stays down: what came up before it goes down again', () => {
    const bench = started(BEFORE, 'arch', 'vmbus', 'mshv');
    bench.lifecycle('cpu-offline', { cpu: 1 });
    const { lines, outcome } = bench.lifecycle('cpu-online', { cpu: 1, fail: 'siefp-map' });
    assert.equal(outcome?.ret, -14);
    assert.deepEqual(parties(lines), ['arch@1', 'vmbus@1', 'mshv@1', 'vmbus@1', 'arch@1']);
    assert.equal(bench.cell('cpu[1].online'), 0n);
    assert.equal(bench.cell('cpu[1].synic.scontrol'), 0n);
  });

  it('VMBus keeps its pages over an offline CPU', () => {
    const bench = started(BEFORE, 'vmbus');
    const before = bench.cell('cpu[1].synic.simp');
    bench.lifecycle('cpu-offline', { cpu: 1 });
    assert.equal(bench.cell('cpu[1].synic.simp'), 0n);
    bench.lifecycle('cpu-online', { cpu: 1 });
    assert.equal(bench.cell('cpu[1].synic.simp'), before);
  });

  it('a driver that starts while a CPU is offline leaves it out', () => {
    const bench = started(BEFORE, 'arch');
    bench.lifecycle('cpu-offline', { cpu: 1 });
    const { lines } = bench.lifecycle('component-start', { component: 'vmbus' });
    assert.deepEqual(parties(lines), ['vmbus@0']);
    assert.deepEqual(parties(bench.lifecycle('cpu-online', { cpu: 1 }).lines), ['arch@1', 'vmbus@1']);
  });

  it('refuses CPUs that do not exist; what is so already stays so', () => {
    const bench = new Bench(BEFORE);
    assert.equal(bench.lifecycle('cpu-offline', { cpu: 9 }).outcome?.ret, -19);
    assert.equal(bench.lifecycle('cpu-online', { cpu: 1 }).outcome?.ret, 0);
    assert.deepEqual(bench.lifecycle('cpu-online', { cpu: 1 }).lines, []);
  });

  it('a step of one CPU only', () => {
    const bench = started({ ...BEFORE, kernel: 'upstream-7.2' }, 'vmbus', 'mshv');
    assert.deepEqual(parties(bench.lifecycle('component-stop', { component: 'mshv', cpu: 1 }).lines), [
      'mshv@1',
    ]);
    assert.equal(bench.cell('driver.mshv.hotplug'), 3n);
  });
});

describe('kexec', () => {
  it('mshv, then VMBus, then the kernel, each as a step of its own', () => {
    const bench = started({ ...BEFORE, rebootNotifier: 'always' }, 'arch', 'vmbus', 'mshv');
    const { lines, outcome } = bench.lifecycle('kexec');
    assert.deepEqual(parties(lines), [
      'mshv component-stop begin',
      'mshv@0',
      'mshv@1',
      'mshv component-stop end 0',
      'vmbus component-stop begin',
      'vmbus@0',
      'vmbus@1',
      'vmbus component-stop end 0',
      'arch component-stop begin',
      'arch@0',
      'arch@1',
      'arch@0',
      'arch component-stop end 0',
    ]);
    assert.equal(outcome?.ret, 0);
  });

  it('ends with identity, hypercall page and reference TSC page off', () => {
    const { lines } = started(BEFORE, 'arch').lifecycle('kexec');
    assert.deepEqual(lines.slice(-8, -1), [
      '0 arch W VP_ASSIST_PAGE 0x0',
      '1 arch W VP_ASSIST_PAGE 0x0',
      '0 arch W GUEST_OS_ID 0x0',
      '0 arch R HYPERCALL 0x200002000',
      '0 arch W HYPERCALL 0x200002000',
      '0 arch R REFERENCE_TSC 0x0',
      '0 arch W REFERENCE_TSC 0x0',
    ]);
  });

  it('without the notifier of mshv its SINTs and its ring page survive', () => {
    const bench = started(BEFORE, 'vmbus', 'mshv');
    assert.ok(!bench.lifecycle('kexec').lines.some((line) => line.includes('mshv')));
    assert.equal(bench.cell('cpu[0].synic.sint[0]'), 0x200f3n);
    assert.equal(bench.cell('cpu[0].synic.sirbp'), 1n);
  });

  it('starts a kernel that knows of nothing', () => {
    const bench = started(BEFORE, 'arch', 'vmbus', 'mshv');
    bench.lifecycle('kexec');
    assert.equal(bench.cell('system.kernels'), 2n);
    assert.equal(bench.cell('driver.vmbus.state'), 0n);
    assert.equal(bench.lifecycle('component-start', { component: 'vmbus' }).outcome?.ret, 0);
    assert.equal(bench.cell('cpu[0].synic.scontrol'), 1n);
  });

  it('before the patch the UNLOAD response finds no message page; VMBus goes on as the profile says', () => {
    const given = { ...BEFORE, rebootNotifier: 'always' };
    const answered = started(given, 'vmbus', 'mshv').lifecycle('kexec');
    assert.ok(answered.lines.includes('0 hypervisor message drop sint 2'));
    assert.ok(answered.lines.some((line) => line.startsWith('1 vmbus W SINT2')));
    assert.equal(answered.outcome?.ret, 0);
  });

  it('before the patch, response lost: it never ends, and nothing runs after it', () => {
    const bench = started({ ...BEFORE, rebootNotifier: 'always', vmbusUnload: 'lost' }, 'vmbus', 'mshv');
    const { lines, outcome } = bench.lifecycle('kexec');
    assert.equal(outcome?.ret, undefined);
    assert.ok(lines.at(-1)?.includes('waits for UNLOAD_RESPONSE'));
    assert.ok(!lines.some((line) => line.startsWith('0 vmbus W SINT2')));
    assert.equal(bench.cell('system.kexec'), 2n);
    assert.deepEqual(bench.lifecycle('component-stop', { component: 'vmbus' }), {
      lines: [],
      outcome: { rule: 'Linux.kexec' },
    });
  });

  it('after the patch the response arrives, and nothing can be lost', () => {
    const given = { ...BEFORE, kernel: 'upstream-7.2', vmbusUnload: 'lost' };
    const { lines, outcome } = started(given, 'vmbus', 'mshv').lifecycle('kexec');
    assert.equal(outcome?.ret, 0);
    assert.ok(lines.includes('0 vmbus message read sint 2'));
    assert.ok(!lines.some((line) => line.includes('#GP') || line.includes('drop')));
  });
});

describe('a recording that began mid-life', () => {
  const given = { ...BEFORE, initial: 'unknown' };

  it('leaves to the record what depends on a driver that was not seen to start', () => {
    const bench = new Bench(given);
    const unmodelled = { rule: 'unmodelled' };
    assert.deepEqual(bench.lifecycle('component-stop', { component: 'mshv' }).outcome, unmodelled);
    assert.deepEqual(bench.lifecycle('cpu-offline', { cpu: 1 }).outcome, unmodelled);
    bench.lifecycle('component-start', { component: 'vmbus' });
    assert.deepEqual(bench.lifecycle('kexec').outcome, unmodelled);
  });

  it('knows what a driver does that was', () => {
    const bench = started(given, 'arch', 'vmbus', 'mshv');
    assert.deepEqual(parties(bench.lifecycle('cpu-offline', { cpu: 1 }).lines), [
      'mshv@1',
      'vmbus@1',
      'arch@1',
    ]);
  });
});

describe('other ends', () => {
  it('reboot: the notifier of mshv only, then everything is as at the start', () => {
    const bench = started({ kernel: 'upstream-7.2', role: 'root', cpus: 2 }, 'arch', 'mshv');
    const { lines } = bench.lifecycle('reboot');
    assert.deepEqual(parties(lines), [
      'mshv component-stop begin',
      'mshv@0',
      'mshv@1',
      'mshv component-stop end 0',
    ]);
    assert.equal(bench.cell('cpu[0].synic.sint[0]'), 0x10000n);
    assert.equal(bench.cell('cpu[0].msr[0x40000000]'), 0n);
  });

  it('power off on a root: how the chipset sleeps, the notifier of mshv, then S5, which does not return', () => {
    const bench = started({ kernel: 'upstream-7.2', role: 'root', cpus: 1 }, 'arch', 'mshv');
    const { lines, outcome } = bench.lifecycle('power-off');
    assert.deepEqual(
      [lines[0], lines.at(-1)],
      ['0 arch HC SET_SYSTEM_PROPERTY SUCCESS', '0 arch HC ENTER_SLEEP_STATE SUCCESS'],
    );
    assert.deepEqual(parties(lines), [
      'arch@0',
      'mshv component-stop begin',
      'mshv@0',
      'mshv component-stop end 0',
      'arch@0',
    ]);
    assert.deepEqual(outcome, { rule: 'Linux.power-off' });
    assert.equal(bench.cell('hypervisor.sleep.entered'), 5n);
    assert.equal(bench.cell('system.end'), 2n);
    const later = bench.lifecycle('component-start', { component: 'mshv' });
    assert.deepEqual(later, { lines: [], outcome: { rule: 'Linux.power-off' } });
  });

  it('power off elsewhere is the firmware’s, and what comes after it begins anew', () => {
    for (const given of [BEFORE, { kernel: 'upstream-6.16', role: 'root' }]) {
      const bench = started({ ...given, rebootNotifier: 'always' }, 'arch', 'mshv');
      const { lines, outcome } = bench.lifecycle('power-off');
      assert.ok(!lines.some((line) => line.includes('SLEEP') || line.includes('SYSTEM_PROPERTY')));
      assert.ok(lines.includes('mshv component-stop end 0'));
      assert.equal(outcome?.ret, 0);
      assert.equal(bench.cell('cpu[0].synic.sint[0]'), 0x10000n);
      assert.equal(bench.cell('system.kernels'), 2n);
    }
  });

  it('halt: the same notifiers, and everything stays as it is', () => {
    const bench = started({ kernel: 'upstream-7.2', role: 'root', cpus: 1 }, 'arch', 'mshv');
    const { lines, outcome } = bench.lifecycle('halt');
    assert.equal(lines[0], '0 arch HC SET_SYSTEM_PROPERTY SUCCESS');
    assert.equal(lines.at(-1), 'mshv component-stop end 0');
    assert.deepEqual(outcome, { rule: 'Linux.halt' });
    assert.equal(bench.cell('cpu[0].msr[0x40000001]') & 1n, 1n);
    assert.deepEqual(bench.lifecycle('reboot'), { lines: [], outcome: { rule: 'Linux.halt' } });
  });

  it('crash: this CPU alone, SCONTROL stays on', () => {
    const bench = started(BEFORE, 'arch', 'vmbus', 'mshv');
    const { lines } = bench.lifecycle('crash', { cpu: 1 });
    assert.deepEqual(parties(lines), [
      'vmbus component-stop begin',
      'vmbus@1',
      'vmbus component-stop end 0',
      'arch component-stop begin',
      'arch@1',
      'arch component-stop end 0',
    ]);
    assert.equal(bench.cell('cpu[1].synic.scontrol'), 1n);
    assert.equal(bench.cell('cpu[1].synic.simp') & 1n, 0n);
    assert.equal(bench.cell('cpu[0].synic.simp') & 1n, 1n);
  });

  it('suspend and resume: VMBus on the first CPU, SCONTROL as it is', () => {
    const bench = started(BEFORE, 'vmbus');
    const asleep = bench.lifecycle('suspend');
    assert.deepEqual(
      asleep.lines.map((line) => line.split(' ').slice(0, 4).join(' ')),
      ['R SINT2', 'W SINT2', 'R SIMP', 'W SIMP', 'R SIEFP', 'W SIEFP'].map((access) => `0 vmbus ${access}`),
    );
    assert.equal(bench.cell('cpu[0].synic.simp') & 1n, 0n);
    assert.equal(bench.cell('cpu[0].synic.scontrol'), 1n);
    assert.equal(bench.cell('cpu[1].synic.simp') & 1n, 1n);
    assert.equal(bench.lifecycle('resume').outcome?.ret, 0);
    assert.equal(bench.cell('cpu[0].synic.simp') & 1n, 1n);
    assert.equal(bench.cell('cpu[0].synic.sint[2]') & 0x1_0000n, 0n);
  });

  it('suspend and resume: the hypercall page after VMBus, and before it', () => {
    const bench = started(BEFORE, 'arch', 'vmbus');
    const page = bench.cell('cpu[0].msr[0x40000001]');
    assert.deepEqual(parties(bench.lifecycle('suspend').lines), ['vmbus@0', 'arch@0']);
    assert.equal(bench.cell('cpu[0].msr[0x40000001]'), page & ~1n);
    assert.deepEqual(parties(bench.lifecycle('resume').lines), ['arch@0', 'vmbus@0']);
    assert.equal(bench.cell('cpu[0].msr[0x40000001]'), page);
  });

  it('a root cannot sleep: VMBus gives its pages up and takes them back', () => {
    const bench = started({ kernel: 'upstream-7.2', role: 'nested-root', cpus: 1 }, 'arch', 'vmbus');
    const { lines, outcome } = bench.lifecycle('suspend');
    assert.equal(outcome?.ret, -1);
    assert.deepEqual(parties(lines), ['vmbus@0']);
    assert.equal(bench.cell('cpu[0].nested.synic.simp') & 1n, 1n);
    assert.equal(bench.lifecycle('save').outcome?.ret, -1);
  });

  it('hibernation: VMBus leaves the host, the other CPUs go; all of it comes back', () => {
    const bench = started({ ...BEFORE, cpus: 3 }, 'arch', 'vmbus');
    const saved = bench.lifecycle('save');
    assert.equal(saved.outcome?.ret, 0);
    assert.deepEqual(parties(saved.lines), [
      'vmbus@0',
      'vmbus@2',
      'arch@2',
      'vmbus@1',
      'arch@1',
      'vmbus@0',
      'arch@0',
    ]);
    assert.equal(saved.lines[0], '0 vmbus HC POST_MESSAGE SUCCESS');
    assert.deepEqual([bench.cell('driver.vmbus.connection'), bench.cell('cpu[1].online')], [0n, 0n]);
    const restored = bench.lifecycle('restore');
    assert.equal(restored.outcome?.ret, 0);
    assert.deepEqual([bench.cell('driver.vmbus.connection'), bench.cell('cpu[2].online')], [2n, 1n]);
    assert.equal(restored.lines.filter((line) => line.includes('POST_MESSAGE')).length, 2);
    assert.equal(bench.lifecycle('save', { partition: 2n }).outcome, undefined);
  });

  it('a component that nobody models is left to the record', () => {
    const bench = new Bench(BEFORE);
    assert.equal(bench.lifecycle('component-start', { component: 'timer' }).outcome, undefined);
    assert.equal(bench.lifecycle('component-start', { component: 'toString' }).outcome, undefined);
    assert.equal(bench.lifecycle('partition-reset').outcome, undefined);
  });
});
