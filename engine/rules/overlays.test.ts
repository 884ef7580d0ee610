import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hypercall } from './calls.testing.ts';
import { overlays } from './overlays.ts';
import { overlaysCollide } from './overlays-collide.ts';
import { judging, Traffic } from './traffic.testing.ts';

const { only, silent } = judging([overlays, overlaysCollide]);
const VP = { partition: 2n, vp: 0 };

/** The VMM sets a register of VP 2.0. */
function set(traffic: Traffic, name: string, value: string, vp = 0, component = 'vmm'): Traffic {
  const input = { partition_id: 2, vp_index: vp, elements: [{ name, value }] };
  return hypercall(traffic, 'HVCALL_SET_VP_REGISTERS', input, { component });
}

function memory(traffic: Traffic, what: string, page: string, first: number, extra: object = {}): Traffic {
  const bytes = [{ offset: page === 'vp-assist' ? 0 : 0x200, bytes: Uint8Array.of(first, 0, 0, 0) }];
  return traffic.add({ kind: 'page', what, page, bytes, ...extra });
}

test('a second GHCB page while the first is enabled', () => {
  const ghcb = (traffic: Traffic, value: string, vp = 0) => set(traffic, 'HV_X64_REGISTER_GHCB', value, vp);
  const first = () => ghcb(new Traffic(), '0x8000001');
  const finding = only(ghcb(first(), '0x9000001'));
  assert.deepEqual(
    [finding.id, finding.at, finding.evidence, finding.vp, finding.cells],
    ['R23:vmm:second', '2', ['1', '2'], 0, ['partition[2].vp[0].reg[0x90019]']],
  );
  silent(ghcb(first(), '0x8000001'));
  silent(ghcb(ghcb(first(), '0x0'), '0x9000001'));
  silent(ghcb(first(), '0x9000001', 1));
  silent(
    hypercall(first(), 'HVCALL_DELETE_PARTITION', { partition_id: 2 }).add({ kind: 'mark', what: 'note' }),
  );
  const refused = {
    partition_id: 2,
    vp_index: 0,
    elements: [{ name: 'HV_X64_REGISTER_GHCB', value: '0x9000001' }],
  };
  silent(hypercall(first(), 'HVCALL_SET_VP_REGISTERS', refused, { status: 'INVALID_PARAMETER' }));
});

test('SIMP may move while it is enabled', () => {
  silent(set(set(new Traffic(), 'HV_REGISTER_SIMP', '0x1000001'), 'HV_REGISTER_SIMP', '0x2000001'));
  silent(new Traffic().write('vmbus', 0, 'SIMP', 0x1000_001n).write('vmbus', 0, 'SIMP', 0x2000_001n));
});

test('a frame that two processors share is given up with the last of them', () => {
  const free = (traffic: Traffic) =>
    traffic.add({ kind: 'page', what: 'free', page: 'ram', vp: VP, gpa: 0x1000_000n, component: 'vmm' });
  const guest = (traffic: Traffic, vp: number, value: bigint) =>
    traffic.write('guest', 0, 'SIMP', value, { vp: { partition: 2n, vp } });
  const both = () => guest(guest(new Traffic(), 0, 0x1000_001n), 1, 0x1000_001n);
  silent(both());
  const finding = only(free(guest(both(), 0, 0n)));
  assert.deepEqual([finding.id, finding.evidence], ['R23:vmm:shared', ['2', '3', '4']]);
  silent(free(guest(guest(both(), 0, 0n), 1, 0n)));
  silent(free(guest(guest(new Traffic(), 0, 0x1000_001n), 0, 0n)));
});

test('a page that is restored keeps what is in it', () => {
  const filled = (traffic = new Traffic()) => memory(traffic, 'write', 'simp', 1, { vp: VP });
  const enabled = (traffic: Traffic) => set(traffic, 'HV_REGISTER_SIMP', '0x1000001');
  const looked = (traffic: Traffic, first: number) => memory(traffic, 'snapshot', 'simp', first, { vp: VP });
  const finding = only(looked(enabled(filled()), 0));
  assert.deepEqual([finding.id, finding.at, finding.culprit.at], ['R23:hypervisor:wiped', '3', '2']);
  silent(looked(enabled(filled()), 1));
  silent(looked(filled(enabled(new Traffic())), 1));
  const read = (traffic: Traffic, type: number) =>
    traffic.add({ kind: 'message', what: 'read', vp: VP, sint: 2, slot: Uint8Array.of(type, 0, 0, 0) });
  only(read(enabled(filled()), 0));
  silent(read(enabled(filled()), 1));
  // The guest’s own first enable; a guest that ran; a message that was taken.
  silent(looked(filled().write('guest', 0, 'SIMP', 0x1000_001n, { vp: VP }), 0));
  silent(looked(enabled(filled()).add({ kind: 'intercept', vp: VP, type: 0x80010007 }), 0));
  silent(looked(enabled(filled()).add({ kind: 'message', what: 'clear', vp: VP, sint: 2 }), 0));
  only(looked(enabled(filled()).add({ kind: 'message', what: 'clear', vp: VP, sint: 3 }), 0));
  silent(looked(enabled(memory(filled(), 'write', 'simp', 0, { vp: VP })), 0));
});

