import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pageOutlivesOwner } from './page-outlives-owner.ts';
import { sharedOwnership } from './shared-ownership.ts';
import { synicLeftOn } from './synic-left-on.ts';
import { judging, MASKED, mshvOwnDown, Traffic, UNMASKED, vmbusDown, vmbusUp } from './traffic.testing.ts';

const { only, silent } = judging([sharedOwnership, pageOutlivesOwner, synicLeftOn]);
const END = { phase: 'end', ret: 0 } as const;
const OF_VMBUS = { component: 'vmbus' } as const;

/** VMBus takes back what `but` does not name, and stops. */
function stopped(traffic: Traffic, ...but: readonly string[]): Traffic {
  traffic.life('component-stop', { ...OF_VMBUS, phase: 'begin' });
  for (const [name, value] of [
    ['SINT2', MASKED],
    ['SIMP', 0n],
    ['SIEFP', 0n],
    ['SCONTROL', 0n],
  ] as const)
    if (!but.includes(name)) traffic.write('vmbus', 0, name, value);
  return traffic.life('component-stop', { ...OF_VMBUS, ...END });
}

function up(profile: Record<string, string> = {}): Traffic {
  return vmbusUp(new Traffic(profile), 0);
}

test('SCONTROL and a SINT that are left on by a component that stops: one finding with all of them', () => {
  assert.deepEqual(only(stopped(up(), 'SINT2', 'SCONTROL')), {
    id: 'R50:vmbus:stop',
    rule: 'R50',
    severity: 'warning',
    title: 'SINT2 and SCONTROL of vmbus are still on after it stopped',
    at: '8',
    culprit: { at: '8', component: 'vmbus' },
    evidence: ['3', '4', '8'],
    cells: ['cpu[0].synic.scontrol', 'cpu[0].synic.sint[2]'],
    cpus: [0],
    fix: 'let vmbus mask SINT2 and clear SCONTROL before it stops',
  });
  silent(stopped(up()));
});

test('a SINT that can still interrupt is an error', () => {
  const shared = up().write('mshv', 0, 'SIRBP', 0x3000_001n).write('mshv', 0, 'SINT0', UNMASKED);
  assert.equal(only(stopped(shared, 'SINT2', 'SCONTROL')).severity, 'error');
  assert.equal(only(stopped(up(), 'SINT2')).severity, 'warning');
});

test('on a processor that goes, before a hand-over, and after a start that failed', () => {
  const offline = vmbusDown(up(), 0).write('vmbus', 0, 'SINT2', UNMASKED);
  const finding = only(offline.life('cpu-offline', { cpu: 0, ...END }));
  assert.deepEqual(
    [finding.id, finding.title],
    ['R50:vmbus:offline', 'SINT2 of vmbus is still on after the processor went offline'],
  );
  const kexec = vmbusDown(up(), 0).write('vmbus', 0, 'SCONTROL', 1n);
  assert.equal(only(kexec.life('kexec', { phase: 'begin' }).life('kexec', END)).id, 'R50:vmbus:kexec');
  const start = (): Traffic => up().life('component-start', { component: 'mshv', phase: 'begin' });
  const failed = { component: 'mshv', phase: 'end', ret: -12 } as const;
  const left = start().write('mshv', 0, 'SINT0', UNMASKED).life('component-start', failed);
  assert.equal(only(left).id, 'R50:mshv:failed-start');
  silent(
    start()
      .write('mshv', 0, 'SINT0', UNMASKED)
      .write('mshv', 0, 'SINT0', MASKED)
      .life('component-start', failed),
  );
  silent(
    start()
      .write('mshv', 0, 'SINT0', UNMASKED)
      .life('component-start', { ...failed, ret: 0 }),
  );
});

test('many processors are one finding', () => {
  const traffic = new Traffic({ role: 'guest' });
  for (let cpu = 0; cpu < 8; cpu++) vmbusDown(vmbusUp(traffic, cpu), cpu).write('vmbus', cpu, 'SCONTROL', 1n);
  const finding = only(traffic.life('component-stop', { ...OF_VMBUS, ...END }));
  assert.deepEqual(finding.cpus, [0, 1, 2, 3, 4, 5, 6, 7]);
});

test('SCONTROL stays on for another component whose SINT is unmasked: silent', () => {
  const shared = (): Traffic => up().write('mshv', 0, 'SINT0', UNMASKED);
  silent(stopped(shared(), 'SCONTROL'));
  only(stopped(mshvOwnDown(shared(), 0), 'SCONTROL'));
});

test('refused with #GP, or switched off by somebody else before: silent, or part of that finding', () => {
  const tried = up()
    .write('vmbus', 0, 'SIMP', 0n)
    .write('vmbus', 0, 'SIEFP', 0n)
    .write('vmbus', 0, 'SCONTROL', 0n);
  silent(
    tried.write('vmbus', 0, 'SINT2', MASKED, { fault: true }).life('component-stop', { ...OF_VMBUS, ...END }),
  );
  const taken = up().write('mshv', 0, 'SCONTROL', 0n);
  const finding = only(
    taken
      .write('vmbus', 0, 'SIMP', 0n)
      .write('vmbus', 0, 'SIEFP', 0n)
      .life('component-stop', { ...OF_VMBUS, ...END }),
  );
  assert.deepEqual([finding.rule, finding.evidence.at(-1)], ['R01', '8']);
});

test('pages that are left as well are the same mistake', () => {
  const finding = only(stopped(up(), 'SINT2', 'SIMP'));
  assert.deepEqual([finding.rule, finding.severity], ['R03', 'error']);
});

test('what was on before, a crash, a suspend, a reboot, a stop that fails or has no end: silent', () => {
  const on = { initial: 'unknown' };
  silent(stopped(up(on), 'SINT2', 'SCONTROL'));
  const crashed = up().life('crash', { phase: 'begin' }).write('vmbus', 0, 'SINT2', MASKED);
  silent(crashed.write('vmbus', 0, 'SIMP', 0n).write('vmbus', 0, 'SIEFP', 0n).life('crash', END));
  silent(vmbusDown(up(), 0).write('vmbus', 0, 'SCONTROL', 1n).life('suspend', END));
  silent(up().life('reboot', END));
  const masked = (): Traffic => vmbusDown(up(), 0).write('vmbus', 0, 'SCONTROL', 1n);
  silent(masked().life('component-stop', { ...OF_VMBUS, phase: 'end', ret: -16 }));
  silent(masked().life('component-stop', OF_VMBUS).life('component-start', { component: 'timer' }));
  silent(
    masked()
      .add({ kind: 'mark', what: 'gap', lost: 1 })
      .life('component-stop', { ...OF_VMBUS, ...END }),
  );
});
