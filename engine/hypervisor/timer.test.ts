import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { msrs } from '../abi/index.ts';
import { seqOf, timeNs } from '../trace/position.ts';
import { activeChild, type HypervisorBench, tableOf } from './bench.testing.ts';
import { createHypervisor, nextExpiry, vpOfRef } from './index.ts';
import { interruptToTake, takeInterrupt } from './vp/request.ts';

const HYPERVISOR = createHypervisor();
const VP = { partition: 2n, vp: 0 };

/** An access of the guest at a time in µs; the answer, and what the hypervisor did with it. */
function guest(bench: HypervisorBench, tUs: number, name: string, value?: bigint, recorded?: bigint) {
  const event = {
    kind: 'msr',
    seq: seqOf(1),
    t: timeNs(tUs * 1000),
    provenance: 'emulated',
    dir: value === undefined ? 'read' : 'write',
    msr: msrs.number(name),
    vp: VP,
    component: 'guest',
  } as const;
  const shown = value ?? recorded;
  const answer = HYPERVISOR.msr(bench.context, shown === undefined ? event : { ...event, value: shown });
  const words = (answer.emitted ?? []).map((each) =>
    each.kind === 'message'
      ? `${each.what}${each.what === 'interrupt' ? ` ${each.vector}` : ` ${each.sint}`}`
      : '',
  );
  bench.note(answer.emitted);
  return { value: answer.value, fault: answer.fault, words: words.join(', '), emitted: answer.emitted };
}

const MESSAGES = 0x5001n;
const [ENABLE, PERIODIC, LAZY, AUTO, DIRECT] = [1n, 2n, 4n, 8n, 1n << 12n];
const sint = (index: bigint) => index << 16n;
const vector = (value: bigint) => value << 4n;

/** A guest whose SynIC takes messages on SINT 2, with vector 0x40. */
function synic(): HypervisorBench {
  const bench = activeChild();
  guest(bench, 0, 'SCONTROL', 1n);
  guest(bench, 0, 'SIMP', MESSAGES);
  guest(bench, 0, 'SINT2', 0x40n);
  return bench;
}

function vpOf(bench: HypervisorBench) {
  const vp = vpOfRef(bench.context, VP);
  assert.ok(vp !== undefined);
  return vp;
}

