import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingToJson } from './finding.ts';
import { ACTIVE, hypercall, type Line, told } from './told.testing.ts';
import { judge } from './traffic.testing.ts';
import { vpStopped } from './vp-stopped.ts';

const findings = (...lines: readonly Line[]) =>
  judge(told({ role: 'root', scheduler: 'root' }, [...ACTIVE, ...lines]), [vpStopped]).map(findingToJson);

const dispatch = (vp: number): Line => hypercall('DISPATCH_VP', { partition_id: 2, vp_index: vp });
const suspend = (vp: number, value: number): Line =>
  hypercall(
    'SET_VP_REGISTERS',
    { partition_id: 2, vp_index: vp, elements: [{ name: 'HV_REGISTER_DISPATCH_SUSPEND', value }] },
    { done: 1 },
  );
const FINALIZE = hypercall('FINALIZE_PARTITION', { partition_id: 2 });

test('each VP that was dispatched is suspended before its partition is finalized', () => {
  assert.deepEqual(findings(dispatch(0), dispatch(1), suspend(0, 1), suspend(1, 1), FINALIZE), []);
  const [finding, ...others] = findings(dispatch(0), dispatch(1), suspend(0, 1), FINALIZE);
  assert.deepEqual(others, []);
  assert.deepEqual([finding?.id, finding?.vp, finding?.evidence], ['R45:mshv', 1, ['5', '7']]);
  assert.equal(findings(dispatch(0), suspend(0, 0), FINALIZE).length, 1);
  // It ran again after it was suspended.
  assert.equal(findings(dispatch(0), suspend(0, 1), dispatch(0), FINALIZE).length, 1);
  // None was dispatched; it was in a gap.
  assert.deepEqual(findings(FINALIZE), []);
  assert.deepEqual(findings(dispatch(0), { kind: 'mark', what: 'gap', lost: 1 }, FINALIZE), []);
});
