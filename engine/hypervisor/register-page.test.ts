import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fieldOf, readU32, readU64, registers } from '../abi/index.ts';
import type { PageEvent } from '../trace/event.ts';
import { seqOf, timeNs } from '../trace/position.ts';
import type { JsonObject } from '../trace/text/json.ts';
import { activeChild, type HypervisorBench } from './bench.testing.ts';
import { createHypervisor, registerPageOf } from './index.ts';
import { getRegisters, setRegisters, values } from './registers.testing.ts';
import { vpOfRef } from './vp/find.ts';
import { injectVector } from './vp/inject.ts';

const HYPERVISOR = createHypervisor();
const VP = { partition: 2n, vp: 0 };
const STATE_PAGE = { partition_id: 2n, vp_index: 0, type: 0 };
const AUTHORED = { seq: seqOf(1), t: timeNs(0), provenance: 'authored' } as const;

/** A VP with a register page. */
function withPage(given: JsonObject = {}): HypervisorBench {
  const bench = activeChild(given);
  bench.call('MAP_VP_STATE_PAGE', STATE_PAGE);
  return bench;
}
const resume = (bench: HypervisorBench) =>
  setRegisters(bench, ['INTERCEPT_SUSPEND', 0n], ['EXPLICIT_SUSPEND', 0n]);
/** The guest halts, and has changed these registers since it was let run. */
function stop(bench: HypervisorBench, changed: Readonly<Record<string, bigint>> = {}): void {
  HYPERVISOR.intercept(bench.context, {
    ...AUTHORED,
    ...{ kind: 'intercept', vp: VP, type: 0x8001_0007, payload: new Uint8Array(40) },
    registers: Object.entries(changed).map(([name, value]) => ({ name: registers.number(name), value })),
  });
}
/** One that has run and stopped. */
function stopped(given: JsonObject = {}): HypervisorBench {
  const bench = withPage(given);
  resume(bench);
  stop(bench, { RIP: 0x1000n, RAX: 0x11n });
  return bench;
}
function page(bench: HypervisorBench): Uint8Array {
  return registerPageOf(bench.context, vpOfRef(bench.context, VP) ?? assert.fail('no VP'));
}
const field = (bench: HypervisorBench, name: string) =>
  readU64(page(bench), fieldOf('hv_vp_register_page', name));
const head = (bench: HypervisorBench) =>
  ['version', 'isvalid', 'dirty'].map((name) => Number(field(bench, name)));
/** A parent puts 8 bytes at an offset each, and marks classes. */
function write(
  bench: HypervisorBench,
  dirty: number,
  at: Readonly<Record<number, bigint>>,
  component = 'vmm',
) {
  const bytes = [[4, BigInt(dirty)], ...Object.entries(at)].map(([offset, value], i) => {
    const part = new Uint8Array(8);
    new DataView(part.buffer).setBigUint64(0, value as bigint, true);
    return { offset: Number(offset), bytes: i === 0 ? part.slice(0, 4) : part };
  });
  const event: PageEvent = {
    ...AUTHORED,
    kind: 'page',
    what: 'write',
    page: 'register',
    component,
    vp: VP,
    bytes,
  };
  HYPERVISOR.page(bench.context, event);
}
const register = (bench: HypervisorBench, name: string) => values(getRegisters(bench, [name]).output)[0];

