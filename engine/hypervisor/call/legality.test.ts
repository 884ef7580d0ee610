import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodeControl, hypercalls } from '../../abi/index.ts';
import { activeChild } from '../bench.testing.ts';

describe('the input of a fast call', () => {
  /** EDX of CPUID leaf 0x40000003, call, elements, status. TLFS, hypercall calling conventions. */
  const ROWS: readonly (readonly [number | undefined, string, number, string])[] = [
    [undefined, 'GET_VP_REGISTERS', 24, 'SUCCESS'],
    [undefined, 'GET_VP_REGISTERS', 25, 'INVALID_HYPERCALL_INPUT'],
    [0x10, 'GET_VP_REGISTERS', 24, 'SUCCESS'],
    [0, 'GET_VP_REGISTERS', 1, 'INVALID_HYPERCALL_INPUT'],
    [0, 'CLEAR_VIRTUAL_INTERRUPT', 0, 'NOT_ACKNOWLEDGED'],
  ];
  for (const [edx, name, reps, status] of ROWS) {
    it(`fits into the registers: ${name} of ${reps}, EDX ${edx ?? 'not given'}: ${status}`, () => {
      const bench = activeChild(edx === undefined ? {} : { cpuid: { '0x40000003': { edx } } });
      const control = encodeControl({
        code: hypercalls.number(name),
        fast: true,
        repCount: reps,
        repStart: 0,
      });
      const input = new Uint8Array(16 + reps * 4);
      input[0] = 2;
      for (let i = 0; i < reps; i++) new DataView(input.buffer).setUint32(16 + i * 4, 0x2_0000, true);
      assert.equal(bench.word(control, input).status, status);
    });
  }
});
