import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingToJson } from './finding.ts';
import { judge, mshvDown, mshvUp, Traffic } from './traffic.testing.ts';

const root = () => new Traffic({ role: 'root' });

test('a root partition programs an assist page of its own', () => {
  const traffic = root();
  for (const cpu of [0, 1]) {
    traffic.read('arch', cpu, 'VP_ASSIST_PAGE', 0x7000_000n);
    traffic.write('arch', cpu, 'VP_ASSIST_PAGE', 0x1000_001n, { fault: true });
  }
  assert.deepEqual(judge(traffic).map(findingToJson), [
    {
      id: 'R01:arch:move:hypervisor:VP_ASSIST_PAGE',
      rule: 'R01',
      severity: 'error',
      title: 'arch moves VP_ASSIST_PAGE, whose page the hypervisor provides',
      at: '2',
      culprit: { at: '2', component: 'arch' },
      evidence: ['1', '2', '3', '4'],
      cells: ['cpu[0].msr[0x40000073]', 'cpu[1].msr[0x40000073]'],
      cpus: [0, 1],
      fix: 'let arch keep the frame that it reads and set the enable bit alone',
    },
  ]);
});

test('the frame that was read, a disable, a guest, and a frame that nobody read: silent', () => {
  const silent = (traffic: Traffic) => assert.deepEqual(judge(traffic), []);
  silent(root().read('mshv', 0, 'SIMP', 0x7000_000n).write('mshv', 0, 'SIMP', 0x7000_001n));
  silent(root().read('mshv', 0, 'SIMP', 0x7000_000n).write('mshv', 0, 'SIMP', 0n));
  silent(root().write('mshv', 0, 'SIMP', 0x1000_001n).read('mshv', 0, 'SIMP', 0x1000_001n));
  silent(root().read('mshv', 0, 'SIMP', 0n).write('mshv', 0, 'SIMP', 0x1000_001n));
  silent(new Traffic().read('vmbus', 0, 'SIMP', 0x7000_000n).write('vmbus', 0, 'SIMP', 0x1000_001n));
  silent(mshvDown(mshvUp(root().read('mshv', 0, 'SIMP', 0x1000_000n), 0), 0));
});

test('moved on the root: the cell is that of the SynIC', () => {
  const traffic = root().read('mshv', 2, 'SIEFP', 0x7000_000n).write('mshv', 2, 'SIEFP', 0x7001_001n);
  assert.deepEqual(
    judge(traffic).map(({ cells }) => cells),
    [['cpu[2].synic.siefp']],
  );
});
