import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { registers, statuses } from '../abi/index.ts';
import type { HypercallResult, RegisterValue } from '../trace/event.ts';
import { seqOf, timeNs } from '../trace/position.ts';
import { activeChild, type HypervisorBench } from './bench.testing.ts';
import { VP } from './cells/vp.ts';
import { createHypervisor, overlayAt, tablesUnseen } from './index.ts';
import { installedIntercept } from './intercept/install.ts';
import { guestCpuid } from './intercept/results.ts';
import { acceptInterrupt, pendingInterruption } from './vp/accept.ts';
import { vpOfRef } from './vp/find.ts';
import { setControl } from './vp/suspend.ts';

const HYPERVISOR = createHypervisor();
const CHILD = 2n;
const NOTHING = { eax: 0, ebx: 0, ecx: 0, edx: 0 };

function install(bench: HypervisorBench, type: number, access: number, parameter = 0n) {
  return bench.call('INSTALL_INTERCEPT', {
    partition_id: CHILD,
    access_type: access,
    intercept_type: type,
    'intercept_parameter.as_uint64': parameter,
  });
}

describe('intercepts that are installed', () => {
  /** Type, access mask, status. Source: TLFS 2013, HvInstallIntercept; types: rust-vmm/mshv, hv-headers. */
  const CHECKS: readonly (readonly [what: string, type: number, access: number, status: string])[] = [
    ['reads and writes of a port', 0, 3, 'SUCCESS'],
    ['execution of a port', 0, 4, 'INVALID_PARAMETER'],
    ['every MSR', 1, 3, 'SUCCESS'],
    ['a CPUID leaf', 2, 4, 'SUCCESS'],
    ['reads of a CPUID leaf', 2, 1, 'INVALID_PARAMETER'],
    ['an exception', 3, 4, 'SUCCESS'],
    ['a reserved type', 4, 4, 'INVALID_PARAMETER'],
    ['hypercalls', 8, 4, 'SUCCESS'],
    ['one MSR', 12, 2, 'SUCCESS'],
    ['a type that does not exist', 13, 1, 'INVALID_PARAMETER'],
  ];
  for (const [what, type, access, status] of CHECKS) {
    it(`${what}: ${status}`, () => assert.equal(install(activeChild(), type, access).status, status));
  }

  it('are kept by type and parameter, and taken away with access 0', () => {
    const bench = activeChild();
    install(bench, 2, 4, 0x4000_0000n);
    assert.equal(bench.cell('partition[2].intercept[0x240000000]'), 4n);
    const vp = vpOfRef(bench.context, { partition: CHILD, vp: 0 });
    const partition = bench.context.store.parent(vp ?? assert.fail('no VP'));
    assert.equal(installedIntercept(bench.context, partition, 2, 0x4000_0000), 4);
    install(bench, 2, 0, 0x4000_0000n);
    assert.equal(installedIntercept(bench.context, partition, 2, 0x4000_0000), 0);
    install(bench, 0, 3, 0x3f8n);
    bench.call('FINALIZE_PARTITION', { partition_id: CHILD }, { fast: true });
    assert.deepEqual(bench.state('partition[2].intercept[*]'), []);
  });
});

describe('results of intercepts', () => {
  const register = (bench: HypervisorBench, fields: Readonly<Record<string, number>>) =>
    bench.call('REGISTER_INTERCEPT_RESULT', { partition_id: CHILD, intercept_type: 2, ...fields });
  const seen = (bench: HypervisorBench, leaf: number, subleaf = 0) => {
    const vp = vpOfRef(bench.context, { partition: CHILD, vp: 0 }) ?? assert.fail('no VP');
    return guestCpuid(bench.context, vp, leaf, subleaf, { ...NOTHING, eax: 0xf0 });
  };

  it('lie over what the processor says, for a subleaf or for all', () => {
    const bench = activeChild();
    const at = 'parameters.cpuid';
    register(bench, {
      [`${at}.input.eax`]: 0x8000_0001,
      [`${at}.result.eax`]: 0xff,
      [`${at}.result.eax_mask`]: 0xf,
      [`${at}.result.edx`]: 0x8000_0000,
      [`${at}.result.edx_mask`]: 0xffff_ffff,
    });
    assert.deepEqual(seen(bench, 0x8000_0001), { ...NOTHING, eax: 0xff, edx: 0x8000_0000 });
    assert.deepEqual(seen(bench, 0x8000_0001, 5), { ...NOTHING, eax: 0xff, edx: 0x8000_0000 });
    register(bench, {
      [`${at}.input.eax`]: 0xd,
      [`${at}.input.ecx`]: 1,
      [`${at}.input.subleaf_specific`]: 1,
      [`${at}.result.ebx`]: 3,
      [`${at}.result.ebx_mask`]: 3,
    });
    assert.deepEqual(seen(bench, 0xd, 1), { ...NOTHING, eax: 0xf0, ebx: 3 });
    assert.deepEqual(seen(bench, 0xd), { ...NOTHING, eax: 0xf0 });
  });

  it('are of CPUID leaves and MSRs', () => {
    assert.equal(register(activeChild(), { intercept_type: 1 }).status, 'SUCCESS');
    assert.equal(register(activeChild(), { intercept_type: 3 }).rule, 'HDR.intercept-result.type');
  });

  it('can be asked for; what the processor says is taken from the record', () => {
    const bench = activeChild({ cpuid: { '0x1': { eax: '0x11' } } });
    const input = new Uint8Array(48);
    input[0] = Number(CHILD);
    input[24] = 1;
    const own = bench.raw('GET_VP_CPUID_VALUES', input, { reps: 1 });
    assert.deepEqual([own.status, own.output?.[0], bench.bound], ['SUCCESS', 0x11, []]);
    const output = new Uint8Array(16).fill(9);
    assert.deepEqual(bench.raw('GET_VP_CPUID_VALUES', input, { reps: 1, output }).output, output);
    assert.deepEqual(bench.bound, ['cpuid-value']);
  });
});

