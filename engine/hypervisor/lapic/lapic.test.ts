import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seqOf, timeNs } from '../../trace/position.ts';
import { activeChild, HypervisorBench } from '../bench.testing.ts';
import {
  APIC_WINDOW,
  cellAt,
  createHypervisor,
  mayRun,
  nextExpiry,
  offeredInterrupt,
  PARTITION,
  pendingInterruption,
  registerOf,
  VP,
  vpOfRef,
} from '../index.ts';

const HYPERVISOR = createHypervisor();
const FLAGS = 0x8_2000n;

/** A partition with LAPICs and two VPs. */
function machine(): HypervisorBench {
  const bench = new HypervisorBench({ role: 'root' });
  bench.call('CREATE_PARTITION', { flags: FLAGS });
  const values = Array.from({ length: 400 }, (_, i) => BigInt(0x1000 + i));
  const list = { field: 'gpa_page_list', values };
  bench.call('DEPOSIT_MEMORY', { partition_id: 2n }, { reps: 400, list });
  bench.call('INITIALIZE_PARTITION', { partition_id: 2n }, { fast: true });
  for (const index of [0, 1]) bench.call('CREATE_VP', { partition_id: 2n, vp_index: index });
  return bench;
}

function vpOf(bench: HypervisorBench, vp: number) {
  const id = vpOfRef(bench.context, { partition: 2n, vp });
  assert.ok(id !== undefined);
  return id;
}

/** An access of VP 0 to the window at a time in ns; the value, and the vectors of interrupts that came of it. */
function window(bench: HypervisorBench, tNs: number, offset: number, value?: number) {
  const event = {
    kind: 'msr',
    seq: seqOf(1),
    t: timeNs(tNs),
    provenance: 'emulated',
    dir: value === undefined ? 'read' : 'write',
    msr: APIC_WINDOW + offset,
    vp: { partition: 2n, vp: 0 },
    component: 'guest',
    ...(value === undefined ? {} : { value: BigInt(value) }),
  } as const;
  const answer = HYPERVISOR.msr(bench.context, event);
  bench.note(answer.emitted);
  const vectors = (answer.emitted ?? []).map((each) => (each.kind === 'message' ? each.vector : undefined));
  return { value: Number(answer.value), vectors };
}

const [SVR, LVT_TIMER, INITIAL, CURRENT, DIVIDE] = [0xf0, 0x320, 0x380, 0x390, 0x3e0];
const [BY_1, BY_2, BY_128] = [0xb, 0, 0xa];
const PERIODIC = 1 << 17;
const MASKED = 1 << 16;

/** At 200 MHz a tick is 5 ns. */
function counting(entry: number, divide: number, count: number): HypervisorBench {
  const bench = machine();
  window(bench, 0, SVR, 0x1ff);
  window(bench, 0, LVT_TIMER, entry);
  window(bench, 0, DIVIDE, divide);
  window(bench, 1000, INITIAL, count);
  return bench;
}

describe('the timer of a LAPIC', () => {
  /** Entry, divider, count, when it is due, what comes then, when it is due next. Intel SDM 3, 12.5.4. */
  const ROWS: readonly (readonly [string, number, number, number, number, number[], number | undefined])[] = [
    ['one-shot', 0x40, BY_1, 100, 1500, [0x40], undefined],
    ['divided by 2', 0x40, BY_2, 100, 2000, [0x40], undefined],
    ['divided by 128', 0x40, BY_128, 100, 65_000, [0x40], undefined],
    ['periodic', 0x40 | PERIODIC, BY_1, 100, 1500, [0x40], 2000],
    ['masked', 0x40 | MASKED, BY_1, 100, 1500, [], undefined],
    ['without a vector', 0x5, BY_1, 100, 1500, [], undefined],
  ];
  for (const [what, entry, divide, count, due, vectors, next] of ROWS) {
    it(`${what}: due after ${due - 1000} ns`, () => {
      const bench = counting(entry, divide, count);
      assert.equal(nextExpiry(bench.context, vpOf(bench, 0)), due);
      assert.deepEqual(window(bench, due - 1, SVR).vectors, []);
      assert.deepEqual(window(bench, due, SVR).vectors, vectors);
      assert.equal(nextExpiry(bench.context, vpOf(bench, 0)), next);
    });
  }

  it('shows what is left of the count, and stops at 0', () => {
    const bench = counting(0x40, BY_1, 100);
    assert.deepEqual(
      [1000, 1250, 1499, 1500, 9000].map((at) => window(bench, at, CURRENT).value),
      [100, 50, 0, 0, 0],
    );
    window(bench, 9000, INITIAL, 100);
    window(bench, 9100, INITIAL, 0);
    assert.equal(nextExpiry(bench.context, vpOf(bench, 0)), undefined);
  });

  it('skips what was missed where it is periodic', () => {
    const bench = counting(0x40 | PERIODIC, BY_1, 100);
    assert.deepEqual(window(bench, 4200, SVR).vectors, [0x40]);
    assert.equal(nextExpiry(bench.context, vpOf(bench, 0)), 4500);
  });

  it('goes on with the rest of the count when the divider changes', () => {
    const bench = counting(0x40, BY_1, 100);
    window(bench, 1250, DIVIDE, BY_2);
    assert.equal(nextExpiry(bench.context, vpOf(bench, 0)), 1750);
  });

  it('counts as fast as the guest was told', () => {
    const bench = machine();
    const { store } = bench.context;
    store.set(cellAt(store.parent(vpOf(bench, 0)), PARTITION.slots.frequency.apic), 1_000_000_000);
    window(bench, 0, DIVIDE, BY_1);
    window(bench, 0, INITIAL, 100);
    assert.equal(nextExpiry(bench.context, vpOf(bench, 0)), 100);
  });

  it('expires when its VP is stopped without a message', () => {
    const bench = counting(0x40, BY_1, 100);
    const stop = { kind: 'intercept', seq: seqOf(1), t: timeNs(1500), provenance: 'emulated' } as const;
    const vp = { partition: 2n, vp: 0 };
    bench.note(HYPERVISOR.intercept(bench.context, { ...stop, vp, type: 0, registers: [] }).emitted);
    assert.deepEqual(offeredInterrupt(bench.context, vpOf(bench, 0)), { vector: 0x40, nmi: false });
  });
});

