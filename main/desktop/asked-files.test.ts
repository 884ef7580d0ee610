import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askedOnCommandLine, readAsked } from './asked-files.ts';

test('the files are the first words after the app that are no switches', () => {
  const electron = (...words: string[]) =>
    askedOnCommandLine(['electron', '/app', ...words], '/users/a', false);
  assert.deepEqual(electron('b.hvtrace'), { file: '/users/a/b.hvtrace' });
  assert.deepEqual(electron('--flag', '--x=y', '/c.hvtrace', 'd.hvtrace', 'e'), {
    file: '/c.hvtrace',
    other: '/users/a/d.hvtrace',
  });
  assert.deepEqual(electron('--flag'), {});
  assert.deepEqual(electron(), {});
  assert.deepEqual(askedOnCommandLine(['hvrewind', 'b.hvtrace'], '/users/a', true), {
    file: '/users/a/b.hvtrace',
  });
});

test('what another process says is read with care', () => {
  assert.deepEqual(readAsked({ file: '/a.hvtrace', more: 1 }), { file: '/a.hvtrace' });
  assert.deepEqual(readAsked({ file: '/a', other: '/b' }), { file: '/a', other: '/b' });
  assert.deepEqual(readAsked({ file: '/a', other: 7 }), { file: '/a' });
  for (const other of [undefined, null, 'a', 7, [], {}, { file: 7 }, { file: null }])
    assert.deepEqual(readAsked(other), {});
});
