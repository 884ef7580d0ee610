import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COMMANDS } from '../commands/table.ts';
import { found } from './find-command.ts';

test('commands are found by words of their group and title, in any order', () => {
  assert.deepEqual(found(COMMANDS, ''), [...COMMANDS]);
  assert.equal(found(COMMANDS, 'last ev')[0]?.id, 'last');
  assert.equal(found(COMMANDS, 'zoom timeline out')[0]?.id, 'zoom-out');
  assert.deepEqual(found(COMMANDS, 'no such thing'), []);
});

test('a title that starts with the text comes first', () => {
  const ids = found(COMMANDS, 'copy').map(({ id }) => id);
  assert.equal(ids[0], 'copy');
  assert.ok(found(COMMANDS, 'next')[0]?.title.startsWith('Next'));
});
