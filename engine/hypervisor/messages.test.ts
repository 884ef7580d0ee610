import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JsonObject } from '../trace/text/json.ts';
import { HypervisorBench } from './bench.testing.ts';

const SINT2 = 'cpu[0].synic.slot[2]';

/** INITIATE_CONTACT of protocol 5.3 for VP `vp` and SINT 2, as bytes of HVCALL_POST_MESSAGE. */
function contact(connection = 4, vp = 0): Uint8Array {
  const input = new Uint8Array(16 + 40);
  const view = new DataView(input.buffer);
  view.setUint32(0, connection, true);
  view.setUint32(8, 1, true);
  view.setUint32(12, 40, true);
  view.setUint32(16, 14, true);
  view.setUint32(24, 0x5_0003, true);
  view.setUint32(28, vp, true);
  view.setUint8(32, 2);
  return input;
}

function unloadMessage(): Uint8Array {
  const input = new Uint8Array(16 + 8);
  const view = new DataView(input.buffer);
  view.setUint32(0, 4, true);
  view.setUint32(8, 1, true);
  view.setUint32(12, 8, true);
  view.setUint32(16, 16, true);
  return input;
}

function live(cpus = 1): HypervisorBench {
  const bench = new HypervisorBench({ role: 'l1vh', cpus });
  for (let cpu = 0; cpu < cpus; cpu++) {
    bench.write('SIMP', 0x1001n, 'vmbus', cpu);
    bench.write('SINT2', 0xf3n, 'vmbus', cpu);
    bench.write('SCONTROL', 1n, 'vmbus', cpu);
  }
  return bench;
}

describe('messages', () => {
  it('fill the slot of a live SINT and interrupt', () => {
    const bench = live();
    const { status, emitted } = bench.raw('POST_MESSAGE', contact());
    assert.equal(status, 'SUCCESS');
    assert.deepEqual(emitted, ['deliver', 'interrupt']);
    assert.equal(bench.cell(`${SINT2}.filled`), 1n);
    assert.equal(bench.cell(`${SINT2}.type`), 1n);
    assert.equal(bench.cell('host.vmbus.connected'), 1n);
  });

  it('go to the VP that the guest named', () => {
    const bench = live(2);
    bench.raw('POST_MESSAGE', contact(4, 1));
    assert.equal(bench.cell(`${SINT2}.filled`), 0n);
    assert.equal(bench.cell('cpu[1].synic.slot[2].filled'), 1n);
  });

  it('are written though the SINT is masked: only the interrupt is lost', () => {
    const bench = live();
    bench.write('SINT2', 0x100f3n);
    assert.deepEqual(bench.raw('POST_MESSAGE', contact()).emitted, ['deliver']);
  });

  it('are not announced where the SINT is polled', () => {
    const bench = live();
    bench.write('SINT2', 0x400f3n);
    assert.deepEqual(bench.raw('POST_MESSAGE', contact()).emitted, ['deliver']);
  });

  it('are lost, and counted, while the message page is off', () => {
    const bench = live();
    bench.write('SIMP', 0x1000n);
    const { status, emitted } = bench.raw('POST_MESSAGE', contact());
    assert.equal(status, 'SUCCESS');
    assert.deepEqual(emitted, ['drop synic-off']);
    assert.equal(bench.cell('cpu[0].synic.dropped'), 1n);
    assert.equal(bench.cell(`${SINT2}.filled`), 0n);
  });

  it('are lost while SCONTROL is off', () => {
    const bench = live();
    bench.write('SCONTROL', 0n);
    assert.deepEqual(bench.raw('POST_MESSAGE', contact()).emitted, ['drop synic-off']);
  });

  it('wait while the slot is filled, and come with the EOM after it was freed', () => {
    const bench = live();
    bench.raw('POST_MESSAGE', contact());
    assert.deepEqual(bench.raw('POST_MESSAGE', unloadMessage()).emitted, ['busy']);
    assert.equal(bench.cell(`${SINT2}.flags`), 1n);
    assert.equal(bench.cell(`${SINT2}.queued`), 1n);
    bench.write('EOM', 0n);
    assert.equal(bench.cell(`${SINT2}.queued`), 1n, 'the slot is not free yet');
    bench.message({ kind: 'message', what: 'clear', cpu: 0, sint: 2, flags: 1 });
    assert.equal(bench.cell(`${SINT2}.filled`), 0n);
    bench.write('EOM', 0n);
    assert.equal(bench.cell(`${SINT2}.filled`), 1n);
    assert.equal(bench.cell(`${SINT2}.queued`), 0n);
    assert.equal(bench.cell(`${SINT2}.flags`), 0n);
  });

  it('come in the order in which they were posted', () => {
    const bench = live();
    bench.raw('POST_MESSAGE', contact());
    bench.raw('POST_MESSAGE', contact());
    bench.raw('POST_MESSAGE', unloadMessage());
    const types: number[] = [];
    for (let i = 0; i < 3; i++) {
      const content = bench.context.store.blob(Number(bench.cell(`${SINT2}.content`)));
      types.push(content[16] ?? 0);
      bench.message({ kind: 'message', what: 'clear', cpu: 0, sint: 2 });
      bench.write('EOM', 0n);
    }
    assert.deepEqual(types, [15, 15, 17]);
    assert.equal(bench.cell(`${SINT2}.filled`), 0n);
  });

  it('that wait come when the message page is switched on again', () => {
    const bench = live();
    bench.raw('POST_MESSAGE', contact());
    bench.raw('POST_MESSAGE', unloadMessage());
    bench.message({ kind: 'message', what: 'clear', cpu: 0, sint: 2 });
    bench.write('SIMP', 0x1000n);
    bench.write('SIMP', 0x1001n);
    assert.equal(bench.cell(`${SINT2}.filled`), 1n);
  });

  it('of an unload are answered once', () => {
    const bench = live();
    assert.deepEqual(bench.raw('POST_MESSAGE', unloadMessage()).emitted, []);
    bench.raw('POST_MESSAGE', contact());
    bench.message({ kind: 'message', what: 'clear', cpu: 0, sint: 2 });
    assert.deepEqual(bench.raw('POST_MESSAGE', unloadMessage()).emitted, ['deliver', 'interrupt']);
    assert.equal(bench.cell('host.vmbus.connected'), 0n);
  });

  it('go to the nested register file for VMBus on a nested root', () => {
    const bench = new HypervisorBench({ role: 'nested-root' });
    bench.write('NESTED_SIMP', 0x1001n);
    bench.write('NESTED_SINT2', 0xf3n);
    bench.write('NESTED_SCONTROL', 1n);
    bench.raw('POST_MESSAGE', contact());
    assert.equal(bench.cell('cpu[0].nested.synic.slot[2].filled'), 1n);
    assert.equal(bench.cell(`${SINT2}.filled`), 0n);
  });
});

