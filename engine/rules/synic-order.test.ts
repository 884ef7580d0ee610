import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sharedOwnership } from './shared-ownership.ts';
import { synicOrder } from './synic-order.ts';
import {
  AS_INTERCEPT,
  judging,
  MASKED,
  mshvDown,
  mshvUp,
  Traffic,
  UNMASKED,
  vmbusDown,
  vmbusUp,
} from './traffic.testing.ts';

const { only, silent } = judging([sharedOwnership, synicOrder]);

/** `timer` alone on a SynIC: SIMP, SINT3, SCONTROL. */
function timerUp(traffic = new Traffic()): Traffic {
  return traffic
    .write('timer', 0, 'SIMP', 0x1001n)
    .write('timer', 0, 'SINT3', UNMASKED)
    .write('timer', 0, 'SCONTROL', 1n);
}

test('SCONTROL cleared before the SINT is masked', () => {
  const traffic = timerUp().write('timer', 0, 'SCONTROL', 0n);
  silent(traffic);
  traffic.write('timer', 0, 'SINT3', MASKED).write('timer', 0, 'SIMP', 0n);
  assert.deepEqual(only(traffic), {
    id: 'R02:timer:tear-down',
    rule: 'R02',
    severity: 'error',
    title: 'timer clears SCONTROL and masks SINT3 afterwards',
    at: '5',
    culprit: { at: '4', component: 'timer' },
    evidence: ['1', '2', '4', '5', '6'],
    cells: ['cpu[0].synic.scontrol', 'cpu[0].synic.sint[3]', 'cpu[0].synic.simp'],
    cpus: [0],
    fix: 'let timer mask its SINTs and disable its pages first, clear SCONTROL last',
  });
});

test('masked, pages off, SCONTROL last: silent', () => {
  const down = (traffic: Traffic) => traffic.write('timer', 0, 'SINT3', MASKED).write('timer', 0, 'SIMP', 0n);
  silent(down(timerUp()).write('timer', 0, 'SCONTROL', 0n));
  silent(down(timerUp()));
});

test('the refused write of a component that switched its SynIC off itself is its own fault', () => {
  const traffic = timerUp().write('timer', 0, 'SCONTROL', 0n);
  const finding = only(traffic.write('timer', 0, 'SINT3', MASKED, { fault: true }));
  assert.equal(finding.culprit.at, '4');
});

test('EOM after SCONTROL went to 0', () => {
  silent(timerUp().write('timer', 0, 'EOM', 0n));
  const finding = only(timerUp().write('timer', 0, 'SCONTROL', 0n).write('timer', 0, 'EOM', 0n));
  assert.match(finding.title, /writes EOM afterwards$/);
  silent(
    timerUp()
      .write('timer', 0, 'SCONTROL', 0n)
      .write('timer', 0, 'SCONTROL', 1n)
      .write('timer', 0, 'EOM', 0n),
  );
});

test('another component’s SCONTROL: who cleared its own is not to blame, who waits is not either', () => {
  const both = () => mshvUp(vmbusUp(new Traffic(), 0), 0);
  silent(mshvDown(vmbusDown(both(), 0), 0));
  silent(mshvDown(vmbusDown(both().life('component-stop', { component: 'vmbus' }), 0), 0));
});

test('late writes to a SynIC that another switched off belong to R01', () => {
  const traffic = timerUp().write('mshv', 0, 'SCONTROL', 0n).write('timer', 0, 'SINT3', MASKED);
  const finding = only(traffic);
  assert.equal(finding.id, 'R01:mshv:off:timer');
  assert.deepEqual(finding.evidence, ['2', '3', '4', '5']);
});

test('a page that goes while its SINT is live', () => {
  const finding = only(timerUp().write('timer', 0, 'SIMP', 0n).write('timer', 0, 'SINT3', MASKED));
  assert.deepEqual(finding.culprit, { at: '4', component: 'timer' });
  assert.equal(finding.severity, 'warning');
  assert.match(finding.title, /^timer disables SIMP while its SINT3 is live$/);
  assert.deepEqual(finding.evidence, ['1', '2', '4']);
});

