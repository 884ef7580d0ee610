import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { channelMessage, fieldOf, writeField } from '../abi/index.ts';
import { replay } from '../replay/replay.ts';
import { memorySource } from '../replay/source.ts';
import { CellPaths } from '../state/path.ts';
import { Bench } from './bench.testing.ts';
import { played, type Scenario, SIDES, sampleScenarios, scenario } from './scenario.testing.ts';
import { talk } from './vmbus.testing.ts';

const sampleOf = (name: string): Scenario => {
  const found = sampleScenarios().find((sample) => sample.name === name);
  assert.ok(found);
  return found;
};

/** Replays what a scenario came to, and says after each talk what stands in some cells (`-`: no such object). */
function watched(sample: Scenario, paths: readonly string[]): string[] {
  const { events } = played(sample, sample.header.profile);
  const lines: string[] = [];
  const report = replay(memorySource(sample.header, events), SIDES, {
    observe({ event }, { store }) {
      const [said] = talk([event]);
      if (said === undefined) return;
      const cells = new CellPaths(store.tables.objects);
      const values = paths.map((path) => {
        const [cell] = cells.find(path) ?? [];
        if (cell === undefined) return '-';
        const object = cells.objectOf(cell).id as number as typeof cell;
        return store.low(object) === 1 ? String(store.number(cell)) : '-';
      });
      lines.push(`${said}: ${values.join(' ')}`);
    },
  });
  assert.deepEqual(report.divergences, []);
  return lines;
}

describe('the life of a channel (Linux 7.2 drivers/hv/channel.c, channel_mgmt.c)', () => {
  const sample = sampleOf('vmbus-channel-l1vh');

  it('what is recorded stands among what is worked out', () => {
    assert.deepEqual(talk(played(sample, sample.header.profile).events), [
      '> INITIATE_CONTACT',
      '< VERSION_RESPONSE',
      '> REQUESTOFFERS',
      '< ALLOFFERS_DELIVERED',
      '< OFFERCHANNEL',
      '> GPADL_HEADER',
      '> GPADL_BODY',
      '< GPADL_CREATED',
      '> OPENCHANNEL',
      '< OPENCHANNEL_RESULT',
      '> MODIFYCHANNEL',
      '< MODIFYCHANNEL_RESPONSE',
      '< RESCIND_CHANNELOFFER',
      '> CLOSECHANNEL',
      '> GPADL_TEARDOWN',
      '< GPADL_TORNDOWN',
      '> RELID_RELEASED',
      '> UNLOAD',
      '< UNLOAD_RESPONSE',
    ]);
  });

  it('its state: offered 1, opening 2, open 3, closed 4; rescinded, VP, moving', () => {
    const cells = ['state', 'rescinded', 'gpadl', 'targetVp', 'moving'];
    const states = watched(
      sample,
      cells.map((cell) => `driver.vmbus.channel[7].${cell}`),
    );
    assert.deepEqual(states.slice(4), [
      '< OFFERCHANNEL: 1 0 0 0 0',
      '> GPADL_HEADER: 1 0 0 0 0',
      '> GPADL_BODY: 1 0 0 0 0',
      '< GPADL_CREATED: 1 0 0 0 0',
      '> OPENCHANNEL: 2 0 925200 0 0',
      '< OPENCHANNEL_RESULT: 3 0 925200 0 0',
      '> MODIFYCHANNEL: 3 0 925200 1 1',
      '< MODIFYCHANNEL_RESPONSE: 3 0 925200 1 0',
      '< RESCIND_CHANNELOFFER: 3 1 925200 1 0',
      '> CLOSECHANNEL: 4 1 925200 1 0',
      '> GPADL_TEARDOWN: 4 1 925200 1 0',
      '< GPADL_TORNDOWN: 4 1 925200 1 0',
      '> RELID_RELEASED: - - - - -',
      '> UNLOAD: - - - - -',
      '< UNLOAD_RESPONSE: - - - - -',
    ]);
  });

  it('the state of its GPADL: creating 1, created 2, ending 3; channel, bytes, pages, pages named', () => {
    const cells = ['state', 'channel', 'bytes', 'pages', 'named'];
    const states = watched(
      sample,
      cells.map((cell) => `driver.vmbus.gpadl[0xe1e10].${cell}`),
    );
    assert.deepEqual(
      states.filter((line, i) => line.split(':')[1] !== states[i - 1]?.split(':')[1]),
      [
        '> INITIATE_CONTACT: - - - - -',
        '> GPADL_HEADER: 1 7 131072 32 26',
        '> GPADL_BODY: 1 7 131072 32 32',
        '< GPADL_CREATED: 2 7 131072 32 32',
        '> GPADL_TEARDOWN: 3 7 131072 32 32',
        '< GPADL_TORNDOWN: - - - - -',
      ],
    );
  });

  it('the state of the connection: connecting 1, connected 2; version; offers; unloading', () => {
    const cells = ['connection', 'version', 'offers', 'unloading', 'messageConnection'];
    const states = watched(
      sample,
      cells.map((cell) => `driver.vmbus.${cell}`),
    );
    const [first, second, third, fourth] = states;
    assert.deepEqual(
      [first, second, third, fourth, ...states.slice(-2)],
      [
        '> INITIATE_CONTACT: 1 0 0 0 4',
        '< VERSION_RESPONSE: 2 393216 0 0 4',
        '> REQUESTOFFERS: 2 393216 1 0 4',
        '< ALLOFFERS_DELIVERED: 2 393216 2 0 4',
        '> UNLOAD: 0 393216 2 1 4',
        '< UNLOAD_RESPONSE: 0 393216 0 0 4',
      ],
    );
  });
});

