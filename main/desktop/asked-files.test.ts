import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askedOnCommandLine, readAsked } from './asked-files.ts';

test('the file is the first word after the app that is no switch', () => {
  const electron = (...words: string[]) =>
    askedOnCommandLine(['electron', '/app', ...words], '/users/a', false);
  assert.deepEqual(electron('b.hvtrace'), { file: '/users/a/b.hvtrace' });
  assert.deepEqual(electron('--flag', '--x=y', '/c.hvtrace', 'd.hvtrace'), { file: '/c.hvtrace' });
  assert.deepEqual(electron('--flag'), {});
  assert.deepEqual(electron(), {});
  assert.deepEqual(askedOnCommandLine(['hvrewind', 'b.hvtrace'], '/users/a', true), {
    file: '/users/a/b.hvtrace',
  });
});

test('what another process says is read with care', () => {
  assert.deepEqual(readAsked({ file: '/a.hvtrace', more: 1 }), { file: '/a.hvtrace' });
  for (const other of [undefined, null, 'a', 7, [], {}, { file: 7 }, { file: null }])
    assert.deepEqual(readAsked(other), {});
});