describe('the register page of a VP', () => {
  it('shows nothing before the VP has stopped, then its registers while it stands still', () => {
    const bench = withPage();
    assert.ok(page(bench).every((byte) => byte === 0));
    resume(bench);
    assert.deepEqual(head(bench), [0, 0, 0]);
    setRegisters(bench, ['EXPLICIT_SUSPEND', 1n]);
    stop(bench, {
      RIP: 0x1000n,
      R15: 0x15n,
      XMM5: (5n << 64n) | 6n,
      GS: 0x0093_1000_0000_ffffn << 64n,
      CR8: 3n,
    });
    assert.deepEqual(head(bench), [1, 1, 0]);
    assert.deepEqual(
      [
        'rip',
        'r15',
        'xmm5.low_part',
        'xmm5.high_part',
        'gs.limit',
        'gs.selector',
        'gs.attributes',
        'cr8',
      ].map((name) => Number(field(bench, name))),
      [0x1000, 0x15, 6, 5, 0xffff, 0x1000, 0x93, 3],
    );
    // Of a new VP: Intel SDM 3, table 10-1.
    assert.deepEqual(
      [field(bench, 'rflags'), field(bench, 'cr0'), field(bench, 'dr7')],
      [2n, 0x6000_0010n, 0x400n],
    );
    resume(bench);
    assert.deepEqual(head(bench), [1, 0, 0]);
  });

  it('is valid as the profile says', () => {
    const always = stopped({ registerPage: 'always' });
    resume(always);
    assert.deepEqual(head(always), [1, 1, 0]);
    assert.deepEqual(head(stopped({ registerPage: 'none' })), [0, 0, 0]);
    const none = activeChild();
    resume(none);
    stop(none);
    assert.deepEqual(head(none), [0, 0, 0]);
  });

  /** Register, its bit, where it stands. Source: Linux 7.2 include/hyperv/hvhdk.h, HV_X64_REGISTER_CLASS_…. */
  const CLASSES: readonly (readonly [string, number, number])[] = [
    ['RAX', 1, 8],
    ['R15', 1, 128],
    ['RIP', 2, 136],
    ['XMM5', 4, 240],
    ['GS', 8, 336],
    ['RFLAGS', 16, 144],
  ];
  for (const [name, bit, offset] of CLASSES) {
    it(`${name} is taken when the VP goes on, if its class is marked`, () => {
      const bench = stopped();
      const before = register(bench, name);
      write(bench, bit, { [offset]: 0x46n });
      assert.deepEqual([head(bench)[2], register(bench, name)], [bit, before]);
      assert.equal(readU32(page(bench), { ...fieldOf('hv_vp_register_page', 'dirty'), offset }), 0x46);
      resume(bench);
      assert.equal(head(bench)[2], 0);
      stop(bench, {});
      assert.equal((register(bench, name) ?? 0n) & 0xffn, 0x46n);

      const unmarked = stopped();
      write(unmarked, 31 & ~bit, { [offset]: 0x46n });
      resume(unmarked);
      stop(unmarked, {});
      assert.equal(register(unmarked, name), before);
    });
  }

  it('control registers cannot be changed there', () => {
    const bench = stopped();
    write(bench, 31, { 352: 0x11n });
    resume(bench);
    stop(bench, {});
    assert.equal(register(bench, 'CR0'), 0x6000_0010n);
  });

  it('what is written bit by bit adds up, and a call that sets a register counts', () => {
    const bench = stopped();
    write(bench, 1, { 8: 0x22n, 16: 0x33n });
    write(bench, 3, { 136: 0x2000n });
    setRegisters(bench, ['RAX', 0x44n], ['RBX', 0x55n]);
    assert.deepEqual(
      ['rax', 'rcx', 'rbx', 'rip'].map((name) => field(bench, name)),
      [0x44n, 0x33n, 0x55n, 0x2000n],
    );
    resume(bench);
    stop(bench, {});
    assert.deepEqual(
      ['RAX', 'RCX', 'RBX', 'RIP'].map((name) => register(bench, name)),
      [0x44n, 0x33n, 0x55n, 0x2000n],
    );
  });

  it("what is written while it is not valid is lost; what the driver writes is not the parent's", () => {
    const early = withPage();
    write(early, 2, { 136: 0x2000n });
    resume(early);
    stop(early, {});
    assert.equal(register(early, 'RIP'), 0xfff0n);
    const running = stopped();
    resume(running);
    write(running, 2, { 136: 0x2000n });
    stop(running, {});
    assert.deepEqual([register(running, 'RIP'), head(running)[2]], [0x1000n, 0]);
    write(running, 2, { 136: 0x2000n }, 'mshv');
    assert.equal(head(running)[2], 0);
  });

  it('shows the interrupts that wait, and nothing once it is unmapped', () => {
    const bench = stopped();
    const vp = vpOfRef(bench.context, VP) ?? assert.fail('no VP');
    injectVector(bench.context, vp, 0x41);
    assert.equal(field(bench, 'interrupt_vectors.as_uint64'), 0x4101n);
    write(bench, 2, { 136: 0x2000n });
    bench.call('UNMAP_VP_STATE_PAGE', STATE_PAGE);
    assert.deepEqual(head(bench), [0, 0, 0]);
    resume(bench);
    stop(bench, {});
    assert.deepEqual([register(bench, 'RIP'), head(bench)], [0x1000n, [0, 0, 0]]);
  });
});
