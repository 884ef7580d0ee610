import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { check } from '../../engine/analysis/check.ts';
import { memorySource } from '../../engine/replay/source.ts';
import { findingToJson } from '../../engine/rules/finding.ts';
import type { LifecycleEvent, TraceEvent } from '../../engine/trace/event.ts';
import { seqOf, timeNs } from '../../engine/trace/position.ts';
import { readProfile } from '../../engine/trace/profile-read.ts';
import { SIDES } from '../../main/cli/sides.ts';

/** The hypervisor tells of migrations, which KVM wants to hear of (TLFS, feature identification). */
const CPUID = { '0x40000003': { eax: '0x2824', ebx: '0x30', edx: '0x100' } };
type Life = Pick<LifecycleEvent, 'what' | 'component' | 'cpu' | 'fail'>;

const CPUS = 3;
/** The boot CPU stays: Linux on x86 cannot take it offline since 6.5. */
const hotplug: fc.Arbitrary<Life> = fc.record({
  what: fc.constantFrom('cpu-offline', 'cpu-online'),
  cpu: fc.integer({ min: 1, max: CPUS - 1 }),
});
const sleep: fc.Arbitrary<Life[]> = fc.constantFrom(
  [],
  [{ what: 'suspend' }, { what: 'resume' }],
  [{ what: 'save' }, { what: 'restore' }],
);
const start = (component: string): Life => ({ what: 'component-start', component });
const stop = (component: string): Life => ({ what: 'component-stop', component });
const failing: fc.Arbitrary<Life> = fc.record({
  what: fc.constant('component-start'),
  component: fc.constant('mshv'),
  fail: fc.constantFrom('simp-map', 'siefp-map', 'sirbp-map', 'cpuhp', 'alloc'),
});

/** VMBus, where there is one, is there before mshv and stays longer; CPUs come and go; perhaps the kernel does. */
const lives: fc.Arbitrary<Life[]> = fc
  .record({
    between: fc.array(fc.oneof(hotplug, failing), { maxLength: 3 }),
    used: fc.array(hotplug, { maxLength: 4 }),
    sleep,
    kvm: fc.boolean(),
    end: fc.constantFrom<'rmmod' | LifecycleEvent['what']>('rmmod', 'kexec', 'reboot', 'crash', 'suspend'),
    again: fc.boolean(),
  })
  .map(({ between, used, sleep, kvm, end, again }) => {
    const before = [start('arch'), start('vmbus'), ...between, start('mshv'), ...(kvm ? [start('kvm')] : [])];
    const once = [...before, ...used, ...sleep, ...used];
    const last: Life[] = end === 'rmmod' ? [stop('mshv'), stop('vmbus')] : [{ what: end }];
    // What sleeps wakes before anything else happens.
    const woken: Life[] = end === 'suspend' ? [{ what: 'resume' }] : [];
    return again ? [...once, ...last, ...woken, ...once, ...last] : [...once, ...last];
  });

const profile = fc.record({
  kernel: fc.constantFrom('upstream-7.2', 'upstream-7.0', 'upstream-6.16'),
  role: fc.constantFrom('root', 'nested-root', 'l1vh', 'guest'),
  rebootNotifier: fc.constantFrom('always', 'root-only'),
  vmbusUnload: fc.constantFrom('answered', 'lost'),
  synicPolicy: fc.constantFrom('permissive', 'strict-transition', 'kvm-like'),
  initial: fc.constantFrom('reset', 'unknown'),
});

function findingsOf(given: Record<string, string | number>, steps: readonly Life[]) {
  const header = { profile: readProfile({ ...given, cpus: CPUS, cpuid: CPUID }), given };
  const events = steps.map((life, index): TraceEvent => {
    const t = timeNs(index * 1_000_000);
    return { ...life, kind: 'lifecycle', seq: seqOf(index + 1), t, provenance: 'authored' };
  });
  return check(memorySource(header, events), SIDES).findings.map(findingToJson);
}

function idOf({ id }: { readonly id: string }): string {
  return id;
}

/** Without its reboot notifier mshv on L1VH leaves the page of its event ring to the next kernel; mid-life nobody knows. */
function leftAt(given: Readonly<Record<string, string>>, steps: readonly Life[]) {
  const { role, rebootNotifier, initial } = given;
  const leaves = role === 'l1vh' && rebootNotifier === 'root-only' && initial === 'reset';
  return leaves && steps.some(({ what }) => what === 'kexec') ? ['R03:mshv:kexec'] : [];
}

test('the kernels with the ownership patch give no finding but for a notifier that is not there, whatever the role and the life cycle', () => {
  fc.assert(
    fc.property(profile, fc.constantFrom('v1', 'v2', 'merged'), lives, (given, synicOwnership, steps) => {
      assert.deepEqual(findingsOf({ ...given, synicOwnership }, steps).map(idOf), leftAt(given, steps));
    }),
    { numRuns: 50 },
  );
});

test('before the patch it is mshv that takes what VMBus switched on, on L1VH and nowhere else', () => {
  let found = 0;
  fc.assert(
    fc.property(profile, lives, (given, steps) => {
      const left = leftAt(given, steps);
      const ids = findingsOf({ ...given, synicOwnership: 'before' }, steps).map(idOf);
      const findings = ids.filter((id) => !left.includes(id));
      assert.equal(ids.length, findings.length + left.length, 'what mshv leaves is found');
      found += findings.length;
      if (findings.length === 0) return;
      assert.deepEqual([given.role, findings], ['l1vh', ['R01:mshv:off:vmbus']]);
    }),
    { numRuns: 50 },
  );
  assert.ok(found > 0);
});
