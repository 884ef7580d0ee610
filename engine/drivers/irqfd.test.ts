import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { msrs } from '../abi/index.ts';
import {
  cellAt,
  VP as GUEST_VP,
  offeredInterrupt,
  pendingInterruption,
  vpOfRef,
} from '../hypervisor/index.ts';
import { PARTITION, request, VP } from './guest.testing.ts';
import { LiveRoot } from './live.testing.ts';

const IRQFD = request('partition', 'MSHV_IRQFD');
const ROUTING = request('partition', 'MSHV_SET_MSI_ROUTING');
const REF = { partition: 2n, vp: 0 };
const RESAMPLE = 2;

function irqfdArg(fd: number, resampleFd: number, gsi: number, flags: number): Uint8Array {
  const arg = new Uint8Array(16);
  const view = new DataView(arg.buffer);
  view.setInt32(0, fd, true);
  view.setInt32(4, resampleFd, true);
  view.setUint32(8, gsi, true);
  arg[12] = flags;
  return arg;
}

/** Routes a line: the low halves of address and data of its message. */
function routeArg(gsi: number, address: number, data: number): Uint8Array {
  const arg = new Uint8Array(24);
  const view = new DataView(arg.buffer);
  [1, 0, gsi, address, 0, data].forEach((word, i) => {
    view.setUint32(4 * i, word, true);
  });
  return arg;
}

const signal = (live: LiveRoot, fd: number) =>
  live.feed({ kind: 'fd', what: 'eventfd-signal', handle: { kind: 'eventfd', fd }, value: 1n });

function vpOf(live: LiveRoot) {
  const vp = vpOfRef(live.machine, REF);
  assert.ok(vp !== undefined);
  return vp;
}

/** The guest takes the interrupt that is offered, and ends it: what comes of the end. */
function handled(live: LiveRoot): string[] {
  const offered = offeredInterrupt(live.machine, vpOf(live));
  const stop = { kind: 'intercept', component: 'hypervisor', vp: REF, type: 0, payload: new Uint8Array(0) };
  live.feed({ ...stop, registers: [pendingInterruption(offered)] });
  live.feed({ ...stop, registers: [pendingInterruption(undefined)] });
  const eoi = { kind: 'msr', dir: 'write', msr: msrs.number('EOI'), value: 0n, component: 'guest', vp: REF };
  return live.since(live.feed(eoi).seq).slice(1);
}

const LEVEL = 0x8000;
const TOLD = ['message deliver', 'message interrupt'];

describe('an eventfd that is resampled', () => {
  /** The driver takes the vector for the line: 0x41 is both. */
  it('is signalled when the guest has ended the interrupt', () => {
    const live = new LiveRoot();
    live.ioctl(PARTITION, ROUTING, routeArg(0x41, 0xfee0_0000, 0x41 | LEVEL));
    live.ioctl(PARTITION, IRQFD, irqfdArg(9, 10, 0x41, RESAMPLE));
    live.ioctl(PARTITION, IRQFD, irqfdArg(11, 12, 0x41, RESAMPLE));
    signal(live, 9);
    assert.deepEqual(handled(live), [...TOLD, 'fd eventfd-signal', 'fd eventfd-signal', 'message clear']);
    const told = live.recorded.flatMap((event) =>
      event.kind === 'fd' && event.component === 'mshv' && event.handle?.kind === 'eventfd'
        ? [event.handle.fd]
        : [],
    );
    assert.deepEqual(told, [12, 10], 'the last given first');
    live.finish();
  });

  it('is not signalled for another line, nor for an edge', () => {
    const live = new LiveRoot();
    live.ioctl(PARTITION, ROUTING, routeArg(0x41, 0xfee0_0000, 0x42 | LEVEL));
    live.ioctl(PARTITION, IRQFD, irqfdArg(9, 10, 0x41, RESAMPLE));
    signal(live, 9);
    assert.deepEqual(handled(live), [...TOLD, 'message clear']);
    live.ioctl(PARTITION, ROUTING, routeArg(0x41, 0xfee0_0000, 0x41));
    signal(live, 9);
    assert.deepEqual(handled(live), []);
    live.finish();
  });

  it('of an EXTINT has the hypervisor told first', () => {
    const live = new LiveRoot();
    live.ioctl(PARTITION, ROUTING, routeArg(0x41, 0xfee0_0000, 0x41 | LEVEL));
    live.ioctl(PARTITION, IRQFD, irqfdArg(9, 10, 0x41, RESAMPLE));
    signal(live, 9);
    live.ioctl(PARTITION, ROUTING, routeArg(0x41, 0xfee0_0000, 0x741 | LEVEL));
    assert.deepEqual(handled(live), [...TOLD, 'hypercall 0x56', 'fd eventfd-signal', 'message clear']);
    live.finish();
  });
});

