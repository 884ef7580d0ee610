import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingToJson } from './finding.ts';
import { lostWakeUp } from './lost-wake-up.ts';
import { ACTIVE, hypercall, type Line, told } from './told.testing.ts';
import { judge } from './traffic.testing.ts';
import { portExit, RUN, setRegister } from './vp-exits.testing.ts';

function findings(...lines: readonly Line[]) {
  return judge(told({ role: 'root' }, lines), [lostWakeUp]).map(findingToJson);
}
function silent(...lines: readonly Line[]): void {
  assert.deepEqual(findings(...lines), []);
}

const queue = (depth: number, t?: string): Line => ({
  kind: 'mark',
  what: 'queue',
  vp: '2.0',
  sint: 2,
  depth,
  ...(t === undefined ? {} : { t }),
});
const back = (run: number, tEnd: number): Line => ({ ...portExit(run, '0x1000'), tEnd });
const LATE = 50_000_000;

test('something is queued for a VP that runs and does not come back', () => {
  const [finding] = findings(queue(1), RUN, back(2, LATE));
  assert.equal(finding?.id, 'R14:vmm:queued');
  assert.deepEqual(finding?.evidence, ['1', '2', '2r']);
  assert.equal(findings(RUN, queue(1), queue(2, '1s')).length, 1);
});

test('emptied before, back soon, told by a notification', () => {
  silent(queue(1), queue(0), RUN, back(3, LATE));
  silent(queue(1), RUN, back(2, 20_000));
  silent(queue(1), RUN);
  silent(queue(1), setRegister('DELIVERABILITY_NOTIFICATIONS', '0x100'), RUN, back(3, LATE));
  silent(queue(1), { kind: 'mark', what: 'gap', lost: 2 }, RUN, back(3, LATE));
});

const post = (extra: object = {}): Line =>
  hypercall(
    'POST_MESSAGE',
    { connectionid: 4, message_type: 1, payload_size: 8, payload: '00' },
    { component: 'guest', vp: '2.0', ...extra },
  );

test('what a guest posts is dropped when nobody asked for unknown connections', () => {
  const [finding] = findings(...ACTIVE, post(), post());
  assert.equal(finding?.id, 'R14:vmm:unknown-connection');
  assert.deepEqual([finding?.culprit.at, finding?.at], ['3', '4']);
  silent(...ACTIVE, post({ status: 'INVALID_CONNECTION_ID' }));
  const intercept = (access: number): Line =>
    hypercall('INSTALL_INTERCEPT', { partition_id: 2, access_type: access, intercept_type: 13 });
  silent(...ACTIVE, intercept(4), post());
  assert.equal(findings(...ACTIVE, intercept(4), intercept(0), post()).length, 1);
  silent(
    ...ACTIVE,
    hypercall('CONNECT_PORT', { connection_partition_id: 2, connection_id: 4, port_id: 1 }),
    post(),
  );
  silent(post());
});