describe('channel messages without what led to them', () => {
  const POSTED = (payload: string, more = '') =>
    `{"t":"0","kind":"hypercall","cpu":0,"code":"HVCALL_POST_MESSAGE","input":{"connectionid":4,"payload":${payload}}${more}}`;
  const SENT = (payload: string, more = '"cpu":0,"sint":2') =>
    `{"t":"0","kind":"message","what":"deliver",${more},"slot":{"payload":${payload}}}`;
  const after = (lines: readonly string[], path: string, profile = '"role":"l1vh","initial":"unknown"') =>
    watched(scenario('lines', [`{"profile":{${profile}}}`, ...lines].join('\n')), [path]).at(-1);

  it('tell of channels that were there before the recording', () => {
    const open = SENT('{"vmbus":"OPENCHANNEL_RESULT","child_relid":3}');
    assert.equal(after([open], 'driver.vmbus.channel[3].state'), '< OPENCHANNEL_RESULT: 3');
    const torn = POSTED('{"vmbus":"GPADL_TEARDOWN","gpadl":"0x9"}');
    assert.equal(after([torn], 'driver.vmbus.gpadl[0x9].state'), '> GPADL_TEARDOWN: 3');
  });

  it('are taken over where the kernel is not known', () => {
    const offer = SENT('{"vmbus":"OFFERCHANNEL","child_relid":3}');
    const profile = '"role":"guest","kernel":"unknown"';
    assert.equal(after([offer], 'driver.vmbus.channel[3].state', profile), '< OFFERCHANNEL: 1');
  });

  it('a channel that could not be opened is offered still; a GPADL that could not be made is gone', () => {
    const opened = [
      SENT('{"vmbus":"OFFERCHANNEL","child_relid":3}'),
      POSTED('{"vmbus":"OPENCHANNEL","child_relid":3}'),
      SENT('{"vmbus":"OPENCHANNEL_RESULT","child_relid":3,"status":"0xc0000001"}'),
    ];
    assert.equal(after(opened, 'driver.vmbus.channel[3].state'), '< OPENCHANNEL_RESULT: 1');
    const made = [
      POSTED(
        '{"vmbus":"GPADL_HEADER","gpadl":"0x9","rangecount":1,"range_buflen":16,"range":[{"pfn_array":["0x1"]}]}',
      ),
      SENT('{"vmbus":"GPADL_CREATED","gpadl":"0x9","creation_status":"0xc000009a"}'),
    ];
    assert.equal(after(made, 'driver.vmbus.gpadl[0x9].state'), '< GPADL_CREATED: -');
  });

  it('before 5.3 nobody answers that a channel has moved', () => {
    const old = [
      POSTED('{"vmbus":"INITIATE_CONTACT","vmbus_version_requested":"WIN10_V5_2"}'),
      SENT('{"vmbus":"VERSION_RESPONSE","version_supported":1,"msg_conn_id":4}'),
      POSTED('{"vmbus":"MODIFYCHANNEL","child_relid":3,"target_vp":1}'),
    ];
    assert.equal(after(old, 'driver.vmbus.channel[3].moving'), '> MODIFYCHANNEL: 0');
  });

  it('count only where they got through, from who sends them, to VMBus of this kernel', () => {
    const path = 'driver.vmbus.channel[3].state';
    const offer = '{"vmbus":"OFFERCHANNEL","child_relid":3}';
    for (const line of [
      POSTED(offer),
      SENT(offer, '"cpu":0,"sint":5'),
      SENT(offer, '"vp":"2.0","sint":2'),
      POSTED(
        '{"vmbus":"OPENCHANNEL","child_relid":3}',
        ',"result":{"status":"HV_STATUS_INSUFFICIENT_BUFFERS"}',
      ),
      POSTED('{"vmbus":"OPENCHANNEL","child_relid":3}', ',"vp":"2.0"'),
    ]) {
      const { header, stimuli } = scenario('line', `{"profile":{"role":"l1vh"}}\n${line}`);
      let seen = false;
      replay(memorySource(header, stimuli), SIDES, {
        observe: (_step, { store }) => {
          seen ||= new CellPaths(store.tables.objects).find(path)?.length === 1;
        },
      });
      assert.equal(seen, false, line);
    }
  });

  it('too short to say anything are nothing', () => {
    for (const bytes of ['', '0100', '01000000']) {
      const slot = `{"message_type":1,"payload_size":${bytes.length / 2},"payload":"${bytes}"}`;
      const line = `{"t":"0","kind":"message","what":"deliver","cpu":0,"sint":2,"slot":${slot}}`;
      assert.doesNotThrow(() => after([line], 'driver.vmbus.offers'));
    }
  });
});