describe('a timer of a guest', () => {
  /** Configuration, count, time of the next access in µs, what comes then, whether it still runs. TLFS, synthetic timers. */
  const ROWS: readonly (readonly [string, bigint, bigint, number, string, boolean])[] = [
    ['one-shot, not yet', ENABLE | sint(2n), 1000n, 99, '', true],
    ['one-shot, reached', ENABLE | sint(2n), 1000n, 100, 'deliver 2, interrupt 64', false],
    ['one-shot, in the past', ENABLE | sint(2n), 1n, 50, 'deliver 2, interrupt 64', false],
    ['periodic', ENABLE | PERIODIC | sint(2n), 500n, 100, 'deliver 2, interrupt 64', true],
    ['of direct mode', ENABLE | DIRECT | vector(0x50n), 1000n, 100, 'interrupt 80', false],
    ['that its count starts', AUTO | sint(2n), 1000n, 100, 'deliver 2, interrupt 64', false],
    ['without enable', sint(2n), 1000n, 500, '', false],
    ['without a count', ENABLE | sint(2n), 0n, 500, '', false],
    ['whose SINT is masked', ENABLE | sint(3n), 1000n, 100, 'deliver 3', false],
    ['beyond all time', ENABLE | sint(2n), 1n << 63n, 100, '', true],
  ];
  for (const [what, config, count, atUs, words, runs] of ROWS) {
    it(`${what}: ${words === '' ? 'nothing' : words}`, () => {
      const bench = synic();
      guest(bench, 40, 'STIMER0_CONFIG', config);
      guest(bench, 40, 'STIMER0_COUNT', count);
      assert.equal(guest(bench, atUs, 'SVERSION').words, words);
      assert.equal((guest(bench, atUs, 'STIMER0_CONFIG').value & ENABLE) === ENABLE, runs);
    });
  }

  it('its message says which timer, when it was due and when it came', () => {
    const bench = synic();
    guest(bench, 40, 'STIMER1_COUNT', 1000n);
    guest(bench, 40, 'STIMER1_CONFIG', ENABLE | sint(2n));
    const [message] = guest(bench, 130, 'SVERSION').emitted ?? [];
    assert.ok(message?.kind === 'message' && message.slot !== undefined);
    const view = new DataView(message.slot.buffer);
    const words = [view.getUint32(0, true), view.getUint8(4), view.getUint32(16, true)];
    assert.deepEqual(words, [0x8000_0010, 24, 1]);
    assert.deepEqual([view.getBigUint64(24, true), view.getBigUint64(32, true)], [1000n, 1300n]);
  });

  it('periodic: what was missed is skipped, and one message waits at most', () => {
    const bench = synic();
    guest(bench, 0, 'STIMER0_COUNT', 100n);
    guest(bench, 0, 'STIMER0_CONFIG', ENABLE | PERIODIC | sint(2n));
    const seen = [55, 56, 61, 75, 200].map((t) => guest(bench, t, 'SVERSION').words);
    assert.deepEqual(seen, ['deliver 2, interrupt 64', '', 'busy 2', '', '']);
    assert.equal(nextExpiry(bench.context, vpOf(bench)), 210_000);
    bench.message({ kind: 'message', vp: VP, sint: 2, what: 'clear' });
    assert.equal(guest(bench, 205, 'EOM', 0n).words, 'deliver 2, interrupt 64');
  });

  it('that is lazy wakes nobody, and comes with what happens next', () => {
    const bench = synic();
    guest(bench, 0, 'STIMER0_COUNT', 100n);
    guest(bench, 0, 'STIMER0_CONFIG', ENABLE | LAZY | sint(2n));
    assert.equal(nextExpiry(bench.context, vpOf(bench)), undefined);
    guest(bench, 0, 'STIMER1_COUNT', 500n);
    guest(bench, 0, 'STIMER1_CONFIG', ENABLE | sint(3n));
    assert.equal(nextExpiry(bench.context, vpOf(bench)), 50_000);
    assert.equal(guest(bench, 20, 'SVERSION').words, 'deliver 2, interrupt 64');
  });

  it('two of them into one slot come one after the other', () => {
    const bench = synic();
    for (const name of ['STIMER0', 'STIMER1']) {
      guest(bench, 0, `${name}_COUNT`, 100n);
      guest(bench, 0, `${name}_CONFIG`, ENABLE | sint(2n));
    }
    assert.equal(guest(bench, 20, 'SVERSION').words, 'deliver 2, interrupt 64');
    assert.equal(guest(bench, 20, 'SVERSION').words, 'busy 2');
    assert.equal(nextExpiry(bench.context, vpOf(bench)), undefined);
  });

  it('an end of interrupt lets a message that waits in, where the slot was freed without an EOM', () => {
    const bench = synic();
    guest(bench, 0, 'STIMER0_COUNT', 100n);
    guest(bench, 0, 'STIMER0_CONFIG', ENABLE | PERIODIC | sint(2n));
    assert.equal(guest(bench, 11, 'SVERSION').words, 'deliver 2, interrupt 64');
    assert.equal(guest(bench, 21, 'SVERSION').words, 'busy 2');
    bench.message({ kind: 'message', vp: VP, sint: 2, what: 'clear' });
    assert.equal(guest(bench, 22, 'EOI', 0n).words, 'deliver 2, interrupt 64');
  });

  it('expires when its VP stops', () => {
    const bench = synic();
    guest(bench, 0, 'STIMER0_COUNT', 100n);
    guest(bench, 0, 'STIMER0_CONFIG', ENABLE | sint(2n));
    const stop = {
      kind: 'intercept',
      seq: seqOf(1),
      t: timeNs(20_000),
      provenance: 'emulated',
      vp: VP,
    } as const;
    bench.note(HYPERVISOR.intercept(bench.context, { ...stop, type: 0x8001_0007 }).emitted);
    assert.equal(bench.cell('partition[2].vp[0].synic.slot[2].type'), 0x8000_0010n);
  });
});

