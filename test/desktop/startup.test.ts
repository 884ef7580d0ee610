/** A start by macOS: the file is named by an event, before Electron is ready. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { control, openFileEvent, page, theWindow } from './double/control.ts';
import { at, chromium, makeTrace, showsTrace, startBefore, until } from './program.testing.ts';

startBefore({
  traces: () => makeTrace('named.hvtrace'),
  early: () => {
    assert.equal(openFileEvent(at('named.hvtrace')), true);
  },
});

test('a file that is named before the app is ready is opened when it is', chromium, async () => {
  await showsTrace('named.hvtrace');
  assert.equal(page().context().pages().length, 1);
});

test('the window that is closed ends the program', chromium, async () => {
  theWindow().close();
  await until('the program has ended', () => control.exitCode !== undefined);
  assert.equal(control.exitCode, 0);
});