describe('VMBus leaves', () => {
  const started = (): Bench => {
    const bench = new Bench({ kernel: 'upstream-7.2', role: 'l1vh', cpus: 1 });
    bench.lifecycle('component-start', { component: 'vmbus' });
    return bench;
  };
  const RELID = fieldOf('vmbus_channel_rescind_offer', 'child_relid');
  const OFFERED = fieldOf('vmbus_channel_offer_channel', 'child_relid');

  /** A message of the host in VMBus' slot. */
  function deliver(bench: Bench, payload: Uint8Array): void {
    const slot = new Uint8Array(16 + payload.length);
    slot.set([1, 0, 0, 0, payload.length]);
    slot.set(payload, 16);
    const event = { kind: 'message', what: 'deliver', cpu: 0, sint: 2, slot };
    bench.machine.note(event as Parameters<Bench['machine']['note']>[0]);
  }

  it('as a module without UNLOAD: each channel closed if open, and given back', () => {
    const bench = started();
    for (const relid of [3, 5]) {
      const offer = channelMessage('OFFERCHANNEL');
      writeField(offer, OFFERED, relid);
      deliver(bench, offer);
    }
    const opened = channelMessage('OPENCHANNEL_RESULT');
    writeField(opened, RELID, 5);
    deliver(bench, opened);
    const { lines, outcome } = bench.lifecycle('component-stop', { component: 'vmbus' });
    assert.equal(outcome?.ret, 0);
    assert.deepEqual(lines.slice(0, 4), [
      '0 vmbus HC POST_MESSAGE SUCCESS',
      '0 vmbus HC POST_MESSAGE SUCCESS',
      '0 vmbus HC POST_MESSAGE SUCCESS',
      '0 vmbus R SINT2 0x200f3',
    ]);
    assert.equal(bench.exists('driver.vmbus.channel[3].state'), false);
    assert.equal(bench.exists('driver.vmbus.channel[5].state'), false);
    assert.equal(bench.cell('host.vmbus.connected'), 1n);
    assert.equal(bench.lifecycle('component-start', { component: 'vmbus' }).outcome?.ret, 0);
  });

  it('in a kexec with UNLOAD, after which the host has forgotten its channels', () => {
    const bench = started();
    const offer = channelMessage('OFFERCHANNEL');
    writeField(offer, OFFERED, 3);
    deliver(bench, offer);
    bench.machine.note({ kind: 'message', what: 'clear', cpu: 0, sint: 2 } as Parameters<
      Bench['machine']['note']
    >[0]);
    const { lines } = bench.lifecycle('kexec');
    assert.deepEqual(
      lines.filter((line) => line.includes('POST_MESSAGE') || line.includes('deliver')),
      ['0 vmbus HC POST_MESSAGE SUCCESS', '0 hypervisor message deliver sint 2'],
    );
    assert.equal(bench.cell('host.vmbus.connected'), 0n);
  });
});

