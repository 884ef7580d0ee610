import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sharedOwnership } from './shared-ownership.ts';
import { synicOrder } from './synic-order.ts';
import {
  judge,
  judging,
  MASKED,
  mshvDown,
  mshvOwnDown,
  mshvUp,
  Traffic,
  UNMASKED,
  vmbusDown,
  vmbusUp,
} from './traffic.testing.ts';

const { only, silent } = judging([sharedOwnership, synicOrder]);

test('mshv tears down what VMBus switched on: one finding with cause, proof, cells and fix', () => {
  const traffic = new Traffic();
  vmbusUp(traffic, 0); // 1 SIMP, 2 SIEFP, 3 SINT2, 4 SCONTROL
  mshvUp(traffic, 0); // 5 to 10
  traffic.life('kexec'); // 11
  mshvDown(traffic, 0); // 12 SINT0, 13 SINT5, 14 SIRBP, 15 SIEFP, 16 SIMP, 17 SCONTROL
  vmbusDown(traffic, 0, { fault: true }); // 18 SINT2, 19 SIMP, 20 SIEFP, 21 SCONTROL
  assert.deepEqual(only(traffic), {
    id: 'R01:mshv:off:vmbus',
    rule: 'R01',
    severity: 'error',
    title:
      'mshv switches off SIEFP, SIMP and SCONTROL, which vmbus switched on and still uses (SINT2 unmasked)',
    at: '15',
    culprit: { at: '15', component: 'mshv' },
    evidence: ['1', '2', '3', '4', '15', '16', '17', '18', '19', '20', '21'],
    cells: ['cpu[0].synic.siefp', 'cpu[0].synic.simp', 'cpu[0].synic.scontrol'],
    cpus: [0],
    fix: 'let mshv write SIEFP, SIMP and SCONTROL only where its own write switched them on; here vmbus did',
  });
});

test('all CPUs and repetitions of one mistake are one finding', () => {
  const traffic = new Traffic();
  for (const cpu of [0, 1, 2]) mshvUp(vmbusUp(traffic, cpu), cpu);
  for (const cpu of [2, 0, 1]) {
    traffic.life('cpu-offline', { cpu, phase: 'begin' });
    vmbusDown(mshvDown(traffic, cpu), cpu).life('cpu-offline', { cpu, phase: 'end', ret: 0 });
  }
  const first = only(traffic);
  assert.deepEqual(first.cpus, [0, 1, 2]);
  assert.equal(first.cells.length, 9);
  vmbusDown(mshvDown(mshvUp(vmbusUp(traffic, 0), 0), 0), 0);
  assert.deepEqual(only(traffic), first);
});

test('after the patch mshv leaves them alone: silent', () => {
  const traffic = vmbusUp(new Traffic(), 0);
  traffic.write('mshv', 0, 'SIRBP', 0x3000_001n).write('mshv', 0, 'SINT0', UNMASKED);
  silent(vmbusDown(mshvOwnDown(traffic, 0), 0));
});

test('who switched everything on tears everything down: silent', () => {
  silent(mshvDown(mshvUp(new Traffic({ role: 'root' }), 0), 0));
});

test('redundant enables are harmless, and make no new owner', () => {
  silent(mshvOwnDown(mshvUp(vmbusUp(new Traffic(), 0), 0), 0));
  const late = mshvUp(vmbusUp(new Traffic(), 0), 0);
  vmbusDown(late, 0);
  silent(mshvDown(late, 0));
});

test('roles swapped: VMBus disables the SIRBP of mshv', () => {
  const traffic = mshvUp(vmbusUp(new Traffic(), 0), 0);
  traffic.write('vmbus', 0, 'SIRBP', 0n);
  const finding = only(traffic);
  assert.deepEqual(finding.culprit, { at: '11', component: 'vmbus' });
  assert.equal(finding.severity, 'error');
  assert.deepEqual(finding.evidence, ['7', '8', '9', '11']);
  assert.match(finding.title, /^vmbus switches off SIRBP, which mshv .* \(SINT0 and SINT5 unmasked\)$/);
});

test('a SINT of any component is shared too: masked, or re-programmed', () => {
  const up = () => vmbusUp(new Traffic(), 0).write('timer', 0, 'SINT3', 0xecn);
  assert.deepEqual(only(up().write('mshv', 0, 'SINT3', 0x1_00ecn)).culprit, { at: '6', component: 'mshv' });
  assert.equal(only(up().write('mshv', 0, 'SINT3', 0xedn)).id, 'R01:mshv:re-program:timer');
  silent(up().write('mshv', 0, 'SINT3', 0xecn));
  silent(up().write('timer', 0, 'SINT3', 0x1_00ecn));
});

