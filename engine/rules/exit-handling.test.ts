import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exitHandling } from './exit-handling.ts';
import { findingToJson } from './finding.ts';
import { hypercall, ioctl, type Line, told } from './told.testing.ts';
import { judge } from './traffic.testing.ts';
import { getRegister, memoryExit, portExit, RUN, registerPageLine, setRegister } from './vp-exits.testing.ts';

function findings(...lines: readonly Line[]) {
  return judge(told({ role: 'root' }, lines), [exitHandling]).map(findingToJson);
}
function silent(...lines: readonly Line[]): void {
  assert.deepEqual(findings(...lines), []);
}

const handled = [RUN, portExit(1, '0x1000'), setRegister('RIP', '0x1002')];
const repeated = [...handled, RUN, portExit(3, '0x1000')];

test('an exit comes again while the VP is behind the instruction', () => {
  const [finding, ...others] = findings(...repeated, getRegister('RIP', '0x1002'));
  assert.deepEqual(others, []);
  assert.equal(finding?.id, 'R24:mshv:twice');
  assert.deepEqual(finding?.culprit, { at: '3', component: 'mshv' });
  assert.deepEqual(finding?.evidence, ['1r', '3', '3r', '4']);
  const shown = registerPageLine('snapshot', { version: 1, isvalid: 1, rip: '0x1002' });
  assert.equal(findings(...repeated, shown).length, 1);
});

test('the guest does the same again: the VP is at that instruction, or nobody has looked', () => {
  silent(...repeated);
  silent(...repeated, getRegister('RIP', '0x1000'));
  silent(...repeated, setRegister('RIP', '0x1002'), getRegister('RIP', '0x1002'));
  silent(...handled, RUN, portExit(3, '0x1000', '0x6'), getRegister('RIP', '0x1002'));
  silent(...repeated, { kind: 'mark', what: 'gap', lost: 1 }, getRegister('RIP', '0x1002'));
});

test('a VP is run again and again at an instruction about which nothing was done', () => {
  const again = [RUN, portExit(3, '0x2000'), RUN, portExit(4, '0x2000')];
  const [finding] = findings(...handled, ...again);
  assert.equal(finding?.id, 'R24:vmm:not-handled');
  assert.deepEqual(finding?.culprit, { at: '4', component: 'vmm' });
  // Nothing tells how this VMM answers.
  silent(RUN, portExit(1, '0x1000'), RUN, portExit(2, '0x1000'));
});

test('what may have been the answer: a change of the intercept, of the register page, a call on the VP', () => {
  const exits = (between: Line, second = 5) => [
    ...handled,
    RUN,
    portExit(3, '0x2000'),
    between,
    RUN,
    portExit(second, '0x2000'),
  ];
  silent(...exits(ioctl('partition:2', 'MSHV_ROOT_HVCALL', {})));
  silent(...exits(ioctl('vp:2.0', 'MSHV_GET_VP_STATE', {})));
  silent(...exits(registerPageLine('write', { version: 1, isvalid: 1, dirty: 2, rip: '0x2002' })));
  assert.equal(findings(...exits(ioctl('vp:2.1', 'MSHV_GET_VP_STATE', {}))).length, 1);
  assert.equal(findings(...exits(hypercall('GET_PARTITION_PROPERTY', { partition_id: 2 }))).length, 1);
});

test('a memory intercept run again: the page may be there now', () => {
  const info = { gva_valid: 1, gva_gpa_valid: 1 };
  const fault = (number: number) => memoryExit(number, 0, info, '0x1000', '0x5000');
  silent(...handled, RUN, fault(3), RUN, fault(4));
});
