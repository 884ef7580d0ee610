import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pageOutlivesOwner } from './page-outlives-owner.ts';
import { judging, mshvUp, Traffic, vmbusDown, vmbusUp } from './traffic.testing.ts';

const { only, silent } = judging([pageOutlivesOwner]);
const END = { phase: 'end', ret: 0 } as const;
const ASSIST = 0x5000_001n;

test('a kernel hands over with pages on: one finding for each component, on all CPUs', () => {
  const traffic = new Traffic({ role: 'guest' });
  traffic.write('arch', 0, 'VP_ASSIST_PAGE', ASSIST).write('arch', 1, 'VP_ASSIST_PAGE', ASSIST + 0x1000n);
  traffic.write('arch', 0, 'GUEST_OS_ID', 1n).write('arch', 0, 'HYPERCALL', 0x7000_001n);
  traffic.life('kexec').write('arch', 0, 'HYPERCALL', 0x7000_000n).life('kexec', END);
  traffic.write('arch', 0, 'VP_ASSIST_PAGE', 0x9000_001n).life('kexec').life('kexec', END);
  assert.deepEqual(only(traffic), {
    id: 'R03:arch:kexec',
    rule: 'R03',
    severity: 'error',
    title: 'VP_ASSIST_PAGE is still enabled after the kernel handed over to the next one',
    at: '7',
    culprit: { at: '7', component: 'arch' },
    evidence: ['1', '2', '7', '10'],
    cells: ['cpu[0].msr[0x40000073]', 'cpu[1].msr[0x40000073]'],
    cpus: [0, 1],
    fix: 'let arch disable VP_ASSIST_PAGE on every CPU before the next kernel runs',
  });
});

test('pages that are off at the hand-over, and a hand-over that fails: silent', () => {
  const up = () => vmbusUp(new Traffic(), 0).life('kexec');
  silent(vmbusDown(up(), 0).life('kexec', END));
  silent(up().life('kexec', { phase: 'end', ret: -16 }));
  assert.equal(only(up().life('kexec', END)).id, 'R03:vmbus:kexec');
  // GUEST_OS_ID = 0 takes the hypercall page with it.
  const identity = new Traffic().write('arch', 0, 'GUEST_OS_ID', 1n).write('arch', 0, 'HYPERCALL', ASSIST);
  silent(identity.write('arch', 0, 'GUEST_OS_ID', 0n).life('kexec', END));
});

test('a hand-over in one event lasts until what comes next', () => {
  const handOver = () => vmbusUp(new Traffic(), 0).life('kexec');
  assert.equal(only(handOver()).at, '5');
  silent(vmbusDown(handOver(), 0));
  // The next kernel's own.
  silent(vmbusUp(vmbusDown(handOver(), 0), 0));
  assert.equal(only(vmbusUp(handOver(), 0)).at, '5');
  assert.equal(only(handOver().life('component-start', { component: 'vmbus' })).at, '5');
});

test('a start that fails has disabled what it enabled, and that alone', () => {
  const start = () => vmbusUp(new Traffic().life('component-start', { component: 'vmbus' }), 0);
  const failed = { component: 'vmbus', phase: 'end', ret: -110 } as const;
  assert.equal(only(start().life('component-start', failed)).id, 'R03:vmbus:failed-start');
  silent(vmbusDown(start(), 0).life('component-start', failed));
  silent(start().life('component-start', { ...failed, ret: 0 }));
  silent(start().life('component-start', { ...failed, component: 'mshv' }));
  const before = vmbusUp(new Traffic(), 0).life('component-start', { component: 'vmbus' });
  silent(before.life('component-start', { ...failed, ret: -17 }));
});

test('a component that stops leaves nothing of its own; what another enabled first is not its own', () => {
  const stop = { component: 'mshv', phase: 'end', ret: 0 } as const;
  const both = () => mshvUp(vmbusUp(new Traffic(), 0), 0).life('component-stop', { component: 'mshv' });
  const finding = only(both().life('component-stop', stop));
  assert.deepEqual([finding.id, finding.cells], ['R03:mshv:stop', ['cpu[0].synic.sirbp']]);
  silent(both().write('mshv', 0, 'SIRBP', 0n).life('component-stop', stop));
  silent(both().life('component-stop', { ...stop, ret: -16 }));
  const elsewhere = mshvUp(vmbusUp(new Traffic(), 0), 0).life('component-stop', {
    component: 'mshv',
    cpu: 3,
  });
  silent(elsewhere.life('component-stop', { ...stop, cpu: 3 }));
});

