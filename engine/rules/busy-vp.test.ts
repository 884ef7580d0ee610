import assert from 'node:assert/strict';
import { test } from 'node:test';
import { busyVp } from './busy-vp.ts';
import { findingToJson } from './finding.ts';
import { ioctl, type Line, told } from './told.testing.ts';
import { judge } from './traffic.testing.ts';
import { portExit, RUN } from './vp-exits.testing.ts';

function findings(...lines: readonly Line[]) {
  return judge(told({ role: 'root' }, lines), [busyVp]).map(findingToJson);
}
function silent(...lines: readonly Line[]): void {
  assert.deepEqual(findings(...lines), []);
}

const hvcall = (code: string) => ({ arg: { code: `HVCALL_${code}` } });
const ask = ioctl('vp:2.0', 'MSHV_ROOT_HVCALL', hvcall('GET_VP_REGISTERS'));
const later = (t: string): Line => ({ t, kind: 'mark', what: 'note', text: 'later' });

test('a call waits for a VP that never comes back', () => {
  const [finding] = findings(RUN, ask, later('1s'));
  assert.equal(finding?.id, 'R27:vmm');
  assert.equal(finding?.severity, 'error');
  assert.deepEqual(finding?.evidence, ['1', '2', '3']);
  silent(RUN, ask, later('5ms'));
});

test('the VP came back by itself after a while: a warning; at once or by a signal: nothing', () => {
  const back = (tEnd: string, extra: object): Line => ({
    ...portExit(1, '0x1000'),
    tEnd: ns(tEnd),
    ...extra,
  });
  assert.equal(findings(RUN, ask, back('50ms', {}))[0]?.severity, 'warning');
  silent(RUN, ask, back('1ms', {}));
  silent(RUN, ask, back('50ms', { ret: -4 }));
});

test('calls that do not need the VP, and those of the same thread', () => {
  silent(RUN, ioctl('partition:2', 'MSHV_ROOT_HVCALL', hvcall('GET_PARTITION_PROPERTY')), later('1s'));
  silent(RUN, ioctl('vp:2.0', 'MSHV_ROOT_HVCALL', hvcall('ASSERT_VIRTUAL_INTERRUPT')), later('1s'));
  silent(RUN, ioctl('vp:2.1', 'MSHV_GET_VP_STATE', { arg: {} }), later('1s'));
  silent(RUN, { ...ask, tid: 8 }, later('1s'));
  assert.equal(findings(RUN, ioctl('vp:2.0', 'MSHV_GET_VP_STATE', { arg: {} }), later('1s')).length, 1);
});

function ns(time: string): number {
  return Number.parseInt(time, 10) * 1_000_000;
}
