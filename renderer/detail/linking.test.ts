import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { FieldView } from '../../engine/app/api.ts';
import { bitsOfWord, bitWords, bytesOf, fieldOfBit, fieldOfByte, hasByte, lastName } from './linking.ts';

const field = (path: string, offset: number, size: number, lsb?: number, width?: number): FieldView => ({
  path,
  value: '',
  offset,
  size,
  depth: 0,
  ...(lsb === undefined || width === undefined ? {} : { lsb, width }),
});

const FIELDS = [
  field('header', 0, 8),
  field('header.type', 0, 4),
  field('header.flags', 4, 4),
  field('header.flags.pending', 4, 4, 0, 1),
  field('header.flags.rest', 4, 4, 1, 31),
  field('payload', 8, 16),
];

test('a byte belongs to the most closely fitting field', () => {
  const nameAt = (byte: number) => FIELDS[fieldOfByte(FIELDS, byte) ?? -1]?.path;
  assert.equal(nameAt(0), 'header.type');
  assert.equal(nameAt(4), 'header.flags.pending');
  assert.equal(nameAt(5), 'header.flags.rest');
  assert.equal(nameAt(8), 'payload');
  assert.equal(nameAt(24), undefined);
});

test('a bit belongs to the field that spans it', () => {
  const word = { offset: 4, size: 4 };
  assert.equal(FIELDS[fieldOfBit(FIELDS, word, 0) ?? -1]?.path, 'header.flags.pending');
  assert.equal(FIELDS[fieldOfBit(FIELDS, word, 31) ?? -1]?.path, 'header.flags.rest');
  assert.equal(fieldOfBit(FIELDS, { offset: 0, size: 4 }, 0), undefined);
  assert.deepEqual(bitWords(FIELDS), [word]);
});

test('the bits of a word are those of its little-endian number', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (value) => {
      const hex = Array.from({ length: 8 }, (_, i) =>
        ((value >> BigInt(8 * i)) & 0xffn).toString(16).padStart(2, '0'),
      ).join('');
      const bits = bitsOfWord(bytesOf(hex), { offset: 0, size: 8 });
      assert.equal(bits.length, 64);
      assert.equal(BigInt(`0b${bits.map(({ set }) => (set ? '1' : '0')).join('')}`), value);
    }),
  );
});

test('a field has the bytes in which its bits lie', () => {
  const wide = field('gpa', 0, 8, 12, 52);
  assert.deepEqual(
    [0, 1, 7].map((byte) => hasByte(wide, byte)),
    [false, true, true],
  );
});

test('the last part of a path stands for it', () => {
  assert.equal(lastName('a.b.c'), 'c');
  assert.equal(lastName('a.b[12]'), '[12]');
  assert.equal(lastName('trailing bytes'), 'trailing bytes');
});