test('moving the page of another is found, keeping its place is not', () => {
  const up = () => vmbusUp(new Traffic(), 0);
  const finding = only(up().write('mshv', 0, 'SIMP', 0x7000_001n));
  assert.equal(finding.id, 'R01:mshv:move:vmbus');
  assert.match(finding.title, /^mshv moves SIMP/);
  silent(up().write('mshv', 0, 'SIMP', 0x1000_001n));
  silent(up().write('vmbus', 0, 'SIMP', 0x7000_001n));
});

test('a CPU is a SynIC of its own, and so is a nested one', () => {
  const traffic = new Traffic();
  for (let cpu = 0; cpu < 8; cpu++) mshvUp(vmbusUp(traffic, cpu), cpu);
  traffic.write('mshv', 5, 'SIMP', 0n);
  assert.deepEqual(only(traffic).cpus, [5]);
  assert.deepEqual(only(traffic).cells, ['cpu[5].synic.simp']);
  const nested = new Traffic({ role: 'nested-root' });
  nested.add({
    kind: 'msr',
    dir: 'write',
    msr: 0x4000_1083,
    value: 0x1001n,
    cpu: 0,
    component: 'vmbus',
  });
  silent(nested.write('mshv', 0, 'SIMP', 0n));
  silent(vmbusUp(new Traffic(), 0).write('guest', 0, 'SIMP', 0n, { vp: { partition: 2n, vp: 0 } }));
});

test('nothing in use and nothing written afterwards: a warning', () => {
  const traffic = new Traffic().write('vmbus', 0, 'SIMP', 0x1001n).write('mshv', 0, 'SIMP', 0n);
  const finding = only(traffic);
  assert.equal(finding.severity, 'warning');
  assert.match(finding.title, /has not released$/);
  assert.equal(only(traffic.write('vmbus', 0, 'SIEFP', 0x2001n)).severity, 'error');
});

test('the owner has gone: silent; it refuses to go: found', () => {
  const up = () => vmbusUp(new Traffic(), 0);
  const stop = { component: 'vmbus', phase: 'end' } as const;
  silent(
    up()
      .life('component-stop', { ...stop, ret: 0 })
      .write('mshv', 0, 'SIMP', 0n),
  );
  only(
    up()
      .life('component-stop', { ...stop, ret: -16 })
      .write('mshv', 0, 'SIMP', 0n),
  );
  only(
    up()
      .life('component-stop', { ...stop, component: 'timer', ret: 0 })
      .write('mshv', 0, 'SIMP', 0n),
  );
  const start = () => new Traffic().life('component-start', { component: 'vmbus' });
  const failed = vmbusUp(start(), 0).life('component-start', { ...stop, ret: -110 });
  silent(failed.write('mshv', 0, 'SIMP', 0n));
  const twice = vmbusUp(start(), 0).life('component-start', { component: 'vmbus' });
  only(twice.life('component-start', { ...stop, ret: -17 }).write('mshv', 0, 'SIMP', 0n));
  silent(up().life('cpu-offline', { cpu: 0, phase: 'end' }).write('mshv', 0, 'SIMP', 0n));
  only(up().life('cpu-offline', { cpu: 1, phase: 'end' }).write('mshv', 0, 'SIMP', 0n));
  silent(up().life('kexec', { phase: 'end' }).write('mshv', 0, 'SIMP', 0n));
  only(up().life('kexec').write('mshv', 0, 'SIMP', 0n));
});

test('a step without an end is over when the next one begins', () => {
  const stop = () => vmbusUp(new Traffic(), 0).life('component-stop', { component: 'vmbus' });
  only(stop().write('mshv', 0, 'SIMP', 0n));
  const over = () => stop().life('component-stop', { component: 'mshv' });
  silent(over().write('mshv', 0, 'SIMP', 0n));
  // It may have failed: then VMBus is the owner still.
  silent(over().write('mshv', 0, 'SIMP', 0x1001n).write('vmbus', 0, 'SIMP', 0n));
});

test('what is left on belongs to whoever switches it on next', () => {
  const traffic = vmbusUp(new Traffic(), 0).life('component-stop', { component: 'vmbus', phase: 'end' });
  mshvUp(traffic, 0);
  const finding = only(traffic.write('vmbus', 0, 'SIMP', 0n));
  assert.deepEqual(finding.culprit.component, 'vmbus');
  silent(mshvDown(mshvUp(vmbusUp(new Traffic(), 0).life('kexec', { phase: 'end' }), 0), 0));
});

test('SCONTROL that resets to 1 belongs to whoever writes it first', () => {
  const traffic = vmbusUp(new Traffic({ scontrolReset: '1' }), 0);
  assert.equal(only(traffic.write('mshv', 0, 'SCONTROL', 0n)).culprit.component, 'mshv');
});

test('a write that was answered with #GP took nothing', () => {
  silent(vmbusUp(new Traffic(), 0).write('mshv', 0, 'SIMP', 0n, { fault: true }));
});

