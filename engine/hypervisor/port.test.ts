import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { messageTypes } from '../abi/index.ts';
import { activeChild, type HypervisorBench } from './bench.testing.ts';
import { createHypervisor } from './index.ts';

const HYPERVISOR = createHypervisor();
const SELF = 0xffff_ffff_ffff_ffffn;
const ANY = 0xffff_ffff;
const [MESSAGE, EVENT] = [1, 2];

/** A child whose messages and signals go to SINT 3 of CPU 0, vector 0x30, over connections 0x50 and 0x60. */
function connected(given: Parameters<typeof activeChild>[0] = {}, vp = 0): HypervisorBench {
  const bench = activeChild({ cpus: 2, ...given });
  bench.write('SIMP', 0x1_0000_0001n);
  bench.write('SIEFP', 0x1_0000_1001n);
  bench.write('SCONTROL', 1n);
  bench.write('SINT3', 0x30n);
  const to = { port_partition_id: SELF, connection_partition_id: 2n };
  const target = (kind: string) => ({
    [`port_info.${kind}.target_sint`]: 3,
    [`port_info.${kind}.target_vp`]: vp,
  });
  bench.call('CREATE_PORT', {
    ...to,
    port_id: 5,
    'port_info.port_type': MESSAGE,
    ...target('message_port_info'),
  });
  bench.call('CREATE_PORT', {
    ...to,
    port_id: 6,
    'port_info.port_type': EVENT,
    ...target('event_port_info'),
    'port_info.event_port_info.base_flag_number': 60,
    'port_info.event_port_info.flag_count': 8,
  });
  for (const [port, type] of [
    [5, MESSAGE],
    [6, EVENT],
  ] as const) {
    bench.call('CONNECT_PORT', {
      connection_partition_id: 2n,
      connection_id: port * 16,
      port_partition_id: SELF,
      port_id: port,
      'connection_info.port_type': type,
    });
  }
  guestWrites(bench, 0x4000_0000, 0x81n);
  return bench;
}

function guestWrites(bench: HypervisorBench, msr: number, value: bigint): void {
  const access = {
    kind: 'msr',
    dir: 'write',
    msr,
    value,
    vp: { partition: 2n, vp: 0 },
    cpu: 0,
    component: 'guest',
  } as const;
  bench.note(HYPERVISOR.msr(bench.context, access).emitted);
}

const vp = { partition: 2n, vp: 0 };
/** Status, and what the hypervisor did. */
const words = ({ status, emitted }: { status: string; emitted: string[] }) => [status, ...emitted].join(' ');
const post = (bench: HypervisorBench, fields: Readonly<Record<string, number | bigint>> = {}) =>
  words(
    bench.call('POST_MESSAGE', { connectionid: 0x50, message_type: 7, payload_size: 4, ...fields }, { vp }),
  );
const signal = (bench: HypervisorBench, flag: number, connection = 0x60) =>
  words(bench.call('SIGNAL_EVENT', { connectionid: connection, flag_number: flag }, { vp }));

describe('a message over a connection', () => {
  it('fills the slot of the port’s SINT; the next ones wait', () => {
    const bench = connected();
    assert.equal(post(bench), 'SUCCESS deliver interrupt');
    assert.equal(post(bench), 'SUCCESS busy');
    assert.equal(bench.cell('cpu[0].synic.slot[3].type'), 7n);
    bench.message({ kind: 'message', cpu: 0, sint: 3, what: 'clear' });
    // The slot is free and nobody has told: the third message makes the second come.
    assert.equal(post(bench), 'SUCCESS busy deliver interrupt');
  });

  /** What is done before, the answer. TLFS 2013, HvPostMessage. */
  const ROWS: readonly (readonly [string, (bench: HypervisorBench) => void, string])[] = [
    ['the SynIC is off', (bench) => bench.write('SCONTROL', 0n), 'INVALID_SYNIC_STATE'],
    ['the message page is off', (bench) => bench.write('SIMP', 0n), 'INVALID_SYNIC_STATE'],
    ['the SINT is masked', (bench) => bench.write('SINT3', 0x1_0000n), 'SUCCESS deliver'],
    [
      'the port is gone',
      (bench) => bench.call('DELETE_PORT', { port_partition_id: SELF, port_id: 5 }, { fast: true }),
      'INVALID_PORT_ID',
    ],
    [
      'the connection is gone',
      (bench) => {
        const fields = { connection_partition_id: 2n, connection_id: 0x50 };
        bench.call('DISCONNECT_PORT', fields, { fast: true });
      },
      'INVALID_CONNECTION_ID',
    ],
  ];
  for (const [what, before, answer] of ROWS) {
    it(`${what}: ${answer}`, () => {
      const bench = connected();
      before(bench);
      assert.equal(post(bench), answer);
    });
  }

  it('takes a buffer of the port while it waits (profile messageBuffers)', () => {
    const bench = connected({ messageBuffers: 2 });
    const seen = Array.from({ length: 4 }, () => post(bench));
    assert.deepEqual(seen, [
      'SUCCESS deliver interrupt',
      'SUCCESS busy',
      'SUCCESS busy',
      'INSUFFICIENT_BUFFERS',
    ]);
  });

  it('to any processor goes to the first that takes it', () => {
    const bench = connected({}, ANY);
    bench.write('SCONTROL', 0n);
    assert.equal(post(bench), 'INVALID_SYNIC_STATE');
    bench.write('SIMP', 0x1_0000_2001n, 'test', 1);
    bench.write('SCONTROL', 1n, 'test', 1);
    assert.equal(post(bench), 'SUCCESS deliver');
    assert.equal(bench.cell('cpu[1].synic.slot[3].type'), 7n);
  });

  it('checks type, size and connection', () => {
    const bench = connected();
    const seen = [{ message_type: 0 }, { payload_size: 241 }, { connectionid: 0x60 }, { connectionid: 9 }];
    assert.deepEqual(
      seen.map((fields) => post(bench, fields)),
      ['INVALID_PARAMETER', 'INVALID_PARAMETER', 'INVALID_PORT_ID', 'INVALID_CONNECTION_ID'],
    );
  });
});

