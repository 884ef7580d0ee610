import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { symbolIn, symbolOffset } from './elf.ts';

const NAME = 'ioctl';
const ADDRESS = 0x2010;

/** A library with one section of symbols, its names, and one segment at address 0x2000 that begins at 0x400 of the file. */
function library(address = ADDRESS): Buffer {
  const bytes = Buffer.alloc(0x500);
  bytes.write('\x7fELF\x02\x01', 'latin1');
  bytes.writeBigUInt64LE(0x40n, 32);
  bytes.writeUInt16LE(1, 56);
  bytes.writeBigUInt64LE(0x100n, 40);
  bytes.writeUInt16LE(3, 60);
  bytes.writeUInt32LE(1, 0x40);
  for (const [at, value] of [
    [0x48, 0x400],
    [0x50, 0x2000],
    [0x60, 0x80],
  ] as const)
    bytes.writeBigUInt64LE(BigInt(value), at);
  bytes.writeUInt32LE(11, 0x140 + 4);
  bytes.writeBigUInt64LE(0x300n, 0x140 + 24);
  bytes.writeBigUInt64LE(48n, 0x140 + 32);
  bytes.writeUInt32LE(2, 0x140 + 40);
  bytes.writeBigUInt64LE(0x380n, 0x180 + 24);
  bytes.write(`\0${NAME}s\0${NAME}\0`, 0x380, 'latin1');
  for (const [at, name] of [
    [0x300, 1],
    [0x318, 8],
  ] as const) {
    bytes.writeUInt32LE(name, at);
    bytes.writeUInt16LE(1, at + 6);
    bytes.writeBigUInt64LE(BigInt(address), at + 8);
  }
  return bytes;
}

test('a symbol is found where its segment lies in the file', () => {
  assert.equal(symbolIn(library(), NAME), 0x410);
  assert.equal(symbolIn(library(), 'iocts'), undefined);
  assert.equal(symbolIn(library(0x9000), NAME), undefined);
});

test('the library of this process has one, with code there', { skip: process.platform !== 'linux' }, () => {
  const path = /\s(\/\S*libc\.so\.6)$/m.exec(readFileSync('/proc/self/maps', 'utf8'))?.[1] ?? '';
  const offset = path === '' ? 1 : symbolOffset(path, NAME);
  assert.ok(offset !== undefined && offset > 0);
  assert.equal(symbolOffset('/proc/self/nothing', NAME), undefined);
});

test('any bytes are looked at without a throw', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(0x4ff), fc.nat(255)), { maxLength: 12 }),
      fc.nat(0x500),
      (changes, length) => {
        const bytes = library();
        for (const [at, value] of changes) bytes[at] = value;
        symbolIn(bytes.subarray(0, length), NAME);
      },
    ),
  );
});