test('unknown at the start: only what the trace itself shows is held against anybody', () => {
  const unknown = { initial: 'unknown' } as const;
  silent(mshvDown(mshvUp(vmbusUp(new Traffic(unknown), 0), 0), 0));
  const read = new Traffic(unknown).read('vmbus', 0, 'SIMP', 0x1000n).write('vmbus', 0, 'SIMP', 0x1001n);
  only(read.write('mshv', 0, 'SIMP', 0n));
  const on = new Traffic(unknown).read('vmbus', 0, 'SIMP', 0x1001n).write('vmbus', 0, 'SIMP', 0x1001n);
  silent(on.write('mshv', 0, 'SIMP', 0n));
});

test('writers who are not known neither own nor take', () => {
  silent(vmbusUp(new Traffic(), 0).write(undefined, 0, 'SIMP', 0n));
  silent(vmbusUp(new Traffic(), 0).write('unknown', 0, 'SIMP', 0n));
  silent(new Traffic().write('unknown', 0, 'SIMP', 0x1001n).write('mshv', 0, 'SIMP', 0n));
});

test('after a gap, a resume or a hidden change nobody is held to what was before', () => {
  silent(vmbusUp(new Traffic(), 0).add({ kind: 'mark', what: 'gap', lost: 3 }).write('mshv', 0, 'SIMP', 0n));
  silent(vmbusUp(new Traffic(), 0).life('resume').write('mshv', 0, 'SIMP', 0n));
  silent(vmbusUp(new Traffic(), 0).read('mshv', 0, 'SIMP', 0x9000_001n).write('mshv', 0, 'SIMP', 0n));
});

test('harm is over once the owner has switched the control on again', () => {
  const traffic = new Traffic().write('vmbus', 0, 'SIMP', 0x1001n).write('mshv', 0, 'SIMP', 0n);
  traffic.write('vmbus', 0, 'SIMP', 0x1001n);
  const evidence = only(traffic).evidence;
  assert.deepEqual(only(traffic.write('vmbus', 0, 'SINT2', MASKED)).evidence, evidence);
});

test('what was taken and put back is still the owner’s, until the owner lets go of it', () => {
  const taken = () => new Traffic().write('vmbus', 0, 'SIMP', 0x1001n).write('timer', 0, 'SIMP', 0n);
  const putBack = () => taken().write('mshv', 0, 'SIMP', 0x1001n);
  assert.equal(only(putBack().write('vmbus', 0, 'SIMP', 0n)).culprit.component, 'timer');
  const again = judge(putBack().write('mshv', 0, 'SIMP', 0n)).map(({ id }) => id);
  assert.deepEqual(again, ['R01:timer:off:vmbus', 'R01:mshv:off:vmbus']);
  const letGo = taken().write('vmbus', 0, 'SIMP', 0n).write('mshv', 0, 'SIMP', 0x1001n);
  assert.equal(only(letGo.write('mshv', 0, 'SIMP', 0n)).culprit.component, 'timer');
});

test('who tried to switch a control on and got #GP takes it from nobody, until it has let go', () => {
  const refused = () =>
    new Traffic().write('vmbus', 0, 'SIMP', 0x1001n, { fault: true }).write('mshv', 0, 'SIMP', 0x1001n);
  silent(refused().write('vmbus', 0, 'SIMP', 0n));
  only(refused().write('timer', 0, 'SIMP', 0n));
  only(refused().life('component-stop', { component: 'vmbus', phase: 'end' }).write('vmbus', 0, 'SIMP', 0n));
  const letGo = refused().write('vmbus', 0, 'SIMP', 0n).write('mshv', 0, 'SIMP', 0x1001n);
  only(letGo.write('vmbus', 0, 'SIMP', 0n));
});

test('where writes have no trace point nobody is blamed: reads, and the mark that says so', () => {
  const reads = (mark: boolean): Traffic => {
    const traffic = new Traffic({ initial: 'unknown' }).life('component-start', {
      component: 'vmbus',
      cpu: 0,
    });
    for (const register of ['SIMP', 'SIEFP', 'SCONTROL']) traffic.read('vmbus', 0, register, 1n);
    if (mark) traffic.add({ kind: 'mark', what: 'gap', text: 'writes are not seen' });
    for (const register of ['SIMP', 'SIEFP', 'SCONTROL']) traffic.read('mshv', 0, register, 0n);
    return traffic
      .life('component-stop', { component: 'mshv', cpu: 0 })
      .life('kexec')
      .life('kexec', { phase: 'end' });
  };
  silent(reads(true));
  silent(reads(false));
  // Writes that were seen before the mark hold nobody to what came after; without the mark they do.
  const written = (mark: boolean): Traffic => {
    const traffic = vmbusUp(new Traffic(), 0);
    if (mark) traffic.add({ kind: 'mark', what: 'gap', text: 'writes are not seen' });
    return traffic.write('mshv', 0, 'SIMP', 0n);
  };
  silent(written(true));
  assert.equal(only(written(false)).rule, 'R01');
});