test('what is beneath an assist page says that no EOI is needed', () => {
  const beneath = (first: number) => memory(new Traffic(), 'alloc', 'vp-assist', first, { cpu: 0 });
  const used = (traffic: Traffic) =>
    traffic.write('arch', 0, 'VP_ASSIST_PAGE', 0x5000_001n).write('arch', 0, 'VP_ASSIST_PAGE', 0n);
  const finding = only(used(beneath(1)));
  assert.deepEqual([finding.id, finding.at, finding.evidence], ['R23:arch:stale', '3', ['1', '3']]);
  silent(used(beneath(0)));
  silent(used(beneath(2)));
  silent(used(memory(beneath(1), 'write', 'vp-assist', 0, { cpu: 0 })));
  silent(used(new Traffic()));
  // While it is on the hypervisor’s own content is seen.
  const on = new Traffic().write('arch', 0, 'VP_ASSIST_PAGE', 0x5000_001n);
  silent(memory(on, 'snapshot', 'vp-assist', 1, { cpu: 0 }).write('arch', 0, 'VP_ASSIST_PAGE', 0n));
  silent(
    memory(new Traffic(), 'alloc', 'vp-assist', 1, { cpu: 0, gpa: 0x9000_000n })
      .write('arch', 0, 'VP_ASSIST_PAGE', 0x5000_001n)
      .write('arch', 0, 'VP_ASSIST_PAGE', 0n),
  );
});

test('interrupts that nobody ends since the assist page is off', () => {
  const used = (traffic = new Traffic()) =>
    traffic
      .write('vmbus', 1, 'SINT2', 0xf3n)
      .write('arch', 1, 'VP_ASSIST_PAGE', 0x5000_001n)
      .write('arch', 1, 'EOI', 0n)
      .write('arch', 1, 'VP_ASSIST_PAGE', 0n);
  const interrupt = (traffic: Traffic, cpu = 1) =>
    traffic.add({ kind: 'message', what: 'interrupt', cpu, sint: 2, vector: 0xf3 });
  const eoi = (traffic: Traffic) => traffic.write('arch', 1, 'EOI', 0n);
  const finding = only(interrupt(interrupt(used())));
  assert.deepEqual([finding.id, finding.culprit.at, finding.at], ['R23:arch:no-eoi', '4', '6']);
  silent(interrupt(used()));
  silent(interrupt(eoi(interrupt(used()))));
  silent(interrupt(interrupt(used()), 2));
  // The CPU was to go offline and never got there.
  only(interrupt(used(new Traffic().life('cpu-offline', { cpu: 1 }))));
  silent(
    interrupt(used(new Traffic().life('cpu-offline', { cpu: 1 }))).life('cpu-offline', {
      cpu: 1,
      phase: 'end',
      ret: 0,
    }),
  );
  // Interrupts end by themselves, or by another register.
  silent(interrupt(interrupt(used().write('vmbus', 1, 'SINT2', 0x200f3n))));
  const other = new Traffic()
    .write('arch', 1, 'VP_ASSIST_PAGE', 0x5000_001n)
    .write('arch', 1, 'VP_ASSIST_PAGE', 0n);
  silent(interrupt(interrupt(other)));
  silent(interrupt(interrupt(used().write('arch', 1, 'VP_ASSIST_PAGE', 0x5000_001n))));
});

test('two pages of one processor at one frame', () => {
  const simp = (traffic = new Traffic()) => traffic.write('vmbus', 0, 'SIMP', 0x1000_001n);
  const finding = only(simp().write('mshv', 0, 'SIRBP', 0x1000_001n));
  assert.deepEqual(
    [finding.id, finding.severity, finding.evidence],
    ['R32:mshv:SIRBP:SIMP', 'warning', ['1', '2']],
  );
  silent(simp().write('mshv', 0, 'SIRBP', 0x2000_001n));
  silent(simp().write('mshv', 0, 'SIRBP', 0x1000_000n));
  silent(simp().write('vmbus', 1, 'SIEFP', 0x1000_001n));
  silent(simp().write('vmbus', 0, 'SIMP', 0n).write('vmbus', 0, 'SIEFP', 0x1000_001n));
  silent(simp().write('vmbus', 0, 'SIEFP', 0x1000_001n, { nested: true }));
  silent(simp().write('vmbus', 0, 'SIEFP', 0x1000_001n, { fault: true }));
  silent(new Traffic().write('vmbus', 0, 'SIMP', 1n).write('vmbus', 0, 'SIEFP', 1n));
  // A page of the whole partition lies over every processor’s memory.
  const identity = new Traffic().write('arch', 0, 'GUEST_OS_ID', 1n).write('vmbus', 3, 'SIMP', 0x1000_001n);
  assert.equal(only(identity.write('arch', 0, 'HYPERCALL', 0x1000_001n)).rule, 'R32');
});