describe('reference time', () => {
  it('of a guest runs with the trace, and never goes back', () => {
    const bench = activeChild();
    assert.equal(guest(bench, 10, 'TIME_REF_COUNT').value, 100n);
    assert.equal(guest(bench, 10, 'TIME_REF_COUNT', undefined, 5000n).value, 5000n);
    assert.equal(guest(bench, 11, 'TIME_REF_COUNT').value, 5010n);
    assert.equal(guest(bench, 12, 'TIME_REF_COUNT', undefined, 5009n).value, 5020n);
    assert.equal(guest(bench, 12, 'TIME_REF_COUNT', 1n).fault, true);
  });

  it('is what its parent set it to', () => {
    const bench = activeChild();
    const property = { partition_id: 2n, property_code: 0x30005 };
    bench.call('SET_PARTITION_PROPERTY', { ...property, property_value: 7000n });
    assert.equal(guest(bench, 1, 'TIME_REF_COUNT').value, 7010n);
    const { output } = bench.call('GET_PARTITION_PROPERTY', property);
    assert.equal(new DataView(output?.buffer ?? new ArrayBuffer(8)).getBigUint64(0, true), 7010n);
  });

  it('that is frozen holds its timers up until it goes on', () => {
    const bench = synic();
    const freeze = (value: bigint, t: number) =>
      bench.call(
        'SET_PARTITION_PROPERTY',
        { partition_id: 2n, property_code: 0x30003, property_value: value },
        { t: timeNs(t) },
      );
    guest(bench, 0, 'STIMER0_COUNT', 100n);
    guest(bench, 0, 'STIMER0_CONFIG', ENABLE | sint(2n));
    assert.equal(nextExpiry(bench.context, vpOf(bench)), 10_000);
    freeze(1n, 4_000);
    assert.equal(nextExpiry(bench.context, vpOf(bench)), undefined);
    guest(bench, 20, 'STIMER1_COUNT', 500n);
    guest(bench, 20, 'STIMER1_CONFIG', ENABLE | PERIODIC | sint(2n));
    assert.equal(nextExpiry(bench.context, vpOf(bench)), undefined);
    freeze(0n, 30_000);
    assert.equal(nextExpiry(bench.context, vpOf(bench)), 36_000);
    assert.equal(bench.cell('partition[2].vp[0].timerDue[1]'), 80_000n);
  });

  it('says when a one-shot timer is due', () => {
    const bench = synic();
    guest(bench, 0, 'TIME_REF_COUNT', undefined, 9000n);
    guest(bench, 0, 'STIMER0_COUNT', 9100n);
    guest(bench, 0, 'STIMER0_CONFIG', ENABLE | sint(2n));
    assert.equal(nextExpiry(bench.context, vpOf(bench)), 10_000);
  });
});

describe('the own partition', () => {
  const read = (bench: HypervisorBench, name: string, value?: bigint) => {
    const request = { kind: 'msr', dir: 'read', msr: msrs.number(name), cpu: 0, component: 'test' } as const;
    return HYPERVISOR.msr(bench.context, value === undefined ? request : { ...request, value });
  };

  /** Register, what is recorded of two reads, what they give. TLFS: timers, frequencies, crash. */
  const ROWS = `
| register       | first | second | answers      | rule                |
|----------------|-------|--------|--------------|---------------------|
| TSC_FREQUENCY  | 3000  | 4000   | 3000 3000    | TLFS.frequency      |
| APIC_FREQUENCY | 200   | 200    | 200 200      | TLFS.frequency      |
| VP_RUNTIME     | 90    | 80     | 90 90        | TLFS.vp-runtime     |
| VP_RUNTIME     | 90    | 95     | 90 95        | TLFS.vp-runtime     |
| CRASH_CTL      | 5     | 6      | 5 6          | TLFS.crash.support  |
| GUEST_IDLE     | 1     | 0      | 1 0          | TLFS.guest-idle     |
| RESET          | 1     | 0      | 0 0          | TLFS.reset          |
`;
  for (const [name = '', first = '', second = '', answers, rule] of tableOf(ROWS).slice(1)) {
    it(`${name}: ${first}, ${second} are ${answers}`, () => {
      const bench = activeChild();
      const given = [first, second].map((value) => read(bench, name, BigInt(value)));
      assert.equal(given.map(({ value }) => value).join(' '), answers);
      assert.deepEqual(new Set(given.map((answer) => answer.rule)), new Set([rule]));
    });
  }

  it('a one-shot timer that a read finds stopped has expired; a periodic one has not', () => {
    const bench = activeChild();
    bench.write('STIMER0_CONFIG', ENABLE | sint(2n));
    assert.equal(read(bench, 'STIMER0_CONFIG', sint(2n)).rule, 'TLFS.stimer.one-shot');
    assert.deepEqual(bench.bound, ['timer-expiry']);
    assert.equal(bench.cell('cpu[0].synic.timer[0].config'), sint(2n));
    bench.write('STIMER0_CONFIG', ENABLE | PERIODIC | sint(2n));
    assert.equal(read(bench, 'STIMER0_CONFIG', PERIODIC | sint(2n)).value & ENABLE, ENABLE);
  });

  it('a message of a timer tells that a one-shot one has stopped', () => {
    const bench = activeChild();
    bench.write('STIMER2_CONFIG', ENABLE | sint(2n));
    const slot = new Uint8Array(40);
    slot.set([0x10, 0, 0, 0x80, 24]);
    slot[16] = 2;
    bench.message({ kind: 'message', cpu: 0, sint: 2, what: 'deliver', slot });
    assert.equal(bench.cell('cpu[0].synic.timer[2].config'), sint(2n));
  });
});

