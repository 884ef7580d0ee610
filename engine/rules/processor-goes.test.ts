import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pageOutlivesOwner } from './page-outlives-owner.ts';
import { processorGoes } from './processor-goes.ts';
import { judging, Traffic, vmbusDown, vmbusUp } from './traffic.testing.ts';

const { only, silent } = judging([processorGoes, pageOutlivesOwner]);
const END = { phase: 'end', ret: 0 } as const;

function offline(traffic: Traffic, cpu: number, end: object = END): Traffic {
  return traffic.life('cpu-offline', { cpu }).life('cpu-offline', { cpu, ...end });
}

test('pages of processors that went: one finding, and the kexec that meets them again is part of it', () => {
  const traffic = offline(offline(vmbusUp(vmbusUp(new Traffic(), 1), 2), 1), 2)
    .life('kexec')
    .life('kexec', END);
  const finding = only(traffic);
  assert.deepEqual(
    [finding.id, finding.at, finding.cpus, finding.cells.length, finding.evidence.at(-1)],
    ['R22:vmbus:offline', '10', [1, 2], 4, '14'],
  );
});

test('a processor that is cleaned, that could not go, or another one: silent', () => {
  const up = () => vmbusUp(new Traffic(), 1);
  silent(offline(vmbusDown(up(), 1), 1));
  silent(offline(up(), 1, { phase: 'end', ret: -16 }));
  silent(offline(up(), 2));
  silent(offline(vmbusUp(offline(new Traffic(), 1), 1), 1));
  only(offline(up(), 1));
  // As one event it lasts until the next.
  only(up().life('cpu-offline', { cpu: 1 }));
  silent(vmbusDown(up().life('cpu-offline', { cpu: 1 }), 1));
});

test('pages that a kernel before this one left: silent', () => {
  silent(
    offline(
      vmbusUp(new Traffic(), 1)
        .life('crash', { cpu: 0 })
        .life('crash', { ...END, cpu: 0 }),
      1,
    ),
  );
});

test('a page at frame 0: of a kernel always, of a guest beside others that have one, of a root never', () => {
  const zero = (traffic: Traffic, extra = {}) => traffic.write('vmbus', 1, 'SIMP', 1n, extra);
  assert.equal(only(zero(new Traffic({ role: 'guest' }))).id, 'R22:vmbus:no-page');
  silent(zero(new Traffic({ role: 'guest' }), { fault: true }));
  silent(new Traffic({ role: 'guest' }).write('vmbus', 1, 'SIMP', 0n));
  silent(zero(new Traffic({ role: 'root' })));
  const vp = (index: number) => ({ vp: { partition: 2n, vp: index } });
  silent(zero(zero(new Traffic(), vp(0)), vp(1)));
  const other = new Traffic().write('guest', 0, 'SIMP', 0x1001n, vp(0));
  assert.deepEqual(only(zero(other, vp(1))).vp, 1);
  const both = new Traffic({ role: 'guest' })
    .write('vmbus', 0, 'SIMP', 0x1001n)
    .write('vmbus', 1, 'SIMP', 0x1001n);
  silent(both);
});

test('whoever hears of migrations goes', () => {
  const target = (cpu: number) => (BigInt(cpu) << 32n) | (1n << 16n) | 0xeen;
  const told = (cpu = 3) =>
    new Traffic({ role: 'guest' }).write('arch', 0, 'REENLIGHTENMENT_CONTROL', target(cpu));
  const finding = only(offline(told(), 3));
  assert.deepEqual([finding.id, finding.at, finding.cpus], ['R22:arch:reenlightenment:offline', '3', [3]]);
  silent(offline(told(2), 3));
  silent(offline(told().write('arch', 3, 'REENLIGHTENMENT_CONTROL', target(1)), 3));
  silent(offline(told().write('arch', 3, 'REENLIGHTENMENT_CONTROL', 0xeen), 3));
  silent(offline(told(), 3, { phase: 'end', ret: -16 }));
  // Back before anything else needs it; or later named by its own number.
  silent(
    offline(told(), 3)
      .life('cpu-online', { cpu: 3 })
      .life('cpu-online', { cpu: 3, ...END }),
  );
  const renumbered = told(7).read('arch', 3, 'VP_INDEX', 7n);
  only(offline(renumbered, 3));
  silent(offline(told().add({ kind: 'mark', what: 'gap', lost: 1 }), 3));
});

test('after a sleep it is told again', () => {
  const on = 0x100een;
  const slept = () =>
    new Traffic({ role: 'guest' })
      .write('arch', 0, 'REENLIGHTENMENT_CONTROL', on)
      .life('suspend')
      .write('arch', 0, 'REENLIGHTENMENT_CONTROL', 0xeen)
      .life('suspend', END)
      .life('resume');
  assert.equal(only(slept().life('resume', END)).id, 'R22:arch:reenlightenment:sleep');
  silent(slept().write('arch', 0, 'REENLIGHTENMENT_CONTROL', on).life('resume', END));
  silent(
    new Traffic({ role: 'guest' }).life('suspend').life('suspend', END).life('resume').life('resume', END),
  );
});