describe('the start of a VP', () => {
  it('comes by INIT and SIPI of another; the first VP needs none', () => {
    const bench = machine();
    for (const index of [0, 1])
      bench.context.store.set(cellAt(vpOf(bench, index), VP.slots.suspend.explicit), 0);
    const runs = () => [0, 1].map((index) => mayRun(bench.context, vpOf(bench, index)));
    assert.deepEqual(runs(), [true, false]);
    window(bench, 0, 0x300, 0xc4500);
    assert.deepEqual(runs(), [true, false]);
    window(bench, 0, 0x300, 0xc4609);
    assert.deepEqual(runs(), [true, true]);
    const at = (name: number) => registerOf(bench.context, vpOf(bench, 1), name).low;
    assert.deepEqual([at(0x20010), at(0x60001)], [0n, 0x9000n]);
  });

  it('was seen where it stops: nobody waits for its SIPI any more', () => {
    const bench = machine();
    const stop = { kind: 'intercept', seq: seqOf(1), t: timeNs(5), provenance: 'observed' } as const;
    HYPERVISOR.intercept(bench.context, { ...stop, vp: { partition: 2n, vp: 1 }, type: 0x8001_0000 });
    assert.equal(bench.cell('partition[2].vp[1].reg.internalActivity'), 0n);
  });

  it('is not waited for without a LAPIC', () => {
    const bench = activeChild();
    bench.call('CREATE_VP', { partition_id: 2n, vp_index: 1 });
    assert.equal(bench.cell('partition[2].vp[1].reg.internalActivity'), 0n);
  });

  it('INIT leaves memory types and the id, and clears what waits', () => {
    const bench = machine();
    bench.call('ASSERT_VIRTUAL_INTERRUPT', { partition_id: 2n, vector: 0x41, dest_addr: 1 });
    const [id, pat] = ['lapic.id', 'reg.pat'].map((path) => bench.cell(`partition[2].vp[1].${path}`));
    const init = { partition_id: 2n, dest_addr: 1, 'control.interrupt_type': 5 };
    assert.equal(bench.call('ASSERT_VIRTUAL_INTERRUPT', init).status, 'SUCCESS');
    assert.equal(bench.cell('partition[2].vp[1].interrupt.irr[2]'), 0n);
    assert.equal(bench.cell('partition[2].vp[1].lapic.id'), id);
    assert.equal(bench.cell('partition[2].vp[1].reg.pat'), pat);
    assert.equal(bench.cell('partition[2].vp[1].reg.internalActivity'), 1n);
  });
});

describe('an NMI', () => {
  it('comes before all others, and is taken once', () => {
    const bench = machine();
    bench.call('ASSERT_VIRTUAL_INTERRUPT', { partition_id: 2n, vector: 0x41 });
    const nmi = { partition_id: 2n, 'control.interrupt_type': 4 };
    bench.call('ASSERT_VIRTUAL_INTERRUPT', nmi);
    bench.call('ASSERT_VIRTUAL_INTERRUPT', nmi);
    const offered = offeredInterrupt(bench.context, vpOf(bench, 0));
    assert.deepEqual(offered, { vector: 2, nmi: true });
    const stop = { kind: 'intercept', seq: seqOf(1), t: timeNs(5), provenance: 'emulated' } as const;
    const registers = [pendingInterruption(offered)];
    HYPERVISOR.intercept(bench.context, { ...stop, vp: { partition: 2n, vp: 0 }, type: 0, registers });
    assert.deepEqual(offeredInterrupt(bench.context, vpOf(bench, 0)), { vector: 0x41, nmi: false });
    assert.equal(bench.cell('partition[2].vp[0].reg.pendingInterruption'), 0x2_0005n);
  });

  it('comes of a pin of the LAPIC that its vector table names so', () => {
    const bench = machine();
    window(bench, 0, SVR, 0x1ff);
    window(bench, 0, 0x360, 0x400);
    bench.call('ASSERT_VIRTUAL_INTERRUPT', { partition_id: 2n, 'control.interrupt_type': 8 });
    assert.equal(bench.cell('partition[2].vp[0].interrupt.nmi'), 0n);
    bench.call('ASSERT_VIRTUAL_INTERRUPT', { partition_id: 2n, 'control.interrupt_type': 9 });
    assert.equal(bench.cell('partition[2].vp[0].interrupt.nmi'), 1n);
  });
});
