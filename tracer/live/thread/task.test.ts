import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Call } from '../capture/host.ts';
import { resumed, type Task } from './task.ts';

const process_ = { pid: 1, files: new Map(), others: new Set<number>(), mapped: [], tids: new Set([1]) };

function call(sp: number, ip = 0x1000, first = 0): Call {
  const entry = { arch: 0, ip, sp, nr: 16, args: [first, 0, 0, 0, 0, 0] } as const;
  return { ...entry, tid: 1, process: process_ };
}

/** A thread that was taken out of calls, the outermost first, and what they were told of their results. */
function thread(...calls: readonly Call[]): { readonly task: Task; readonly ended: string[] } {
  const ended: string[] = [];
  const interrupted = calls.map((one) => ({
    call: one,
    finish: (ret: number) => {
      ended.push(`${one.args[0]}: ${ret}`);
    },
  }));
  return { task: { tid: 1, process: process_, open: undefined, interrupted, isFound: false }, ended };
}

test('a call that is made again at the same place, with the same arguments, is the one that was interrupted', () => {
  const { task, ended } = thread(call(900));
  const [first] = task.interrupted;
  assert.equal(resumed(task, call(900)), first);
  assert.deepEqual([task.interrupted, ended], [[], []]);
});

test('a handler calls deeper in the stack: what was interrupted may still be made again', () => {
  const { task, ended } = thread(call(900));
  assert.equal(resumed(task, call(500, 0x2000)), undefined);
  assert.deepEqual([task.interrupted.length, ended], [1, []]);
});

test('another call at the same place or above: what was interrupted is over, with EINTR', () => {
  for (const next of [call(900, 0x1000, 7), call(900, 0x2000), call(950)]) {
    const { task, ended } = thread(call(900, 0x1000, 1));
    assert.equal(resumed(task, next), undefined);
    assert.deepEqual([task.interrupted, ended], [[], ['1: -4']]);
  }
});

test('calls of handlers within handlers: the innermost is over first', () => {
  const { task, ended } = thread(call(900, 0x1000, 1), call(600, 0x1000, 2));
  const [outer] = task.interrupted;
  assert.equal(resumed(task, call(900, 0x1000, 1)), outer);
  assert.deepEqual(ended, ['2: -4']);
});