describe('HVCALL_POST_MESSAGE', () => {
  const posted = (change: (view: DataView) => void, profile = {}) => {
    const bench = new HypervisorBench({ role: 'l1vh', ...profile });
    const input = contact();
    change(new DataView(input.buffer));
    return bench.raw('POST_MESSAGE', input).status;
  };

  it('checks type, size and reserved bytes', () => {
    assert.equal(
      posted((view) => view.setUint32(8, 0, true)),
      'INVALID_PARAMETER',
    );
    assert.equal(
      posted((view) => view.setUint32(8, 0x8000_0000, true)),
      'INVALID_PARAMETER',
    );
    assert.equal(
      posted((view) => view.setUint32(12, 241, true)),
      'INVALID_PARAMETER',
    );
    assert.equal(
      posted((view) => view.setUint32(4, 1, true)),
      'INVALID_PARAMETER',
    );
    assert.equal(
      posted((view) => view.setUint32(4, 1, true), { reservedBits: 'warn' }),
      'SUCCESS',
    );
  });

  it('knows the connections of VMBus only, and those only where VMBus is', () => {
    assert.equal(
      posted((view) => view.setUint32(0, 1, true)),
      'SUCCESS',
    );
    assert.equal(
      posted((view) => view.setUint32(0, 0x1_0001, true)),
      '?',
    );
    assert.equal(
      posted(() => {}, { role: 'root' }),
      'INVALID_CONNECTION_ID',
    );
  });
});

describe('HVCALL_SIGNAL_EVENT', () => {
  it('takes signals on the event connection of VMBus, where VMBus is', () => {
    const signal = (connectionid: number, profile: JsonObject = { role: 'l1vh' }) =>
      new HypervisorBench(profile).call('SIGNAL_EVENT', { connectionid }, { fast: true }).status;
    assert.equal(signal(2), 'SUCCESS');
    assert.equal(signal(0x1_0007), '?');
    assert.equal(signal(2, { role: 'root' }), 'INVALID_CONNECTION_ID');
  });
});
