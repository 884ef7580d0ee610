import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fieldOf, ioctlNamed, writeField } from '../../engine/abi/index.ts';
import { Arena } from '../native/arena.ts';
import { readCall } from './call-buffers.ts';
import { ClientMemory } from './client-memory.ts';

const ROW = ioctlNamed('upstream', 'vp', 'MSHV_ROOT_HVCALL');
const [IN, IN_SIZE] = [fieldOf('mshv_root_hvcall', 'in_ptr'), fieldOf('mshv_root_hvcall', 'in_sz')];
const NOWHERE = 4096;

describe('what a call reads', () => {
  it('is the input that its argument names, wherever that of the call before was', () => {
    if (ROW === undefined) throw new Error('no MSHV_ROOT_HVCALL');
    const memory = new ClientMemory();
    const argument = new Arena(32);
    const inputs = [new Arena(64), new Arena(64)].map((arena, index) => {
      arena.bytes.forEach((_, at) => {
        arena.bytes[at] = 64 * index + at;
      });
      return arena;
    });
    const read = (pointer: number, length: number) => {
      writeField(argument.bytes, IN, BigInt(pointer));
      writeField(argument.bytes, IN_SIZE, length);
      const { arg, in: input } = readCall(memory, process.pid, ROW, argument.address);
      assert.deepEqual(arg, argument.bytes);
      return input;
    };
    for (const [which, length] of [
      ...([
        [0, 48],
        [0, 48],
        [1, 48],
        [0, 16],
        [0, 64],
      ] as const),
      ...([
        [1, 8],
        [1, 8],
        [0, 8],
        [1, 64],
      ] as const),
    ] as const) {
      const arena = inputs[which] as Arena;
      assert.deepEqual(read(arena.address, length), arena.bytes.slice(0, length));
    }
    assert.equal(read(NOWHERE, 48), undefined);
    assert.equal(read(NOWHERE, 48), undefined);
    assert.deepEqual(read((inputs[0] as Arena).address, 0), new Uint8Array(0));
    assert.deepEqual(read((inputs[1] as Arena).address, 48), inputs[1]?.bytes.slice(0, 48));
    // Its bytes are read anew each time.
    (inputs[1] as Arena).bytes[5] = 0xee;
    assert.deepEqual(read((inputs[1] as Arena).address, 48), inputs[1]?.bytes.slice(0, 48));
  });
});
