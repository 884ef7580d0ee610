/** A start while the program runs already: it hands its file over and ends. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { control, windowIsOpen } from './double/control.ts';
import { at, chromium, startBefore, until } from './program.testing.ts';

startBefore({
  words: () => {
    control.firstInstance = false;
    return [at('some.hvtrace')];
  },
  window: false,
});

test('no window is opened, and the first program is told the file', chromium, async () => {
  await until('the program has ended', () => control.exitCode !== undefined);
  assert.equal(control.exitCode, 0);
  assert.deepEqual(control.lockData, { file: at('some.hvtrace') });
  assert.equal(windowIsOpen(), false);
});
