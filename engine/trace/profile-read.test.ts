import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Profile } from './profile.ts';
import { PROFILE_ROWS } from './profile-keys.ts';
import { describeProfile, overlayProfile, parseProfile, parseProfileOverlay } from './profile-read.ts';
import type { Json } from './text/json.ts';

function profileOf(given: Json): Profile {
  const read = parseProfile(given);
  assert.ok('profile' in read, 'problem' in read ? read.problem.message : '');
  return read.profile;
}

test('defaults follow the kernel and the role', () => {
  const plain = profileOf({});
  assert.equal(plain.kernel, 'upstream-7.2');
  assert.equal(plain.role, 'root');
  assert.equal(plain.vmbus, false);
  assert.equal(plain.synicOwnership, 'merged');
  assert.equal(plain.rebootNotifier, 'always');
  const seed = profileOf({ kernel: 'upstream-7.0', role: 'l1vh' });
  assert.equal(seed.vmbus, true);
  assert.equal(seed.synicOwnership, 'before');
  assert.equal(seed.rebootNotifier, 'root-only');
  for (const role of ['l1vh', 'nested-root', 'guest']) assert.equal(profileOf({ role }).vmbus, true);
  for (const role of ['root', 'vtl-host']) assert.equal(profileOf({ role }).vmbus, false);
  assert.equal(profileOf({ role: 'guest', vmbus: false }).vmbus, false);
});

test('each kernel has its own quirks; a list names further ones', () => {
  const on = (given: Json) => Object.values(profileOf(given).quirks).filter((has) => has).length;
  assert.equal(on({}), 9);
  assert.equal(on({ kernel: 'upstream-6.16' }), 7);
  assert.equal(on({ kernel: 'vtl' }), 1);
  assert.equal(on({ kernel: 'rfc2020' }), 0);
  assert.equal(on({ kernel: 'rfc2020', quirks: ['gpap-noop-sets'] }), 1);
  assert.equal(on({ kernel: 'upstream-6.16', quirks: [] }), 7);
});

test('a profile has every key of the table', () => {
  assert.deepEqual(Object.keys(profileOf({})).sort(), PROFILE_ROWS.map((row) => row.key).sort());
});

test('a profile reads back from its own description', () => {
  const profile = profileOf({
    cpus: '0x8',
    cpuid: { '0x40000003': { eax: '0x20', edx: 7 } },
    unknownRegister: 0x87,
    scontrolReset: 1,
    quirks: { 'gpap-noop-sets': false, 'hvcall-setup-size': true },
    pool: { vp: 100 },
    provided: { simp: '0xabcdef' },
    seed: 12,
  });
  assert.equal(profile.cpus, 8);
  assert.equal(profile.unknownRegister, '0x87');
  assert.deepEqual(profile.cpuid.get(0x4000_0003), { eax: 0x20, ebx: 0, ecx: 0, edx: 7 });
  assert.equal(profile.pool.vp, 100);
  assert.equal(profile.pool.partition, 208);
  assert.equal(profile.quirks['gpap-noop-sets'], false);
  assert.equal(profile.quirks['hvcall-setup-size'], true);
  assert.equal(profile.quirks['unmap-after-finalize'], true);
  assert.equal(profile.provided.simp, 0xabcdefn);
  const text = Object.entries(describeProfile(profile)).map(([key, value]) => `"${key}":${value}`);
  assert.deepEqual(profileOf(JSON.parse(`{${text.join(',')}}`)), profile);
});

test('what is wrong is named with its place', () => {
  const wrong: [Json, string, RegExp][] = [
    [{ colour: 1 }, 'colour', /unknown key "colour"; expected one of kernel role/],
    [{ kernel: 'linux' }, 'kernel', /expected upstream-7.2, .* or unknown, found "linux"/],
    [{ cpus: 0 }, 'cpus', /from 1 to 4096/],
    [{ vmbus: 'yes' }, 'vmbus', /true or false/],
    [{ pool: { pages: 1 } }, 'pool.pages', /unknown key "pages"/],
    [{ cpuid: { leaf: {} } }, 'cpuid.leaf', /whole number/],
    [{ quirks: ['gpap-noop-sets', 'none'] }, 'quirks.1', /found "none"/],
    [{ quirks: { none: true } }, 'quirks.none', /found "none"/],
    [{ quirks: { 'gpap-noop-sets': 1 } }, 'quirks.gpap-noop-sets', /true or false/],
    [{ quirks: 'gpap-noop-sets' }, 'quirks', /expected an object/],
    [7, '', /expected an object/],
  ];
  for (const [given, path, message] of wrong) {
    const read = parseProfile(given);
    assert.ok('problem' in read, JSON.stringify(given));
    assert.equal(read.problem.path.join('.'), path);
    assert.match(read.problem.message, message);
  }
});

test('an overlay changes what it names and keeps the rest', () => {
  const overlay = parseProfileOverlay(
    'synicOwnership=merged,cpus=4,pool.vp=100,pool.port=1,vmbus=true,quirks.gpap-noop-sets=false',
  );
  assert.ok('given' in overlay);
  const below = {
    role: 'l1vh',
    cpus: 2,
    pool: { partition: 1, vp: 2 },
    quirks: { 'hvcall-setup-size': true },
  };
  const given = overlayProfile(below, overlay.given);
  const profile = profileOf(given);
  assert.equal(profile.role, 'l1vh');
  assert.equal(profile.cpus, 4);
  assert.equal(profile.synicOwnership, 'merged');
  assert.deepEqual([profile.pool.partition, profile.pool.vp, profile.pool.port], [1, 100, 1]);
  assert.deepEqual([profile.quirks['gpap-noop-sets'], profile.quirks['hvcall-setup-size']], [false, true]);
});

test('an overlay with an unknown key or no value is refused', () => {
  for (const text of ['synic=merged', 'cpus', '', 'pool.vp.x=1', 'quirks=[', 'cpus=1,,role=root'])
    assert.ok('problem' in parseProfileOverlay(text), text);
});