test('the event ring page is for SINTs set as intercept alone', () => {
  const up = (sint: bigint) => timerUp().write('timer', 0, 'SIRBP', 0x3001n).write('timer', 0, 'SINT5', sint);
  silent(up(UNMASKED).write('timer', 0, 'SIRBP', 0n));
  assert.match(
    only(up(UNMASKED | AS_INTERCEPT).write('timer', 0, 'SIRBP', 0n)).title,
    /SIRBP while its SINT5 is/,
  );
  assert.match(
    only(timerUp().write('timer', 0, 'SINT5', UNMASKED | AS_INTERCEPT)).title,
    /SINT5 live while SIRBP is off$/,
  );
});

test('a SINT that goes live with no page enabled, by unmasking or by SCONTROL', () => {
  const unmask = new Traffic().write('timer', 0, 'SCONTROL', 1n).write('timer', 0, 'SINT3', UNMASKED);
  assert.deepEqual(only(unmask), {
    id: 'R02:timer:bring-up',
    rule: 'R02',
    severity: 'warning',
    title: 'timer makes SINT3 live while SIMP and SIEFP are off',
    at: '2',
    culprit: { at: '2', component: 'timer' },
    evidence: ['1', '2'],
    cells: ['cpu[0].synic.sint[3]', 'cpu[0].synic.simp', 'cpu[0].synic.siefp'],
    cpus: [0],
    fix: 'let timer enable SIMP or SIEFP before SINT3 is unmasked with SCONTROL on',
  });
  const enable = new Traffic().write('timer', 0, 'SINT3', UNMASKED);
  silent(enable);
  assert.equal(only(enable.write('timer', 0, 'SCONTROL', 1n)).culprit.at, '2');
});

test('which of unmasking and SCONTROL comes first is free; one page is enough', () => {
  const pages = () => new Traffic().write('timer', 0, 'SIEFP', 0x1001n);
  silent(pages().write('timer', 0, 'SINT3', UNMASKED).write('timer', 0, 'SCONTROL', 1n));
  silent(pages().write('timer', 0, 'SCONTROL', 1n).write('timer', 0, 'SINT3', UNMASKED));
});

test('a SINT made live without its page because another took the page belongs to R01', () => {
  const traffic = timerUp().write('timer', 0, 'SINT3', MASKED).write('mshv', 0, 'SIMP', 0n);
  const finding = only(traffic.write('timer', 0, 'SINT3', UNMASKED));
  assert.equal(finding.id, 'R01:mshv:off:timer');
  assert.deepEqual(finding.evidence, ['1', '5', '6']);
});

test('a SynIC that went down comes up again: silent', () => {
  silent(vmbusDown(vmbusUp(vmbusDown(vmbusUp(new Traffic(), 0), 0), 0), 0));
  silent(mshvDown(mshvUp(mshvDown(mshvUp(new Traffic({ role: 'root' }), 0), 0), 0), 0));
});

test('unknown at the start, or after another kernel: silent', () => {
  const unknown = new Traffic({ initial: 'unknown' });
  silent(unknown.write('timer', 0, 'SCONTROL', 0n).write('timer', 0, 'SINT3', MASKED));
  const next = timerUp().write('timer', 0, 'SCONTROL', 0n).life('kexec', { phase: 'end' });
  silent(next.write('timer', 0, 'SINT3', MASKED).write('timer', 0, 'SIMP', 0n));
});

test('one wrong order on many CPUs is one finding', () => {
  const traffic = new Traffic();
  for (const cpu of [0, 3]) {
    traffic.write('timer', cpu, 'SIMP', 0x1001n).write('timer', cpu, 'SINT3', UNMASKED);
    traffic.write('timer', cpu, 'SCONTROL', 1n).write('timer', cpu, 'SCONTROL', 0n);
    traffic.write('timer', cpu, 'SINT3', MASKED);
  }
  assert.deepEqual(only(traffic).cpus, [0, 3]);
});