describe('what the record tells by itself', () => {
  const header = '{"profile":{"role":"l1vh"}}';
  const lines = [
    '{"t":"0","kind":"lifecycle","what":"component-start","component":"vmbus"}',
    '{"t":"1us","kind":"message","what":"deliver","component":"hypervisor","cpu":0,"sint":2,"slot":{"payload":{"vmbus":"VERSION_RESPONSE","version_supported":1,"msg_conn_id":4}}}',
    '{"t":"2us","kind":"message","what":"deliver","component":"hypervisor","cpu":0,"sint":2,"slot":{"payload":{"vmbus":"ALLOFFERS_DELIVERED"}}}',
    '{"t":"3us","kind":"message","what":"deliver","component":"hypervisor","cpu":0,"sint":2,"slot":{"payload":{"vmbus":"OFFERCHANNEL","child_relid":3}}}',
  ];
  /** What is in the slot of VMBus after some of the lines, replayed as they are. */
  function filled(count: number): number {
    const { header: head, stimuli } = scenario('told', [header, ...lines.slice(0, count)].join('\n'));
    let value = -1;
    replay(memorySource(head, stimuli), SIDES, {
      observe(_, { store }) {
        const [cell] = new CellPaths(store.tables.objects).find('cpu[0].synic.slot[2].filled') ?? [];
        if (cell !== undefined) value = store.number(cell);
      },
    });
    return value;
  }

  it('of answers that were worked out from a start is not delivered a second time', () => {
    assert.deepEqual([1, 2, 3].map(filled), [0, 0, 0]);
  });

  it('of anything else is', () => {
    assert.equal(filled(4), 1);
  });

  it('of a socket is followed until the host answers', () => {
    const ends =
      '"guest_endpoint_id":"11111111-0000-0000-0000-000000000001","host_service_id":"22222222-0000-0000-0000-000000000002"';
    const asked = `{"t":"1us","kind":"hypercall","cpu":0,"component":"vmbus","code":"HVCALL_POST_MESSAGE","input":{"connectionid":4,"payload":{"vmbus":"TL_CONNECT_REQUEST",${ends}}}}`;
    const answered = `{"t":"2us","kind":"message","what":"deliver","component":"hypervisor","cpu":0,"sint":2,"slot":{"payload":{"vmbus":"TL_CONNECT_RESULT",${ends}}}}`;
    const sample = scenario('socket', [header, lines[0], asked, answered].join('\n'));
    const paths = ['driver.vmbus.connect[1].service'];
    const seen = watched(sample, paths);
    assert.notEqual(seen.at(-2), '> TL_CONNECT_REQUEST: -');
    assert.equal(seen.at(-1), '< TL_CONNECT_RESULT: -');
  });
});