describe('asserted interrupts', () => {
  const raise = (
    bench: HypervisorBench,
    fields: Readonly<Record<string, number | bigint>>,
    result?: HypercallResult,
  ) =>
    bench.call(
      'ASSERT_VIRTUAL_INTERRUPT',
      { partition_id: CHILD, ...fields },
      result === undefined ? {} : { result },
    );
  /** Fields, status. Source: TLFS 2013, HvAssertVirtualInterrupt. */
  const CHECKS: readonly (readonly [string, Readonly<Record<string, number | bigint>>, string])[] = [
    ['a fixed one', { vector: 0x40 }, 'SUCCESS'],
    ['a fixed one of an exception’s vector', { vector: 15 }, 'INVALID_PARAMETER'],
    ['a vector beyond 255', { vector: 256 }, 'INVALID_PARAMETER'],
    ['an NMI with a vector', { 'control.interrupt_type': 4, vector: 2 }, 'INVALID_PARAMETER'],
    ['an NMI', { 'control.interrupt_type': 4 }, 'SUCCESS'],
    ['an EXTINT to a destination', { 'control.interrupt_type': 7, dest_addr: 1n }, 'INVALID_PARAMETER'],
    ['a type that does not exist', { 'control.interrupt_type': 10 }, 'INVALID_PARAMETER'],
    ['reserved bits', { vector: 0x40, 'control.rsvd': 1 }, 'INVALID_PARAMETER'],
    ['a destination that nobody has', { vector: 0x40, dest_addr: 9n }, 'SUCCESS'],
  ];
  for (const [what, fields, status] of CHECKS) {
    it(`${what}: ${status}`, () => assert.equal(raise(activeChild(), fields).status, status));
  }

  it('set the request bit of their vector', () => {
    const bench = activeChild();
    raise(bench, { vector: 0x41 });
    raise(bench, { vector: 0x43, dest_addr: 1n, 'control.logical_dest_mode': 1 });
    assert.equal(bench.cell('partition[2].vp[0].interrupt.irr[2]'), 0b1010n);
  });

  const extint = { 'control.interrupt_type': 7, vector: 8 };
  const clear = (bench: HypervisorBench) =>
    bench.call('CLEAR_VIRTUAL_INTERRUPT', { partition_id: CHILD }, { fast: true }).status;

  it('an EXTINT waits until it is acknowledged, and is cleared then', () => {
    const bench = activeChild();
    const vp = vpOfRef(bench.context, { partition: CHILD, vp: 0 });
    assert.ok(vp !== undefined);
    assert.equal(clear(bench), 'NOT_ACKNOWLEDGED');
    assert.equal(raise(bench, extint).status, 'SUCCESS');
    assert.equal(raise(bench, extint).status, 'NOT_ACKNOWLEDGED');
    assert.equal(clear(bench), 'NOT_ACKNOWLEDGED');
    acceptInterrupt(bench.context, vp, pendingInterruption({ vector: 8, nmi: false }));
    assert.equal(raise(bench, extint).status, 'ACKNOWLEDGED');
    assert.equal(clear(bench), 'SUCCESS');
    assert.equal(raise(bench, extint).status, 'SUCCESS');
  });

  it('an EXTINT that the guest may have taken unseen is what the record says', () => {
    for (const [status, vector] of [
      ['SUCCESS', 9n],
      ['NOT_ACKNOWLEDGED', 8n],
      ['ACKNOWLEDGED', 8n],
    ] as const) {
      const bench = activeChild();
      const vp = vpOfRef(bench.context, { partition: CHILD, vp: 0 });
      assert.ok(vp !== undefined);
      raise(bench, extint);
      setControl(bench.context, vp, VP.slots.suspend.explicit, 0n);
      const result = { status: statuses.number(status), reps: 0 };
      assert.equal(raise(bench, { ...extint, vector: 9 }, result).status, '?');
      assert.equal(bench.cell('partition[2].vp[0].interrupt.extint') & 0xffn, vector);
    }
  });
});

