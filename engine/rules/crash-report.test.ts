import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crashReport } from './crash-report.ts';
import { judging, Traffic } from './traffic.testing.ts';

const { only, silent } = judging([crashReport]);
const NOTIFY = 1n << 63n;
const MESSAGE = 1n << 62n;

function parameters(traffic: Traffic, address = 0x7000_000n, length = 0x200n): Traffic {
  for (const [n, value] of [1n, 2n, 3n, address, length].entries())
    traffic.write('arch', 0, `CRASH_P${n}`, value);
  return traffic;
}

function report(traffic: Traffic, value = NOTIFY | MESSAGE): Traffic {
  return traffic.write('arch', 0, 'CRASH_CTL', value);
}

const guest = (given = {}) => new Traffic({ role: 'guest', ...given });

test('a message of up to a page: silent; longer: found, with its length', () => {
  silent(report(parameters(guest(), 0x7000_000n, 0x1000n)));
  const finding = only(report(parameters(guest(), 0x7000_000n, 0x1001n)));
  assert.deepEqual([finding.id, finding.at, finding.evidence], ['R29:arch:length', '6', ['5', '6']]);
  assert.match(finding.title, /^arch reports a crash with a message that is longer than a page$/);
});

test('without the message bit address and length are plain data', () => {
  silent(report(parameters(guest(), 1n << 60n, 1n << 60n), NOTIFY));
  assert.equal(only(report(parameters(guest(), 1n << 60n))).id, 'R29:arch:address');
});

test('only bits that CRASH_CTL shows', () => {
  const asked = (supported: bigint) => parameters(guest().read('arch', 0, 'CRASH_CTL', supported));
  silent(report(asked(NOTIFY | MESSAGE)));
  assert.equal(only(report(asked(NOTIFY))).id, 'R29:arch:bits');
  assert.equal(only(report(parameters(guest()), NOTIFY | 1n)).id, 'R29:arch:bits');
  silent(parameters(guest()).write('arch', 0, 'CRASH_CTL', MESSAGE | 1n));
});

test('parameters first', () => {
  assert.equal(only(report(guest())).id, 'R29:arch:empty');
  silent(report(guest({ initial: 'unknown' })));
  silent(report(guest().add({ kind: 'mark', what: 'gap', lost: 1 })));
  const late = report(parameters(guest())).write('arch', 0, 'CRASH_P0', 7n);
  assert.equal(only(late).id, 'R29:arch:late');
  silent(report(parameters(report(parameters(guest())))));
  // Each partition reports for itself.
  const other = { vp: { partition: 2n, vp: 0 } };
  silent(report(parameters(guest())).write('guest', 0, 'CRASH_P0', 7n, other));
});

test('who reports is still known', () => {
  const gone = parameters(guest().write('arch', 0, 'GUEST_OS_ID', 0n));
  assert.equal(only(report(gone)).id, 'R29:arch:identity');
  silent(report(parameters(guest().write('arch', 0, 'GUEST_OS_ID', 1n))));
  silent(report(parameters(guest())).write('arch', 0, 'GUEST_OS_ID', 0n));
});
