import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeControl, hypercalls } from '../abi/index.ts';
import { hypercallWithoutInterface } from './hypercall-without-interface.ts';
import { identityFirst } from './identity-first.ts';
import { judging, Traffic } from './traffic.testing.ts';

const { only, silent } = judging([identityFirst, hypercallWithoutInterface]);
const PAGE = 0x5000_001n;
const IDENTITY = 0x8100n << 48n;
const control = encodeControl({ code: hypercalls.number('HVCALL_SIGNAL_EVENT') });
const OK = { status: 0, reps: 0 };

function up(extra: object = {}, given: Record<string, string> = {}): Traffic {
  const traffic = new Traffic({ role: 'guest', ...given });
  return traffic.write('arch', 0, 'GUEST_OS_ID', IDENTITY, extra).write('arch', 0, 'HYPERCALL', PAGE, extra);
}

function down(traffic: Traffic, extra: object = {}): Traffic {
  return traffic.write('arch', 0, 'GUEST_OS_ID', 0n, extra).write('arch', 0, 'HYPERCALL', PAGE - 1n, extra);
}

function call(traffic: Traffic, extra: object = {}): Traffic {
  return traffic.add({ kind: 'hypercall', cpu: 0, component: 'vmbus', control, result: OK, ...extra });
}

test('a hypercall after the page was switched off: the caller, with who switched it off in the proof', () => {
  assert.deepEqual(only(call(call(down(up())))), {
    id: 'R04:vmbus:after:arch',
    rule: 'R04',
    severity: 'error',
    title: 'vmbus makes hypercalls (HVCALL_SIGNAL_EVENT) after arch switched the hypercall page off',
    at: '5',
    culprit: { at: '5', component: 'vmbus' },
    evidence: ['3', '5'],
    cells: ['cpu[0].msr[0x40000001]'],
    fix: 'let arch clear HYPERCALL and GUEST_OS_ID after the last hypercall of vmbus',
  });
  // The identity alone takes the page with it.
  assert.equal(only(call(up().write('arch', 0, 'GUEST_OS_ID', 0n))).rule, 'R04');
  silent(down(call(up())));
  silent(call(up(), {}));
});

test('enabled again before the call: silent', () => {
  const again = down(up()).write('arch', 0, 'GUEST_OS_ID', IDENTITY);
  only(call(again));
  const whole = down(up()).write('arch', 0, 'GUEST_OS_ID', IDENTITY).write('arch', 0, 'HYPERCALL', PAGE);
  silent(call(whole));
});

test('another partition and another VTL have a page of their own', () => {
  const vp = { partition: 2n, vp: 0 };
  silent(call(down(up()), { vp, component: 'guest' }));
  silent(call(down(up({ vp }), { vp })));
  const finding = only(call(down(up({ vp }), { vp }), { vp: { partition: 2n, vp: 1 }, component: 'guest' }));
  assert.deepEqual([finding.partition, finding.vp, finding.culprit.component], ['2', 0, 'guest']);
  silent(call(down(up()), { vtl: 2 }));
});

test('a caller that looked first has not called', () => {
  silent(call(down(up()), { result: { status: 0xffff, reps: 0xfff } }));
});

test('after the kernel has gone, and where nobody switched it off: silent', () => {
  const handed = down(up().life('kexec')).life('kexec', { phase: 'end', ret: 0 });
  silent(call(handed));
  silent(call(new Traffic({ role: 'guest' })));
  silent(call(new Traffic({ initial: 'unknown' })));
  silent(call(down(up()).add({ kind: 'mark', what: 'gap', lost: 1 })));
});

test('the page before the identity: what fails because of it is part of the proof', () => {
  const wrong = () =>
    new Traffic({ role: 'guest' })
      .write('arch', 0, 'HYPERCALL', PAGE)
      .write('arch', 0, 'GUEST_OS_ID', IDENTITY);
  const finding = only(call(wrong()));
  assert.deepEqual([finding.id, finding.at, finding.evidence], ['R31:arch', '1', ['1', '3']]);
  only(down(up()).write('arch', 0, 'HYPERCALL', PAGE));
});

test('no identity in the trace, no enable bit, or a recording that began mid-life: silent', () => {
  silent(new Traffic({ role: 'guest' }).write('arch', 0, 'HYPERCALL', PAGE));
  silent(down(up()));
  silent(
    new Traffic({ initial: 'unknown' })
      .write('arch', 0, 'HYPERCALL', PAGE)
      .write('arch', 0, 'GUEST_OS_ID', 1n),
  );
});