describe('a signal over a connection', () => {
  it('sets a flag of the port; an interrupt follows where it was clear', () => {
    const bench = connected();
    assert.equal(signal(bench, 7), 'SUCCESS event interrupt');
    assert.equal(signal(bench, 7), 'SUCCESS event');
    assert.equal(bench.cell('cpu[0].eventFlags[97]'), 8n);
    bench.message({ kind: 'message', cpu: 0, sint: 3, what: 'clear', flag: 67 });
    assert.equal(bench.cell('cpu[0].eventFlags[97]'), 0n);
    assert.equal(signal(bench, 7), 'SUCCESS event interrupt');
  });

  it('is refused beyond the flags of the port, and by a SynIC, page or SINT that is off', () => {
    assert.equal(signal(connected(), 8), 'INVALID_PARAMETER');
    for (const [name, value] of [
      ['SCONTROL', 0n],
      ['SIEFP', 0n],
      ['SINT3', 0x1_0000n],
    ] as const) {
      const bench = connected();
      bench.write(name, value);
      assert.equal(signal(bench, 0), 'INVALID_SYNIC_STATE', name);
    }
  });
});

describe('without a port', () => {
  /** A child whose VP takes messages and events on SINT 2. */
  function listening(): HypervisorBench {
    const bench = activeChild();
    for (const [msr, value] of [
      [0x4000_0080, 1n],
      [0x4000_0082, 0x6001n],
      [0x4000_0083, 0x5001n],
      [0x4000_0092, 0x40n],
    ] as const)
      guestWrites(bench, msr, value);
    return bench;
  }
  const to = { target_partition: 2n, target_sint: 2 };

  it('a signal says whether its flag was clear', () => {
    const bench = listening();
    const send = () => bench.call('SIGNAL_EVENT_DIRECT', { ...to, flag_number: 5 });
    assert.deepEqual([send().output?.[0], send().output?.[0]], [1, 0]);
    assert.equal(bench.cell('partition[2].vp[0].eventFlags[64]'), 0x20n);
    assert.equal(bench.cell('partition[2].vp[0].interrupt.irr[2]'), 1n);
  });

  it('a message is put into the slot as it is', () => {
    const bench = listening();
    const input = new Uint8Array(280);
    input.set([2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 4], 0);
    assert.equal(words(bench.raw('POST_MESSAGE_DIRECT', input)), 'SUCCESS deliver interrupt');
    assert.equal(bench.cell('partition[2].vp[0].synic.slot[2].type'), 1n);
    input[20] = 0;
    assert.equal(bench.raw('POST_MESSAGE_DIRECT', input).status, 'INVALID_PARAMETER');
  });

  it('a guest whose SynIC is off refuses, unless the record says otherwise', () => {
    const bench = activeChild();
    assert.equal(bench.call('SIGNAL_EVENT_DIRECT', to).status, 'INVALID_SYNIC_STATE');
    assert.equal(bench.call('SIGNAL_EVENT_DIRECT', { ...to, flag_number: 2048 }).status, 'INVALID_PARAMETER');
    assert.equal(bench.call('SIGNAL_EVENT_DIRECT', { ...to, target_sint: 16 }).status, 'INVALID_PARAMETER');
    assert.equal(bench.call('SIGNAL_EVENT_DIRECT', { ...to, target_vp: 1 }).status, 'INVALID_VP_INDEX');
  });
});

describe('the event ring', () => {
  it('what does not fit is put in when the driver says that it is empty', () => {
    const bench = connected();
    const port = { port_partition_id: SELF, connection_partition_id: 2n, port_id: 9 };
    bench.call('CREATE_PORT', {
      ...port,
      'port_info.port_type': 4,
      'port_info.doorbell_port_info.target_sint': 5,
    });
    bench.write('SIRBP', 0x1_0000_3001n);
    const type = messageTypes.number('HVMSG_SYNIC_SINT_INTERCEPT');
    const payload = Uint8Array.of(5, 0, 0, 0, 9, 0, 0, 0);
    const ring = () => {
      const stop = { kind: 'intercept', seq: 1, t: 0, provenance: 'authored', vp, type, payload };
      return HYPERVISOR.intercept(bench.context, stop as never);
    };
    const rules = Array.from({ length: 65 }, () => ring().rule);
    assert.deepEqual(new Set(rules.slice(0, 63)), new Set(['HDR.doorbell.ring']));
    assert.deepEqual(rules.slice(63), ['HDR.doorbell.ring-full', 'HDR.doorbell.ring-full']);
    bench.write('SIRBP', 0n);
    const off = ring();
    assert.deepEqual([off.rule, bench.note(off.emitted)], ['choice.doorbell.ring-off', ['drop synic-off']]);
    const empty = (sint: number) =>
      bench.call('NOTIFY_PORT_RING_EMPTY', { sint_index: sint }, { fast: true }).status;
    assert.deepEqual([empty(5), empty(16)], ['SUCCESS', 'INVALID_PARAMETER']);
    assert.equal(bench.state('cpu[0].ring[*]').length, 65);
  });
});
