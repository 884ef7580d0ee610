import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingToJson } from './finding.ts';
import { messageSlots } from './message-slots.ts';
import { type Line, told } from './told.testing.ts';
import { judge } from './traffic.testing.ts';

/** After a page was given; a millisecond between any two lines. */
function findings(...lines: readonly Line[]) {
  const timed = [write('SIMP', '0x1001'), ...lines].map((line, i) => ({ t: `${i + 1}ms`, ...line }));
  return judge(told({ role: 'guest' }, timed), [messageSlots]).map(findingToJson);
}
function silent(...lines: readonly Line[]): void {
  assert.deepEqual(findings(...lines), []);
}

const message = (what: string, cpu: number, extra: object = {}): Line => ({
  kind: 'message',
  what,
  component: what === 'deliver' || what === 'busy' ? 'hypervisor' : 'vmbus',
  cpu,
  sint: 2,
  ...extra,
});
const deliver = (cpu = 0): Line =>
  message('deliver', cpu, { slot: { message_type: 1, payload_size: 8, payload: '00' } });
const expired = (timer: number): Line =>
  message('deliver', 0, {
    slot: { message_type: 'HVMSG_TIMER_EXPIRED', payload_size: 24, payload: { timer_index: timer } },
  });
const write = (msr: string, value: string, cpu = 0): Line => ({
  kind: 'msr',
  dir: 'write',
  cpu,
  component: 'vmbus',
  msr,
  value,
  fault: false,
});
const [read, clear] = [message('read', 0), message('clear', 0, { flags: 0 })];
const eom = write('EOM', '0x0');
const pending = message('clear', 0, { flags: 1 });
const wait: Line = { t: '1s', kind: 'message', what: 'interrupt', cpu: 1, sint: 2, vector: 243 };

test('a slot is freed while others wait, without an EOM', () => {
  const [finding] = findings(deliver(), read, pending, wait);
  assert.equal(finding?.id, 'R13:vmbus:no-eom');
  assert.equal(finding?.culprit.at, '4');
  assert.equal(findings(deliver(), read, pending, deliver(), read).length, 1);
  silent(deliver(), read, pending, eom, wait);
  silent(deliver(), read, clear, wait);
  silent(deliver(), read, pending, deliver(), eom, read, clear, wait);
  silent(deliver(), read, pending, write('EOI', '0x0'), wait);
  silent(deliver(), read, pending);
});

test('a message is left in its slot while others wait', () => {
  const [finding] = findings(deliver(), read, message('busy', 0), wait);
  assert.equal(finding?.id, 'R13:vmbus:stuck');
  silent(deliver(), read, message('busy', 0), pending, eom, wait);
  silent(deliver(), read, wait);
  silent(deliver(), read, message('busy', 0), write('SIMP', '0x0'), wait);
  silent(
    deliver(),
    read,
    message('busy', 0),
    { kind: 'lifecycle', what: 'cpu-offline', phase: 'end', ret: 0, cpu: 0 },
    wait,
  );
});

test('a message is thrown away unread', () => {
  const once = [deliver(), read, clear];
  assert.equal(findings(...once, deliver(), clear)[0]?.id, 'R13:vmbus:thrown-away');
  // Of who never reads, reads are not in the trace.
  silent(deliver(), clear, deliver(), clear);
  assert.equal(findings(...once, expired(1), clear).length, 1);
  silent(...once, expired(1), clear, write('STIMER1_COUNT', '0x100'));
  assert.equal(findings(...once, expired(1), clear, write('STIMER0_COUNT', '0x100')).length, 1);
  silent(...once, expired(1), write('STIMER1_CONFIG', '0x0'), clear);
});

test('somebody waits for a message in the slot of another CPU', () => {
  const polls = [message('read', 5), message('read', 5), message('read', 5)];
  const [finding] = findings(deliver(), ...polls, wait);
  assert.equal(finding?.id, 'R13:vmbus:elsewhere');
  assert.deepEqual(finding?.evidence, ['2', '3']);
  silent(deliver(), ...polls, read, clear, wait);
  silent(deliver(), ...polls.slice(1), wait);
  silent(deliver(), ...polls, { kind: 'mark', what: 'gap', lost: 1 }, wait);
});
