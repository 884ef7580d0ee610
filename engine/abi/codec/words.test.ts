import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { msrs } from '../lookup/msrs.ts';
import { registers } from '../lookup/registers.ts';
import { decodeBits, decodeMsr, encodeBits, encodeMsr } from './bits.ts';
import { summarizeBits } from './bits-summary.ts';
import { encode } from './encode.ts';
import { decodeRegister } from './register.ts';
import { decodeControl, decodeResult, encodeControl, encodeResult } from './words.ts';

const word = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });

test('any control word and any result word come back from their parts', () => {
  fc.assert(fc.property(word, (value) => assert.equal(encodeControl(decodeControl(value)), value)));
  fc.assert(fc.property(word, (value) => assert.equal(encodeResult(decodeResult(value)), value)));
});

test('the parts of a control word stand where TLFS says', () => {
  const parts = { code: 0x50, fast: true, variableHeaderQwords: 3, nested: true, repCount: 7, repStart: 2 };
  const value = 0x0002_0007_8007_0050n;
  assert.equal(encodeControl(parts), value);
  assert.deepEqual(decodeControl(value), { ...parts, reserved: 0n });
  assert.equal(decodeControl(0xf000_f000_7800_0000n).reserved, 0xf000_f000_7800_0000n);
  assert.deepEqual(decodeResult(0x0000_0008_0000_0005n), { status: 5, repsCompleted: 8, reserved: 0n });
});

test('any value of any MSR comes back from its bit fields, also where a layout leaves bits out', () => {
  for (const row of msrs.all()) {
    fc.assert(
      fc.property(word, (value) => {
        const bits = decodeBits(row.bits, value);
        assert.equal(encodeBits(bits), value, row.name);
        assert.equal(
          bits.reduce((sum, { width }) => sum + width, 0),
          64,
          row.name,
        );
      }),
      { numRuns: 10 },
    );
  }
});

test('an MSR is put together and taken apart by name', () => {
  assert.equal(encodeMsr('SINT2', { vector: 0xf3, auto_eoi: true }), 0x200f3n);
  assert.equal(encodeMsr('HV_X64_MSR_SIMP', { enabled: 1, base_simp_gpa: 0x1234n }), 0x1234001n);
  assert.throws(() => encodeMsr('SINT2', { no_such: 1 }));
  assert.throws(() => encodeMsr('NO_SUCH', {}));
  assert.deepEqual(decodeMsr(0x6e0, 5n), []);
  assert.equal(summarizeBits(decodeMsr(0x40000092, 0x200f3n)), 'vector 0xf3, auto_eoi');
  assert.equal(summarizeBits(decodeMsr(0x40000080, 0n)), '0');
});

test('a register’s value has the members of its layout', () => {
  const cs = decodeRegister(registers.number('CS'), 0x209b_f000_0000_ffff_0000_0000_ffff_0000n);
  const members = new Map(cs?.fields.map(({ name, value }) => [name, value]));
  assert.deepEqual(members.get('base'), { kind: 'integer', value: 0xffff0000n });
  assert.deepEqual(members.get('selector'), { kind: 'integer', value: 0xf000 });
  assert.deepEqual(members.get('_long'), { kind: 'integer', value: 1 });
  assert.equal(decodeRegister(registers.number('RIP'), 1n), undefined);
  for (const { value, layout } of registers.all()) {
    if (layout === undefined) continue;
    const decoded = decodeRegister(value, 0x1234_5678_9abc_def0_0fed_cba9_8765_4321n);
    assert.ok(decoded);
    assert.deepEqual(encode(decoded), decoded.bytes);
  }
});
