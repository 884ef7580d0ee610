import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatHandle, parseHandle } from './handle.ts';

test('handles are written and read again', () => {
  const texts = ['device', 'device:2', 'partition:?', 'partition:18446744073709551615', 'vp:2.0', 'vp:?.?'];
  // A program may call on any int.
  const descriptors = ['foreign:-1', 'foreign:0', 'foreign:-2147483648', 'eventfd:4294967295'];
  for (const text of [...texts, 'sint:1', ...descriptors]) {
    const handle = parseHandle(text);
    assert.ok(handle !== undefined, text);
    assert.equal(formatHandle(handle), text);
  }
});

test('what names no handle', () => {
  for (const text of [
    'foreign:-0',
    'foreign:4294967296',
    'foreign:',
    'foreign:01',
    'device:-1',
    'vp:1',
    'x:1',
  ])
    assert.equal(parseHandle(text), undefined, text);
});
