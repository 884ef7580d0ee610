import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type KeyPress, keyCaps, keyOf } from './keys.ts';
import { COMMANDS } from './table.ts';

const press = (key: string, held: Partial<KeyPress> = {}): KeyPress => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  ...held,
});

test('keys have one name each', () => {
  assert.equal(keyOf(press('j')), 'j');
  assert.equal(keyOf(press('J', { shiftKey: true })), 'Shift+J');
  assert.equal(keyOf(press('k', { ctrlKey: true })), 'Ctrl+K');
  assert.equal(keyOf(press('k', { metaKey: true })), 'Ctrl+K');
  assert.equal(keyOf(press('?', { shiftKey: true })), '?');
  assert.equal(keyOf(press('Tab', { shiftKey: true })), 'Shift+Tab');
  assert.equal(keyOf(press('ArrowLeft', { altKey: true })), 'Alt+ArrowLeft');
});

test('caps are the parts of a name', () => {
  assert.deepEqual(keyCaps('Ctrl+K'), ['Ctrl', 'K']);
  assert.deepEqual(keyCaps('+'), ['+']);
  assert.deepEqual(keyCaps('ArrowDown'), ['↓']);
});

test('no key does two things in one view, no command stands twice, every one has a title of its own', () => {
  for (const view of new Set(COMMANDS.map(({ within }) => within))) {
    const keys = COMMANDS.filter(({ within }) => within === view).flatMap((command) => command.keys);
    assert.deepEqual(
      keys.filter((key, i) => keys.indexOf(key) !== i),
      [],
    );
  }
  for (const part of ['id', 'title'] as const) {
    const names = COMMANDS.map((command) => command[part]);
    assert.deepEqual(
      names.filter((name, i) => names.indexOf(name) !== i),
      [],
    );
  }
});
