import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingToJson } from './finding.ts';
import { registerPage } from './register-page.ts';
import { type Line, told } from './told.testing.ts';
import { judge } from './traffic.testing.ts';
import { getRegister, portExit, RUN, registerPageLine, setRegister } from './vp-exits.testing.ts';

function findings(...lines: readonly Line[]) {
  return judge(told({ role: 'root' }, lines), [registerPage]).map(findingToJson);
}
function silent(...lines: readonly Line[]): void {
  assert.deepEqual(findings(...lines), []);
}

const write = (dirty: number, isvalid = 1) =>
  registerPageLine('write', { version: 1, isvalid, dirty, rip: '0x1002' });
const GP = 1;
const IP = 2;

test('a register is read from the VP while the page has a newer value', () => {
  const [finding, ...others] = findings(
    write(GP | IP),
    getRegister('RIP', '0x1000'),
    getRegister('RAX', '0x5'),
  );
  assert.deepEqual(others, []);
  assert.equal(finding?.id, 'R17:vmm:passed-by');
  assert.deepEqual(finding?.evidence, ['2']);
  assert.equal(finding?.vp, 0);
});

test('registers that are not dirty, were set, were taken back, or taken over by a run', () => {
  silent(write(GP), getRegister('RIP', '0x1000'));
  silent(write(IP), setRegister('RIP', '0x1002'), getRegister('RIP', '0x1002'));
  silent(write(IP), write(0), getRegister('RIP', '0x1002'));
  silent(write(IP), RUN, portExit(2, '0x2000'), getRegister('RIP', '0x2000'));
  silent(write(IP), registerPageLine('snapshot', { version: 1, isvalid: 1 }), getRegister('RIP', '0x1002'));
  assert.equal(findings(write(GP | IP), setRegister('RAX', '0x1'), getRegister('RIP', '0x1000')).length, 1);
});

test('the page is changed while it is not valid', () => {
  const shown = registerPageLine('snapshot', { version: 1, isvalid: 0 });
  assert.equal(findings(shown, write(IP, 0))[0]?.id, 'R17:vmm:invalid');
  silent(write(IP));
  silent(shown, RUN, portExit(2, '0x2000'), write(IP));
});

test('the page is changed while the VP runs; the kernel may', () => {
  const [finding] = findings(RUN, write(IP), portExit(1, '0x2000'));
  assert.equal(finding?.id, 'R17:vmm:running');
  silent(RUN, portExit(1, '0x2000'), write(IP));
  silent(RUN, registerPageLine('write', { version: 1, isvalid: 1, dirty: 1 }, 'mshv'), portExit(1, '0x2000'));
});

test('registers are changed and not marked', () => {
  const changed = (dirty: number, bytes: Readonly<Record<string, string>>) =>
    registerPageLine('write', { bytes: { '0x0': `010001000${dirty}000000`, ...bytes } });
  const rip = { '0x88': '0220000000000000' };
  const rax = { '0x8': '4100000000000000' };
  const [finding, ...others] = findings(changed(IP, { ...rip, ...rax }), RUN);
  assert.deepEqual(others, []);
  assert.equal(finding?.id, 'R17:vmm:unmarked');
  assert.match(finding?.fix ?? '', /HV_X64_REGISTER_CLASS_GENERAL/);
  silent(changed(IP | GP, { ...rip, ...rax }), RUN);
  silent(changed(0, { ...rip, ...rax }), changed(IP | GP, {}), RUN);
  silent(changed(0, rip), setRegister('RIP', '0x2002'), RUN);
  silent(write(0), RUN);
});
