import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scenario } from '../drivers/scenario.testing.ts';
import { sessionOf } from './session.testing.ts';

test('a write to an MSR is answered by whether it was refused, and keeps its value', () => {
  const text = [
    '{"profile":{}}',
    '{"t":"0","kind":"msr","dir":"write","cpu":0,"component":"arch","msr":"HV_X64_MSR_GUEST_OS_ID","value":"0x1","fault":false}',
    '{"t":"1us","kind":"msr","dir":"read","cpu":0,"component":"arch","msr":"HV_X64_MSR_GUEST_OS_ID","value":"0x1"}',
    '{"t":"2us","kind":"msr","dir":"write","cpu":0,"component":"mshv","msr":"HV_X64_MSR_VP_INDEX","value":"0x7","fault":true}',
  ].join('\n');
  const ask = sessionOf(scenario('msr', text), { recorded: false });
  const answer = (at: string) =>
    ask('event', { at }).answers.map(({ field, predicted }) => [field, predicted]);
  assert.deepEqual(answer('1'), [['fault', 'none']]);
  assert.deepEqual(answer('2'), [['result', '0x1']]);
  assert.deepEqual(answer('3'), [['fault', '#GP']]);
  assert.equal(ask('event', { at: '3' }).row.result, '0x7 #GP');
});
