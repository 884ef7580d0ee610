import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingToJson } from './finding.ts';
import { interceptSuspend } from './intercept-suspend.ts';
import { hypercall, type Line, told } from './told.testing.ts';
import { judge } from './traffic.testing.ts';
import { setRegister } from './vp-exits.testing.ts';

function findings(...lines: readonly Line[]) {
  return judge(told({ role: 'root' }, lines), [interceptSuspend]).map(findingToJson);
}
function silent(...lines: readonly Line[]): void {
  assert.deepEqual(findings(...lines), []);
}

const [BLOCKED, READY] = [1, 2];
const [SUSPEND, INTERCEPT] = [1, 2];
const dispatch = (flags: number, event: number): Line =>
  hypercall(
    'DISPATCH_VP',
    { partition_id: 2, vp_index: 0, flags },
    { output: { dispatch_state: event === SUSPEND ? BLOCKED : READY, dispatch_event: event } },
  );

test('a VP is dispatched while an intercept holds it', () => {
  const [finding] = findings(dispatch(0, INTERCEPT), dispatch(0x40, SUSPEND));
  assert.equal(finding?.id, 'R48:mshv');
  assert.deepEqual(finding?.evidence, ['1', '2']);
});

test('it is let go by the flag or by the register, or nothing holds it', () => {
  silent(dispatch(0, INTERCEPT), dispatch(0x41, SUSPEND), dispatch(0, INTERCEPT));
  silent(dispatch(0, INTERCEPT), setRegister('INTERCEPT_SUSPEND', '0x0'), dispatch(0, SUSPEND));
  silent(dispatch(0, SUSPEND), dispatch(0, INTERCEPT));
  silent(dispatch(0, INTERCEPT), { kind: 'mark', what: 'gap', lost: 1 }, dispatch(0, SUSPEND));
});
