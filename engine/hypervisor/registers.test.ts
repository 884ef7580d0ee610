import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { activeChild, tableOf } from './bench.testing.ts';
import {
  type GivenRegister as Given,
  getRegisters as get,
  setRegisters as set,
  values,
} from './registers.testing.ts';

const hex = (value: bigint) => `0x${value.toString(16)}`;

describe('registers of a VP', () => {
  /** After creation. Source: Intel SDM 3, table 10-1. */
  const RESET = `
| register   | value                                |
|------------|--------------------------------------|
| RAX        | 0x0                                  |
| RIP        | 0xfff0                               |
| RFLAGS     | 0x2                                  |
| CS         | 0x9bf0000000ffff00000000ffff0000     |
| DS         | 0x93000000000000ffff0000000000000000 |
| GDTR       | 0xffff000000000000                   |
| CR0        | 0x60000010                           |
| PAT        | 0x7040600070406                      |
| SINT3      | 0x10000                              |
| SCONTROL   | 0x0                                  |
| XMM_CONTROL_STATUS | 0x1f800000000000000000       |
| VP_INDEX   | 0x0                                  |
| MSR_MTRR_DEF_TYPE | 0x0                           |
`;
  it('have their reset values', () => {
    const expected = tableOf(RESET).slice(1);
    const { output, status } = get(
      activeChild(),
      expected.map(([name = '']) => name),
    );
    assert.equal(status, 'SUCCESS');
    const cs = (0xf000n << 96n) | (0x9bn << 112n) | (0xffffn << 64n) | 0xffff_0000n;
    const ds = (0x93n << 112n) | (0xffffn << 64n);
    assert.deepEqual(
      values(output).map(hex),
      expected.map(([name, value]) => (name === 'CS' ? hex(cs) : name === 'DS' ? hex(ds) : value)),
    );
  });

  it('read back what was set, each part in a cell of its own', () => {
    const bench = activeChild();
    const given: Given[] = [
      ['RIP', 0x1234n],
      ['ES', 0x10000n, 0x0093_1000_0000_ffffn],
      ['IDTR', 0x3ff0000_0000_0000n, 0x5000n],
      ['XMM5', 0x1111n, 0x2222n],
      ['MSR_MTRR_PHYS_BASE0', 0x77n],
      ['STIMER2_COUNT', 0x99n],
    ];
    assert.deepEqual([set(bench, ...given).status, set(bench, ...given).reps], ['SUCCESS', 6]);
    const { output } = get(
      bench,
      given.map(([name]) => name),
    );
    assert.deepEqual(
      values(output),
      given.map(([, low, high = 0n]) => low | (high << 64n)),
    );
    assert.equal(bench.cell('partition[2].vp[0].reg.es.selector'), 0x1000n);
    assert.equal(bench.cell('partition[2].vp[0].reg.es.limit'), 0xffffn);
    assert.equal(bench.cell('partition[2].vp[0].reg.idtr.limit'), 0x3ffn);
    assert.equal(bench.cell('partition[2].vp[0].reg[0x80010].low'), 0x77n);
    assert.equal(bench.cell('partition[2].vp[0].synic.timer[2].count'), 0x99n);
  });

  /** One element. Source: TLFS 2013, HvSetVpRegisters; status of reserved bits: TLFS. */
  const CHECKS: readonly (readonly [string | number, bigint, string, string])[] = [
    ['RIP', 0n, 'SUCCESS', 'TLFS2013.registers.set'],
    ['CR8', 0x10n, 'INVALID_REGISTER_VALUE', 'TLFS2013.registers.reserved-bits'],
    ['RFLAGS', 1n << 22n, 'INVALID_REGISTER_VALUE', 'TLFS2013.registers.reserved-bits'],
    ['EXPLICIT_SUSPEND', 2n, 'INVALID_REGISTER_VALUE', 'TLFS2013.registers.reserved-bits'],
    ['EXPLICIT_SUSPEND', 1n, 'SUCCESS', 'TLFS2013.registers.set'],
    ['INTERCEPT_SUSPEND', 1n, 'INVALID_PARAMETER', 'TLFS2013.registers.intercept-suspend'],
    ['VP_INDEX', 1n, 'INVALID_PARAMETER', 'choice.registers.read-only'],
    ['SINT4', 5n, 'INVALID_REGISTER_VALUE', 'TLFS.synic.sint-vector'],
    ['SINT4', 0x10005n, 'SUCCESS', 'TLFS2013.registers.set'],
    [0x7777_7777, 0n, 'INVALID_PARAMETER', 'TLFS2013.registers.unknown'],
  ];
  for (const [name, value, status, rule] of CHECKS) {
    it(`set ${name} to ${hex(value)}: ${status}`, () => {
      const answer = set(activeChild(), ['RAX', 1n], [name, value], ['RCX', 2n]);
      assert.deepEqual(
        [answer.status, answer.rule, answer.reps],
        [status, rule, status === 'SUCCESS' ? 3 : 1],
      );
    });
  }

  it('an unknown name ends a read there; its status is a choice', () => {
    const answer = get(activeChild(), ['RIP', 0x7777_7777]);
    assert.deepEqual([answer.status, answer.reps, answer.output?.length], ['INVALID_PARAMETER', 1, 16]);
    const openvmm = get(activeChild({ unknownRegister: '0x87' }), [0x7777_7777]);
    assert.deepEqual([openvmm.status, openvmm.rule], ['UNKNOWN_REGISTER_NAME', 'OpenVMM.registers.unknown']);
  });

  it('what the guest made of them unseen is taken from the record, once', () => {
    const bench = activeChild();
    set(bench, ['RAX', 1n], ['EXPLICIT_SUSPEND', 0n]);
    const recorded = new Uint8Array(16).fill(9, 0, 8);
    assert.deepEqual(get(bench, ['RAX'], recorded).output, recorded);
    assert.deepEqual(bench.bound, ['register-value']);
    const wrong = new Uint8Array(16);
    assert.deepEqual(get(bench, ['RAX'], wrong).output, recorded);
    assert.deepEqual(bench.bound, ['register-value']);
  });

  it('time goes by itself', () => {
    const bench = activeChild();
    const recorded = new Uint8Array(16).fill(9);
    assert.deepEqual(get(bench, ['TSC'], recorded).output, recorded);
    const later = new Uint8Array(16).fill(10);
    assert.deepEqual(get(bench, ['TSC'], later).output, later);
  });
});
