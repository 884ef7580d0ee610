/**
 * `agree.ts EMULATED RECORDED`: whether a recorder saw, thread by thread and in order, the calls that the emulated device says it had:
 * arguments, results, errno, buffers. Prints one line, exits with 1 where they differ.
 */
import assert from 'node:assert/strict';
import { beside, callsByThread } from '../live/calls.testing.ts';

const [emulated = '', recorded = ''] = process.argv.slice(2);
const [expected, actual] = [callsByThread(emulated), callsByThread(recorded)];
try {
  assert.deepEqual([...actual.keys()].sort(), [...expected.keys()].sort());
  for (const [tid, list] of expected)
    assert.deepEqual(beside(actual.get(tid) ?? [], list), list, `thread ${tid}`);
} catch (error) {
  console.log(`the two traces differ: ${(error as Error).message}`);
  process.exit(1);
}
const calls = [...expected.values()].reduce((sum, list) => sum + list.length, 0);
console.log(`${calls} calls of ${expected.size} threads agree`);
