import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { activeChild, type HypervisorBench } from './bench.testing.ts';
import { offeredInterrupt, pendingInterruption, vpOfRef } from './index.ts';
import { takeRegisters } from './intercept/registers.ts';

const FIXED = 0;
const EXTINT = 7;

function raise(bench: HypervisorBench, vector: number, type: number): void {
  bench.call('ASSERT_VIRTUAL_INTERRUPT', { partition_id: 2n, vector, 'control.interrupt_type': type });
}

function vpOf(bench: HypervisorBench) {
  const vp = vpOfRef(bench.context, { partition: 2n, vp: 0 });
  assert.ok(vp !== undefined);
  return vp;
}

const offered = (bench: HypervisorBench) => offeredInterrupt(bench.context, vpOf(bench))?.vector;

/** The guest stops on its way into a handler, or later. */
function stop(bench: HypervisorBench, vector: number | undefined): void {
  const registers = [pendingInterruption(vector === undefined ? undefined : { vector, nmi: false })];
  takeRegisters(bench.context, vpOf(bench), { type: 0, payload: new Uint8Array(0), registers });
}

describe('interrupts that a guest takes', () => {
  it('are in service from then on', () => {
    const bench = activeChild();
    raise(bench, 0x41, FIXED);
    assert.equal(offered(bench), 0x41);
    stop(bench, 0x41);
    assert.equal(bench.cell('partition[2].vp[0].interrupt.irr[2]'), 0n);
    assert.equal(bench.cell('partition[2].vp[0].interrupt.isr[2]'), 2n);
    assert.equal(bench.cell('partition[2].vp[0].reg.pendingInterruption'), 0x41_0001n);
    assert.equal(offered(bench), undefined);
  });

  it('come one on the other, and are entered once the guest says so', () => {
    const bench = activeChild();
    raise(bench, 0x41, FIXED);
    stop(bench, 0x41);
    raise(bench, 0x51, FIXED);
    stop(bench, 0x51);
    assert.equal(bench.cell('partition[2].vp[0].interrupt.isr[2]'), 0x2_0002n);
    stop(bench, undefined);
    assert.equal(bench.cell('partition[2].vp[0].reg.pendingInterruption'), 0n);
    assert.equal(offered(bench), undefined);
  });

  it('of an external controller come first, and are acknowledged', () => {
    const bench = activeChild();
    raise(bench, 0x41, FIXED);
    raise(bench, 0x08, EXTINT);
    assert.equal(offered(bench), 0x08);
    stop(bench, 0x08);
    assert.equal(offered(bench), 0x41);
    assert.equal(bench.cell('partition[2].vp[0].interrupt.isr[0]'), 0n);
  });
});
