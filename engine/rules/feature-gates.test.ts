import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readProfile } from '../trace/profile-read.ts';
import { featureGates } from './feature-gates.ts';
import { findingToJson } from './finding.ts';
import { ACTIVE, hypercall, type Line, told } from './told.testing.ts';
import { judge, Traffic } from './traffic.testing.ts';

type Cpuid = Readonly<Record<string, Readonly<Record<string, string>>>>;

function findings(cpuid: Cpuid, ...lines: readonly Line[]) {
  const traffic = told({ role: 'guest' }, lines);
  const profile = readProfile({ kernel: 'unknown', role: 'guest', cpuid });
  const judged = Object.assign(new Traffic(), traffic, { profile });
  return judge(judged, [featureGates]).map(findingToJson);
}
function silent(cpuid: Cpuid, ...lines: readonly Line[]): void {
  assert.deepEqual(findings(cpuid, ...lines), []);
}

const flush = (status: string): Line =>
  hypercall('FLUSH_GUEST_PHYSICAL_ADDRESS_SPACE', {}, { component: 'guest', status });
const NESTED = { '0x4000000a': { eax: '0x40000' } };

test('a hypercall that is offered is refused', () => {
  const [finding] = findings(NESTED, flush('INVALID_HYPERCALL_CODE'));
  assert.equal(finding?.severity, 'error');
  assert.equal(finding?.culprit.component, 'hypervisor');
  silent(NESTED, flush('SUCCESS'));
  silent(NESTED, flush('INVALID_PARAMETER'));
  silent({}, flush('INVALID_HYPERCALL_CODE'));
});

const access = (dir: string, msr: string, extra: object = {}): Line => ({
  kind: 'msr',
  dir,
  component: 'guest',
  msr,
  value: '0x1',
  fault: true,
  ...extra,
});

test('what is not offered is used: a warning to who uses it', () => {
  const [finding] = findings({ '0x4000000a': {} }, flush('ACCESS_DENIED'));
  assert.deepEqual([finding?.severity, finding?.culprit.component], ['warning', 'guest']);
  const features = (eax: string) => ({ '0x40000003': { eax } });
  assert.equal(findings(features('0x0'), access('write', 'SINT2')).length, 1);
  silent(features('0x4'), access('write', 'SINT2'));
  silent(features('0x0'), access('write', 'SINT2', { fault: false }));
});

const ofVp = { vp: '2.0' };
const told1 = (ecx: string): Line =>
  hypercall('REGISTER_INTERCEPT_RESULT', {
    partition_id: 2,
    intercept_type: 'HV_INTERCEPT_TYPE_X64_CPUID',
    parameters: { cpuid: { input: { eax: 1 }, result: { ecx } } },
  });

test('a VMM offers a timer mode that the hypervisor refuses', () => {
  const deadline = access('write', '0x832', { ...ofVp, value: '0x400ec' });
  const [finding] = findings({}, told1('0x1000000'), deadline);
  assert.deepEqual(finding?.culprit, { at: '1', component: 'mshv' });
  silent({}, told1('0x1000000'), access('write', '0x832', { ...ofVp, value: '0x200ec' }));
  silent({}, deadline);
});

test('an MSR that the hypervisor does not implement is read under the default policy: a hint', () => {
  const read = (msr = '0xc0010015') => access('read', msr, ofVp);
  const policy = (value: number): Line =>
    hypercall('SET_PARTITION_PROPERTY', {
      partition_id: 2,
      property_code: 'UNIMPLEMENTED_MSR_ACTION',
      property_value: value,
    });
  assert.equal(findings({}, ...ACTIVE, read(), read('0xc0010016'))[0]?.severity, 'info');
  silent({}, ...ACTIVE, policy(1), read());
  assert.equal(findings({}, ...ACTIVE, policy(0), read()).length, 1);
  silent({}, read());
  silent({}, ...ACTIVE, read('0x40000084'));
});