describe('an eventfd where the register page takes vectors', () => {
  const FAST = { scheduler: 'root', cpuid: { '0x40000003': { ecx: '0x200' } } };
  const ASSERTED = ['hypercall 0x94'];
  const injected = (live: LiveRoot) => live.machine.store.get(cellAt(vpOf(live), GUEST_VP.slots.injected));

  function routed(given: object, address = 0xfee0_0000): LiveRoot {
    const live = new LiveRoot({ ...FAST, ...given });
    live.ioctl(PARTITION, ROUTING, routeArg(4, address, 0x41));
    live.ioctl(PARTITION, IRQFD, irqfdArg(9, -1, 4, 0));
    return live;
  }
  const came = (live: LiveRoot) => live.since(signal(live, 9).seq).slice(1);

  it('puts its vector there, once, and the next dispatch takes it', () => {
    const live = routed({});
    assert.deepEqual([came(live), came(live)], [[], []]);
    assert.equal(injected(live), 0x4101n);
    const run = live.feed({ kind: 'ioctl', handle: VP, op: request('vp', 'MSHV_RUN_VP') });
    const dispatch = live.recorded[run.seq];
    assert.ok(dispatch?.kind === 'hypercall' && dispatch.input !== undefined);
    assert.equal(dispatch.input[12], 0x40, 'the flag that has it look');
    assert.equal(injected(live), 0n);
    assert.deepEqual(offeredInterrupt(live.machine, vpOf(live)), { vector: 0x41, nmi: false });
    live.finish();
  });

  it('is asserted as well while the VP is being dispatched', () => {
    const live = routed({});
    live.feed({ kind: 'ioctl', handle: VP, op: request('vp', 'MSHV_RUN_VP') });
    assert.deepEqual(came(live), ASSERTED);
    assert.equal(injected(live), 0x4101n);
    live.finish();
  });

  it('is asserted where there is no room', () => {
    const live = routed({});
    for (let line = 5; line < 12; line++) {
      live.ioctl(PARTITION, ROUTING, routeArg(4, 0xfee0_0000, 0x50 + line));
      assert.deepEqual(came(live), []);
    }
    live.ioctl(PARTITION, ROUTING, routeArg(4, 0xfee0_0000, 0x41));
    assert.deepEqual(came(live), ASSERTED);
    live.finish();
  });

  /** What rules it out. Source: Linux 7.2 drivers/hv/mshv_eventfd.c, mshv_try_assert_irq_fast. */
  const OTHERS: readonly (readonly [string, object, number])[] = [
    ['the hypervisor that cannot', { cpuid: {} }, 0xfee0_0000],
    ['another scheduler', { scheduler: 'core' }, 0xfee0_0000],
    ['a logical destination', {}, 0xfee0_1004],
    ['a VP that is not there', { quirks: { 'fast-injection-missing-vp': false } }, 0xfee0_5000],
  ];
  for (const [what, given, address] of OTHERS) {
    it(`is asserted for ${what}`, () => {
      const live = routed(given, address);
      assert.deepEqual(came(live).slice(0, 1), ASSERTED);
      assert.equal(injected(live), 0n);
      live.finish();
    });
  }

  it('is nothing but a remark for a VP that is not there, by the quirk', () => {
    const live = routed({}, 0xfee0_5000);
    assert.deepEqual(came(live), ['mark']);
    live.finish();
  });
});