describe('interrupts of a VP', () => {
  const raise = (bench: HypervisorBench, vectors: readonly number[], level = 0) => {
    for (const each of vectors)
      bench.call('ASSERT_VIRTUAL_INTERRUPT', {
        partition_id: 2n,
        vector: each,
        'control.level_triggered': level,
      });
  };
  const take = (bench: HypervisorBench) => takeInterrupt(bench.context, vpOf(bench));

  it('are taken by priority; those of the class in service wait for its end', () => {
    const bench = activeChild();
    raise(bench, [0x31, 0x52, 0x51, 0x52]);
    assert.equal(take(bench), 0x52);
    assert.equal(take(bench), undefined);
    guest(bench, 0, 'EOI', 0n);
    assert.equal(take(bench), 0x51);
    guest(bench, 0, 'EOI', 0n);
    assert.deepEqual([take(bench), take(bench)], [0x31, undefined]);
    raise(bench, [0x61]);
    assert.equal(take(bench), 0x61);
  });

  it('below the task priority wait', () => {
    const bench = activeChild();
    raise(bench, [0x41]);
    guest(bench, 0, 'TPR', 0x4fn);
    assert.equal(guest(bench, 0, 'TPR').value, 0x40n);
    assert.equal(interruptToTake(bench.context, vpOf(bench)), undefined);
    guest(bench, 0, 'TPR', 0x30n);
    assert.equal(interruptToTake(bench.context, vpOf(bench)), 0x41);
    assert.equal(guest(bench, 0, 'TPR', 0x100n).fault, true);
  });

  it('of a SINT with auto-EOI leave nothing in service', () => {
    const bench = synic();
    guest(bench, 0, 'SINT2', 0x2_0040n);
    raise(bench, [0x40, 0x41]);
    assert.equal(take(bench), 0x41);
    guest(bench, 0, 'EOI', 0n);
    assert.equal(take(bench), 0x40);
    assert.equal(bench.cell('partition[2].vp[0].interrupt.isr[2]'), 0n);
  });

  it('that a level holds: their end is told to the parent', () => {
    const bench = activeChild();
    bench.write('SIMP', 0x10_0000_0001n);
    bench.write('SCONTROL', 1n);
    raise(bench, [0x41], 1);
    take(bench);
    assert.equal(guest(bench, 0, 'EOI', 0n).words, 'deliver 0');
    assert.equal(bench.cell('cpu[0].synic.slot[0].type'), 0x8001_0004n);
    raise(bench, [0x42]);
    take(bench);
    assert.equal(guest(bench, 0, 'EOI', 0n).words, '');
  });

  it('a command of the guest requests them: of itself, of all others', () => {
    const bench = activeChild();
    bench.call('CREATE_VP', { partition_id: 2n, vp_index: 1 });
    guest(bench, 0, 'ICR', (1n << 18n) | 0x21n);
    guest(bench, 0, 'ICR', (3n << 18n) | 0x22n);
    guest(bench, 0, 'ICR', (1n << 56n) | 0x23n);
    guest(bench, 0, 'ICR', (1n << 56n) | 0x5n);
    assert.equal(bench.cell('partition[2].vp[0].interrupt.irr[1]'), 0b10n);
    assert.equal(bench.cell('partition[2].vp[1].interrupt.irr[1]'), 0b1100n);
  });

  it('stand in the state of the LAPIC, and come from there', () => {
    const bench = activeChild();
    raise(bench, [0x41]);
    const state = { partition_id: 2n, 'state_data.type': 0 };
    const { output } = bench.call('GET_VP_STATE', state);
    assert.equal(output?.[84 + 8], 2);
    const input = new Uint8Array(40 + 176);
    input[0] = 2;
    input[40 + 20 + 4] = 4;
    assert.equal(bench.raw('SET_VP_STATE', input).status, 'SUCCESS');
    assert.equal(bench.cell('partition[2].vp[0].interrupt.isr[1]'), 4n);
    assert.equal(interruptToTake(bench.context, vpOf(bench)), undefined);
  });
});