test('a root leaves pages of the hypervisor: a warning', () => {
  const traffic = vmbusUp(new Traffic({ role: 'root' }), 0)
    .life('kexec')
    .life('kexec', END);
  assert.equal(only(traffic).severity, 'warning');
});

test('a crash leaves the pages of other CPUs, but not messages in their slots', () => {
  const message = (traffic: Traffic, what: string, cpu: number) =>
    traffic.add({ kind: 'message', what, cpu, sint: 2 });
  const up = () => vmbusUp(vmbusUp(new Traffic(), 0), 1);
  const crash = (traffic: Traffic) =>
    message(message(traffic.life('crash', { cpu: 0 }), 'deliver', 0), 'clear', 0).life('crash', {
      ...END,
      cpu: 0,
    });
  silent(crash(up()));
  const finding = only(crash(message(up(), 'deliver', 1)));
  assert.deepEqual([finding.id, finding.cpus], ['R03:vmbus:slots', [1]]);
  silent(crash(message(message(up(), 'deliver', 1), 'clear', 1)));
  silent(crash(message(up(), 'deliver', 1).write('vmbus', 1, 'SIMP', 0n)));
  // A slot that was filled was that of a page, whoever enabled it.
  const messages = () =>
    message(
      message(message(new Traffic().read('arch', 0, 'VP_INDEX', 0n), 'deliver', 0), 'clear', 0),
      'deliver',
      1,
    ).life('kexec');
  assert.equal(only(messages().life('kexec', END)).id, 'R03:unknown:slots');
  silent(messages().write('vmbus', 1, 'SIMP', 0n).life('kexec', END));
  // Emptied slots are not recorded at all.
  silent(message(up(), 'deliver', 1).life('crash').life('crash', END));
});

test('a restored image writes its own pages; a suspend keeps the kernel', () => {
  const resumer = () =>
    new Traffic({ role: 'guest' }).write('arch', 0, 'VP_ASSIST_PAGE', ASSIST).life('restore');
  assert.equal(only(resumer().life('restore', END)).id, 'R03:arch:image-switch');
  silent(resumer().write('arch', 0, 'VP_ASSIST_PAGE', 0x9000_001n).life('restore', END));
  // Enabled by the image itself, before it was saved.
  const saved = new Traffic().write('mshv', 0, 'SIRBP', ASSIST).life('save').life('save', END);
  silent(saved.life('restore').life('restore', END));
  const slept = () => vmbusUp(new Traffic(), 0).life('suspend').life('suspend', END);
  silent(slept());
  silent(slept().life('resume').life('resume', END));
  const other = slept().write('arch', 0, 'VP_ASSIST_PAGE', ASSIST).life('resume');
  assert.equal(only(other.life('resume', END)).id, 'R03:arch:image-switch');
});

test('memory is freed while the hypervisor has it', () => {
  const free = (extra: object) =>
    vmbusUp(new Traffic(), 0).add({ kind: 'page', what: 'free', component: 'vmbus', ...extra });
  assert.equal(only(free({ page: 'ram', gpa: 0x1000_000n })).id, 'R03:vmbus:free');
  assert.deepEqual(only(free({ page: 'simp', cpu: 0 })).cells, ['cpu[0].synic.simp']);
  silent(free({ page: 'simp', cpu: 1 }));
  silent(free({ page: 'ram', gpa: 0x3000_000n }));
  silent(free({ page: 'ram', gpa: 0x1000_000n, what: 'snapshot' }));
  silent(free({ page: 'ram', gpa: 0x1000_000n, vp: { partition: 2n, vp: 0 } }));
});

test('what nobody in the trace enabled, and what is behind a gap: silent', () => {
  const known = new Traffic({ initial: 'unknown' });
  silent(known.read('arch', 0, 'VP_ASSIST_PAGE', ASSIST).life('kexec').life('kexec', END));
  const gap = vmbusUp(new Traffic(), 0).add({ kind: 'mark', what: 'gap', lost: 3 });
  silent(gap.life('kexec').life('kexec', END));
  silent(vmbusUp(new Traffic(), 0).life('reboot').life('reboot', END).life('kexec').life('kexec', END));
});