describe('a translation', () => {
  const translate = (bench: HypervisorBench, page: bigint, flags = 0n) =>
    bench.call('TRANSLATE_VIRTUAL_ADDRESS', { partition_id: CHILD, gva_page: page, control_flags: flags });
  const vpOf = (bench: HypervisorBench) =>
    vpOfRef(bench.context, { partition: CHILD, vp: 0 }) ?? assert.fail('no VP');

  it('without paging is the address itself, where it is mapped', () => {
    const bench = activeChild();
    const list = { field: 'source_gpa_page_list', values: [0n] };
    const fields = { target_partition_id: CHILD, target_gpa_base: 5n, map_flags: 1 };
    bench.call('MAP_GPA_PAGES', fields, { reps: 1, list });
    assert.deepEqual(
      [...(translate(bench, 5n).output ?? [])],
      [0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0],
    );
    assert.equal(translate(bench, 6n).output?.[0], 4);
  });

  /** Register of the guest, value, frame, the bit of the result that says so. TLFS, overlay pages; TLFS 2013, HvTranslateVirtualAddress. */
  const OVERLAYS: readonly (readonly [number, bigint, bigint, number])[] = [
    [0x4000_0083, 0x5001n, 5n, 1],
    [0x4000_0083, 0x5000n, 5n, 0],
    [0x4000_0082, 0x6001n, 6n, 1],
    [0x4000_0073, 0x7001n, 7n, 1],
    [0x4000_0021, 0x7001n, 8n, 0],
  ];
  for (const [msr, value, page, overlay] of OVERLAYS) {
    it(`says where a page of the hypervisor hides memory: MSR 0x${msr.toString(16)}, frame ${page}: ${overlay}`, () => {
      const bench = activeChild();
      const vp = { partition: CHILD, vp: 0 };
      const access = { kind: 'msr', dir: 'write', msr, value, vp, cpu: 0, component: 'guest' } as const;
      HYPERVISOR.msr(bench.context, access);
      const { output } = translate(bench, page);
      assert.deepEqual([output?.[5], output?.[0]], overlay === 1 ? [1, 0] : [0, 4]);
    });
  }

  it('an overlay of a lower address hides another', () => {
    const bench = activeChild();
    const vp = { partition: CHILD, vp: 0 };
    for (const msr of [0x4000_0083, 0x4000_0082]) {
      const access = {
        kind: 'msr',
        dir: 'write',
        msr,
        value: 0x5001n,
        vp,
        cpu: 0,
        component: 'guest',
      } as const;
      HYPERVISOR.msr(bench.context, access);
    }
    const found = vpOfRef(bench.context, vp);
    assert.equal(found === undefined ? undefined : overlayAt(bench.context, found, 5n), 'SIEFP');
  });

  /** Gives registers of VP 0 values: name, value. */
  const setRegisters = (bench: HypervisorBench, ...values: readonly (readonly [string, bigint])[]) => {
    const input = new Uint8Array(16 + 32 * values.length);
    const view = new DataView(input.buffer);
    input[0] = Number(CHILD);
    values.forEach(([name, value], i) => {
      view.setUint32(16 + 32 * i, registers.number(name), true);
      view.setBigUint64(32 + 32 * i, value, true);
    });
    assert.equal(bench.raw('SET_VP_REGISTERS', input, { reps: values.length }).status, 'SUCCESS');
  };
  const show = (bench: HypervisorBench, gpa: bigint, word: bigint) => {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, word, true);
    const event = {
      kind: 'page',
      what: 'snapshot',
      page: 'ram',
      gpa,
      bytes: [{ offset: 0, bytes }],
    } as const;
    HYPERVISOR.page(bench.context, {
      ...event,
      ...{ vp: { partition: CHILD, vp: 0 }, seq: seqOf(1), t: timeNs(0), provenance: 'authored' },
    });
  };
  /** A guest in PAE mode: 0x1000 leads to 0x2000, that to 0x3000, and page 3 there to frame 0x77, which cannot be written. */
  const paged = (mapped = 3) => {
    const bench = activeChild();
    const list = { field: 'source_gpa_page_list', values: [0n] };
    const fields = { target_partition_id: CHILD, target_gpa_base: 0x77n, map_flags: mapped };
    bench.call('MAP_GPA_PAGES', fields, { reps: 1, list });
    setRegisters(bench, ['CR0', 0x8001_0011n], ['CR3', 0x1000n], ['CR4', 0x20n]);
    return bench;
  };
  const TABLES = [
    [0x1000n, 0x2001n],
    [0x2000n, 0x3007n],
    [0x3018n, 0x7_7005n],
  ] as const;
  const shown = (mapped = 3) => {
    const bench = paged(mapped);
    for (const [gpa, word] of TABLES) show(bench, gpa, word);
    return bench;
  };

  const unseen = (bench: HypervisorBench, page: bigint) => {
    const words = new Map<bigint, bigint>(TABLES);
    const found = tablesUnseen(bench.context, vpOf(bench), page, 0n, (gpa) => words.get(gpa));
    return found.map(({ gpa }) => gpa);
  };

  it('with paging goes through the tables that the trace shows', () => {
    const bench = paged();
    assert.deepEqual(unseen(bench, 3n), [0x1000n, 0x2000n, 0x3018n]);
    for (const [gpa, word] of TABLES) show(bench, gpa, word);
    assert.deepEqual(unseen(bench, 3n), []);
    assert.deepEqual([...(translate(bench, 3n).output ?? [])].slice(0, 9), [0, 0, 0, 0, 0, 0, 0, 0, 0x77]);
    show(bench, 0x3018n, 0n);
    assert.deepEqual(unseen(bench, 3n), [0x3018n]);
    assert.equal(translate(bench, 3n).output?.[0], 1);
  });

  it('knows the registers still when the guest has taken an interrupt', () => {
    const bench = shown();
    const stop = { kind: 'intercept', vp: { partition: CHILD, vp: 0 }, type: 0 } as const;
    const tell = (values: readonly RegisterValue[]) =>
      HYPERVISOR.intercept(bench.context, {
        ...stop,
        ...{ seq: seqOf(1), t: timeNs(0), provenance: 'emulated', registers: values },
      });
    bench.call('ASSERT_VIRTUAL_INTERRUPT', { partition_id: CHILD, vector: 0x41 });
    setControl(bench.context, vpOf(bench), VP.slots.suspend.explicit, 0n);
    tell([pendingInterruption({ vector: 0x41, nmi: false })]);
    assert.equal(translate(bench, 3n).status, '?', 'it runs');
    tell([{ name: registers.number('RIP'), value: 0x1234n }]);
    for (const [gpa, word] of TABLES) show(bench, gpa, word);
    assert.equal(translate(bench, 3n).output?.[8], 0x77);
  });

  /** How the frame is mapped, control flags, result code. TLFS 2013, HvTranslateVirtualAddress; Linux 7.2 include/hyperv. */
  const ACCESSES: readonly (readonly [mapped: number, flags: bigint, code: number])[] = [
    [3, 0x1n, 0],
    [3, 0x2n, 2],
    [3, 0xan, 2],
    [3, 0x81n, 0],
    [0x1_0000, 0x0n, 0],
    [0x1_0000, 0x1n, 5],
    [1, 0x1n, 0],
  ];
  for (const [mapped, flags, code] of ACCESSES) {
    it(`of a frame mapped 0x${mapped.toString(16)} with flags 0x${flags.toString(16)}: result ${code}`, () => {
      assert.equal(translate(shown(mapped), 3n, flags).output?.[0], code);
    });
  }

  it('ends at a table that is not there, or that the guest cannot read', () => {
    const map = (bench: HypervisorBench, base: bigint, flags: number) => {
      const list = { field: 'source_gpa_page_list', values: [0n] };
      const fields = { target_partition_id: CHILD, target_gpa_base: base, map_flags: flags };
      bench.call('MAP_GPA_PAGES', fields, { reps: 1, list });
    };
    const bench = paged();
    assert.equal(translate(bench, 3n).output?.[0], 4);
    map(bench, 1n, 0x1_0000);
    assert.equal(translate(bench, 3n).output?.[0], 5);
    map(bench, 1n, 1);
    assert.equal(translate(bench, 3n).status, '?');
  });

  it('knows flags of its own', () => {
    assert.equal(translate(shown(), 3n, 0x800n).status, 'INVALID_PARAMETER');
    assert.equal(translate(shown(), 3n, 0x400n).status, '?');
  });

  it('is not known once the guest may have run, or something else is mapped where a table was', () => {
    const ran = shown();
    setControl(ran.context, vpOf(ran), VP.slots.suspend.explicit, 0n);
    assert.deepEqual(ran.state('partition[2].memory[*].content'), []);
    const remapped = shown();
    const fields = { target_partition_id: CHILD, target_gpa_base: 2n };
    remapped.call('UNMAP_GPA_PAGES', fields, { reps: 1 });
    assert.deepEqual(unseen(remapped, 3n), [0x2000n]);
  });
});
