import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JsonObject } from '../trace/text/json.ts';
import { activeChild, type HypervisorBench } from './bench.testing.ts';
import { PROPERTY } from './cells/partition.ts';
import { cellAt } from './cells/place.ts';
import { guestCpuid } from './intercept/results.ts';
import { propertyCode } from './partition/property-rules.ts';
import { vpOfRef } from './vp/find.ts';

const CHILD = 2n;
const NOTHING = { eax: 0, ebx: 0, ecx: 0, edx: 0 };

describe('CPUID of a guest', () => {
  const vpOf = (bench: HypervisorBench) =>
    vpOfRef(bench.context, { partition: CHILD, vp: 0 }) ?? assert.fail('no VP');
  const seen = (bench: HypervisorBench, leaf: number) => guestCpuid(bench.context, vpOf(bench), leaf, 0);
  const made = (features: bigint, given: JsonObject = {}) => {
    const bench = activeChild(given);
    const { store } = bench.context;
    const property = store.create(
      store.parent(vpOf(bench)),
      PROPERTY,
      propertyCode('SYNTHETIC_PROC_FEATURES'),
    );
    store.set(cellAt(property, PROPERTY.slots.value), features);
    return bench;
  };
  const HYPERVISOR = 0x8000_0000;

  it('has no hypervisor where its parent gave it none', () => {
    const bench = activeChild({ cpuid: { '0x1': { ecx: '0x1' } } });
    assert.deepEqual(seen(bench, 1), { ...NOTHING, ecx: 1 });
    assert.deepEqual(seen(bench, 0x4000_0000), NOTHING);
  });

  it('has the leaves of the hypervisor by the features that it was made with', () => {
    // What QEMU's accel/mshv asks for.
    const bench = made(0x640_0ffbn, { cpuid: { '0x1': { ecx: '0x1' } } });
    assert.deepEqual(seen(bench, 1), { ...NOTHING, ecx: HYPERVISOR + 1 });
    const { eax, ...vendor } = seen(bench, 0x4000_0000);
    assert.equal(eax, 0x4000_0006);
    const text = Buffer.from(Uint32Array.of(vendor.ebx, vendor.ecx, vendor.edx).buffer).toString('latin1');
    assert.equal(text, 'Microsoft Hv');
    assert.equal(seen(bench, 0x4000_0001).eax, 0x3123_7648);
    // TLFS, leaf 0x40000003: all rights from the reference counter on but that of VP_RUNTIME; idle, frequencies, direct timers.
    assert.deepEqual(seen(bench, 0x4000_0003), { eax: 0xe7e, ebx: 0, ecx: 0, edx: 0x8_0120 });
    // IPIs, relaxed timing, and no remote flushes; spin locks are never told of.
    assert.deepEqual(seen(bench, 0x4000_0004), { eax: 0x420, ebx: 0xffff_ffff, ecx: 0, edx: 0 });
    assert.deepEqual(seen(bench, 0x4000_0005), { eax: 2048, ebx: 2048, ecx: 0, edx: 0 });
    assert.deepEqual(seen(bench, 0x4000_0007), NOTHING);
  });

  it('has two leaves of a hypervisor that hides its interface', () => {
    const bench = made(1n);
    assert.equal(seen(bench, 0x4000_0000).eax, 0x4000_0001);
    assert.deepEqual(seen(bench, 0x4000_0001), NOTHING);
    assert.deepEqual(seen(bench, 0x4000_0003), NOTHING);
  });

  it('tells the version that the profile says', () => {
    assert.equal(seen(made(3n), 0x4000_0002).eax, 27744);
    assert.equal(seen(made(3n, { cpuid: { '0x40000002': { eax: 27751 } } }), 0x4000_0002).eax, 27751);
  });
});
