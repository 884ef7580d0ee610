import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ioctlNamed } from '../abi/index.ts';
import { parseHandle } from '../trace/handle.ts';
import { at, RETURN_SUB } from '../trace/position.ts';
import { decoderIntegrity } from './decoder-integrity.ts';
import { judging, Traffic } from './traffic.testing.ts';

const { only, silent } = judging([decoderIntegrity]);

interface Call {
  readonly fd?: number;
  readonly pid?: number;
  readonly ret?: number;
  readonly opens?: string;
}

/** An ioctl of a partition's or VP's number on a handle. */
function call(
  traffic: Traffic,
  handle: string,
  op: number,
  { fd = 5, pid = 1, ret = 0, opens }: Call = {},
): Traffic {
  const out = opens === undefined ? {} : { out: { handle: parseHandle(opens) } };
  traffic.add({ kind: 'ioctl', handle: parseHandle(handle), op, fd, pid, ret, ...out });
  const made = traffic.steps.at(-1)!;
  traffic.steps.push({ ...made, returned: true, address: at(made.event.seq, RETURN_SUB) });
  return traffic;
}

const number = (fd: 'device' | 'partition' | 'vp', name: string) => ioctlNamed('upstream', fd, name)!.number!;
const PASS = number('vp', 'ROOT_HVCALL');
/** A VP is created as descriptor 5. */
const withVp = () =>
  call(new Traffic(), 'partition:2', number('partition', 'CREATE_VP'), { fd: 4, ret: 5, opens: 'vp:2.0' });
const fd = (traffic: Traffic, what: string, more: object) =>
  traffic.add({ kind: 'fd', what, pid: 1, ...more });

test('a descriptor stands for the file that it was given out for', () => {
  const finding = only(call(withVp(), 'partition:2', PASS));
  assert.deepEqual(
    [finding.id, finding.culprit],
    ['R30:descriptor:vp:partition', { at: '3', component: 'recorder' }],
  );
  silent(call(withVp(), 'vp:2.0', PASS));
  only(call(withVp(), 'vp:2.1', PASS));
  silent(call(withVp(), 'vp:?.0', PASS));
});

test('closed, given out again, or of another process: silent', () => {
  silent(call(fd(withVp(), 'close', { fd: 5, ret: 0 }), 'partition:2', PASS));
  silent(call(withVp(), 'partition:2', PASS, { pid: 2 }));
  silent(call(withVp(), 'partition:2', PASS, { fd: 6 }));
  silent(call(withVp().life('process-exit'), 'partition:2', PASS));
  silent(call(withVp().add({ kind: 'mark', what: 'gap', lost: 1 }), 'partition:2', PASS));
  const opened = () => fd(withVp(), 'open', { ret: 5, handle: parseHandle('device') });
  silent(call(opened(), 'device', PASS));
  only(call(opened(), 'vp:2.0', PASS));
});

test('a duplicate stands for the same file', () => {
  const duplicate = () => fd(withVp(), 'dup', { from: 5, ret: 9 });
  silent(call(duplicate(), 'vp:2.0', PASS, { fd: 9 }));
  only(call(duplicate(), 'partition:2', PASS, { fd: 9 }));
});

test('a call that succeeds is one that the file knows', () => {
  const run = number('vp', 'RUN_VP');
  const finding = only(call(new Traffic(), 'partition:2', run));
  assert.match(finding.title, /MSHV_RUN_VP on a partition, where it succeeded/);
  silent(call(new Traffic(), 'partition:2', run, { ret: -25 }));
  silent(call(new Traffic(), 'vp:2.0', run));
  // A number that no driver has is shown as it is, and means nothing.
  silent(call(new Traffic(), 'partition:2', 0xc020b8ff));
});
