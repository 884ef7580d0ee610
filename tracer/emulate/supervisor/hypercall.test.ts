import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodeControl, hypercalls } from '../../../engine/abi/index.ts';
import { registerIndex } from '../vp/registers.ts';
import { callWords, readGuestCall, resultWord } from './hypercall.ts';

const LONG_CODE = 1n << 125n;

function registers(values: Readonly<Record<string, bigint>>): (place: number) => bigint {
  const byPlace = new Map(Object.entries(values).map(([name, value]) => [registerIndex(name), value]));
  return (place) => byPlace.get(place) ?? 0n;
}

/** Memory with bytes of their own address, that may be read below 0x3000 and written below 0x2000. */
const memory = {
  allows: (gpa: bigint, access: 'read' | 'write') => gpa < (access === 'read' ? 0x3000n : 0x2000n),
  read: (gpa: bigint, length: number) =>
    gpa < 0x3000n ? Uint8Array.from({ length }, (_, i) => Number(gpa) + i) : undefined,
};

function call(name: string, given: { reps?: number; fast?: boolean; input?: bigint; output?: bigint }) {
  const { reps = 0, fast = false, input = 0n, output = 0n } = given;
  const control = encodeControl({ code: hypercalls.number(name), repCount: reps, fast });
  const { control: word, ...rest } = { control, ...readGuestCall(memory, { control, input, output }) };
  assert.equal(word, control);
  return rest;
}

describe('hypercalls of guests', () => {
  it('are in pairs of registers in 32-bit code', () => {
    const high = { RDX: 0xffff_0001n, RBX: 2n, RDI: 0xabc_0000_0003n };
    const words = callWords(registers({ ...high, RAX: 0x5_0000_0050n, RCX: 0x1000n, RSI: 0x2000n }));
    assert.deepEqual(words, {
      control: 0xffff_0001_0000_0050n,
      input: 0x2_0000_1000n,
      output: 0x3_0000_2000n,
    });
  });

  it('are in RCX, RDX and R8 in 64-bit code', () => {
    const words = callWords(
      registers({ CS: LONG_CODE, RCX: 0x1_0000_0050n, RDX: 0x1000n, R8: 0x2000n, RAX: 7n }),
    );
    assert.deepEqual(words, { control: 0x1_0000_0050n, input: 0x1000n, output: 0x2000n });
  });

  it('read as much as the control word says', () => {
    const { input, ...rest } = call('GET_VP_REGISTERS', { reps: 3, input: 0x1010n, output: 0x1100n }) as {
      input: Uint8Array;
    };
    assert.deepEqual([input.length, input[0], input[27]], [16 + 3 * 4, 0x10, 0x2b]);
    assert.deepEqual(rest, { inputGpa: 0x1010n, outputGpa: 0x1100n });
  });

  it('have a fast input in two words, and no addresses', () => {
    const fast = call('SIGNAL_EVENT', { fast: true, input: 0x1_0000_0007n, output: 9n });
    assert.deepEqual(fast, { input: Uint8Array.of(7, 0, 0, 0, 1, 0, 0, 0) });
  });

  it('read nothing of a call that nobody knows, and of pointers that the hypervisor refuses', () => {
    const control = encodeControl({ code: 0x7777 });
    assert.deepEqual(readGuestCall(memory, { control, input: 8n, output: 8n }), { control });
    assert.deepEqual(call('POST_MESSAGE', { input: 0x1004n }), { inputGpa: 0x1004n });
    assert.deepEqual(call('POST_MESSAGE', { input: 0x1ff8n }), { inputGpa: 0x1ff8n });
  });

  it('stop the VP where its memory is not there', () => {
    const registerCall = (input: bigint, output: bigint) =>
      call('GET_VP_REGISTERS', { reps: 1, input, output });
    assert.deepEqual(registerCall(0x3000n, 0x1000n), { gpa: 0x3000n, access: 'read' });
    assert.deepEqual(registerCall(0x1000n, 0x2000n), { gpa: 0x2000n, access: 'write' });
  });

  it('come back with status and elements done', () => {
    assert.equal(resultWord({ status: 6, reps: 2 }), 0x2_0000_0006n);
  });
});
