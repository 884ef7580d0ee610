import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JsonObject } from '../trace/text/json.ts';
import { Bench } from './bench.testing.ts';
import { DEVICE, hypercallsOf, PARTITION, request } from './guest.testing.ts';

const ROOT = { kernel: 'upstream-7.2', role: 'root', cpus: 2, debugfs: true };

/** How often pages were mapped and unmapped. */
function pages(lines: readonly string[]): { readonly mapped: number; readonly unmapped: number } {
  const calls = hypercallsOf(lines);
  return {
    mapped: calls.filter((call) => /^MAP_STATS_PAGE2? SUCCESS/.test(call)).length,
    unmapped: calls.filter((call) => call.startsWith('UNMAP_STATS_PAGE SUCCESS')).length,
  };
}

function started(given: JsonObject): Bench {
  const bench = new Bench(given);
  bench.lifecycle('component-start', { component: 'arch' });
  return bench;
}

const load = (bench: Bench) => bench.lifecycle('component-start', { component: 'mshv' });

describe('statistics under debugfs', () => {
  it('root: the hypervisor, its processors, the own partition and its VPs', () => {
    const bench = started(ROOT);
    // 1 and 2; two areas of the partition and of two VPs.
    assert.deepEqual(pages(load(bench).lines), { mapped: 9, unmapped: 0 });
    assert.notEqual(bench.cell('hypervisor.stats'), 0n);
    assert.notEqual(bench.cell('hypervisor.processor[1].stats'), 0n);
    assert.notEqual(bench.cell('partition[1].stats.parent'), 0n);
    assert.notEqual(bench.cell('partition[1].ownVp[1].stats.parent'), 0n);
    const { lines } = bench.lifecycle('component-stop', { component: 'mshv' });
    assert.deepEqual(pages(lines), { mapped: 0, unmapped: 9 });
    assert.ok(lines[0]?.includes('UNMAP_STATS_PAGE'), 'before the SynIC goes');
    assert.equal(bench.cell('hypervisor.stats'), 0n);
    assert.ok(!bench.exists('hypervisor.processor[0]'));
    assert.ok(!bench.exists('partition[1].ownVp[0]'));
  });

  it('L1VH: its own alone, on pages that it gives', () => {
    const bench = started({ ...ROOT, role: 'l1vh' });
    const { lines, outcome } = load(bench);
    assert.equal(outcome?.ret, 0);
    assert.deepEqual(pages(lines), { mapped: 3, unmapped: 0 });
    assert.ok(hypercallsOf(lines).some((call) => call.startsWith('MAP_STATS_PAGE2')));
    assert.equal(bench.cell('partition[1].stats.parent'), 0n);
    assert.equal(pages(bench.lifecycle('component-stop', { component: 'mshv' }).lines).unmapped, 3);
  });

  it('of as many processors as the profile says', () => {
    const mapped = (given: object) => pages(load(started({ ...ROOT, ...given })).lines).mapped;
    assert.equal(mapped({ processors: 5 }) - mapped({ processors: 1 }), 4);
  });

  it('none without debugfs, and in Linux 6.16', () => {
    for (const given of [
      { ...ROOT, debugfs: false },
      { ...ROOT, kernel: 'upstream-6.16' },
    ]) {
      assert.deepEqual(pages(load(started(given)).lines), { mapped: 0, unmapped: 0 });
    }
  });

  it('a child partition: from its initialisation to its end, before it is finalized', () => {
    const bench = started(ROOT);
    load(bench);
    const create = { handle: DEVICE, op: request('device', 'MSHV_CREATE_PARTITION'), pid: 7 };
    bench.ioctl({ ...create, arg: new Uint8Array(16), ret: 5 });
    const initialize = { handle: PARTITION, op: request('partition', 'MSHV_INITIALIZE_PARTITION'), pid: 7 };
    assert.equal(pages(bench.ioctl(initialize).lines).mapped, 2);
    const calls = hypercallsOf(bench.fd({ what: 'close', fd: 5, pid: 7, handle: PARTITION, ret: 0 }).lines);
    assert.deepEqual(calls.slice(0, 3), [
      'UNMAP_STATS_PAGE SUCCESS',
      'UNMAP_STATS_PAGE SUCCESS',
      'FINALIZE_PARTITION SUCCESS',
    ]);
  });

  it('the reboot notifier of 7.2 takes them away before the SynIC, that of 7.0 does not', () => {
    const unmapped = (kernel: string) => {
      const bench = started({ ...ROOT, kernel });
      load(bench);
      return pages(bench.lifecycle('kexec').lines).unmapped;
    };
    assert.deepEqual([unmapped('upstream-7.2'), unmapped('upstream-7.0')], [9, 0]);
  });

  it('a CPU that went keeps its pages, one that came has none', () => {
    const bench = started(ROOT);
    load(bench);
    bench.lifecycle('cpu-offline', { cpu: 1 });
    const stop = bench.lifecycle('component-stop', { component: 'mshv' });
    assert.equal(pages(stop.lines).unmapped, 7);
    assert.notEqual(bench.cell('partition[1].ownVp[1].stats.self'), 0n);

    const later = started(ROOT);
    later.lifecycle('cpu-offline', { cpu: 1 });
    load(later);
    later.lifecycle('cpu-online', { cpu: 1 });
    const { lines } = later.lifecycle('component-stop', { component: 'mshv' });
    assert.ok(lines.some((line) => line.includes('CPU 1 came after')));
    assert.equal(pages(lines).unmapped, 7);
  });
});

describe('a load of mshv', () => {
  it('is refused in a kernel that saves what a crash left', () => {
    const bench = started(ROOT);
    bench.lifecycle('crash');
    const { lines, outcome } = load(bench);
    assert.deepEqual([lines, outcome?.ret], [[], -19]);
    bench.lifecycle('reboot');
    assert.equal(load(bench).outcome?.ret, 0);
  });

  it('warns of a hypervisor whose build it does not know', () => {
    const warned = (eax: number) =>
      load(started({ ...ROOT, cpuid: { '0x40000002': { eax } } })).lines.some((line) =>
        line.includes('unvalidated'),
      );
    assert.deepEqual([27743, 27744, 27751, 27752].map(warned), [true, false, false, true]);
  });

  it('of Linux 6.16 does not ask what it may do', () => {
    const calls = (given: JsonObject) => hypercallsOf(load(started({ ...ROOT, ...given })).lines);
    const asks = (lines: readonly string[]) => lines.filter((line) => /PROPERTY/.test(line));
    assert.deepEqual(asks(calls({ kernel: 'upstream-6.16' })), ['GET_SYSTEM_PROPERTY SUCCESS']);
    assert.deepEqual(asks(calls({ kernel: 'upstream-6.16', role: 'l1vh' })), []);
  });
});
