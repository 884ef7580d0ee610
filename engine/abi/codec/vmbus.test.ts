import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { bytesUpTo, forEach, throughText } from '../abi.testing.ts';
import { STRUCT_SUBJECTS } from '../data/structs/index.ts';
import { fieldOf } from '../layout/field.ts';
import { structOf, structsOfSubject } from '../layout/structs.ts';
import { hypercalls } from '../lookup/hypercalls.ts';
import { channelMessages } from '../lookup/vmbus.ts';
import { decode } from './decode.ts';
import type { DecodedStruct } from './decoded.ts';
import { encode } from './encode.ts';
import { hypercallInputFromObject, hypercallInputToObject } from './hypercall.ts';
import type { JsonObject } from './json.ts';
import { slotFromObject, slotToObject } from './message.ts';

const POST_MESSAGE = hypercalls.number('POST_MESSAGE');
const CONTROL = BigInt(POST_MESSAGE);

/**
 * Sizes and offsets as a compiler lays the packed structs out (Linux 7.2 include/linux/hyperv.h; the last ones
 * openvmm vmbus_core/src/protocol.rs, each 8 bytes of header longer than there).
 */
const LAYOUTS: readonly [struct: string, size: number, offsets: Readonly<Record<string, number>>][] = [
  ['vmbus_channel_message_header', 8, { vmbus: 0, padding: 4 }],
  [
    'vmbus_channel_offer',
    176,
    { if_type: 0, if_instance: 16, reserved1: 32, chn_flags: 48, mmio_megabytes: 50, u: 52 },
  ],
  ['vmbus_channel_offer', 176, { 'u.pipe.pipe_mode': 52, sub_channel_index: 172, reserved3: 174 }],
  ['vmbus_channel_offer_channel', 196, { offer: 8, child_relid: 184, monitorid: 188, connection_id: 192 }],
  ['vmbus_channel_offer_channel', 196, { monitor_allocated: 189, is_dedicated_interrupt: 190 }],
  ['vmbus_channel_rescind_offer', 12, { child_relid: 8 }],
  ['vmbus_channel_open_channel', 148, { child_relid: 8, openid: 12, ringbuffer_gpadlhandle: 16 }],
  ['vmbus_channel_open_channel', 148, { target_vp: 20, downstream_ringbuffer_pageoffset: 24, userdata: 28 }],
  ['vmbus_channel_open_result', 20, { child_relid: 8, openid: 12, status: 16 }],
  ['vmbus_channel_close_channel', 12, { child_relid: 8 }],
  ['gpa_range', 8, { byte_count: 0, byte_offset: 4, pfn_array: 8 }],
  [
    'vmbus_channel_gpadl_header',
    20,
    { child_relid: 8, gpadl: 12, range_buflen: 16, rangecount: 18, range: 20 },
  ],
  ['vmbus_channel_gpadl_body', 16, { msgnumber: 8, gpadl: 12, pfn: 16 }],
  ['vmbus_channel_gpadl_created', 20, { child_relid: 8, gpadl: 12, creation_status: 16 }],
  ['vmbus_channel_gpadl_teardown', 16, { child_relid: 8, gpadl: 12 }],
  ['vmbus_channel_gpadl_torndown', 12, { gpadl: 8 }],
  ['vmbus_channel_relid_released', 12, { child_relid: 8 }],
  [
    'vmbus_channel_initiate_contact',
    40,
    { vmbus_version_requested: 8, target_vcpu: 12, interrupt_page: 16, msg_sint: 16, msg_vtl: 17 },
  ],
  ['vmbus_channel_initiate_contact', 40, { feature_flags: 20, monitor_page1: 24, monitor_page2: 32 }],
  ['vmbus_channel_version_response', 16, { version_supported: 8, connection_state: 9, msg_conn_id: 12 }],
  ['vmbus_channel_tl_connect_request', 40, { guest_endpoint_id: 8, host_service_id: 24 }],
  ['vmbus_channel_modifychannel', 16, { child_relid: 8, target_vp: 12 }],
  ['vmbus_channel_modifychannel_response', 16, { child_relid: 8, status: 12 }],
  ['vmbus_channel_initiate_contact2', 56, { monitor_page2: 32, client_id: 40 }],
  ['vmbus_channel_version_response2', 20, { msg_conn_id: 12, supported_features: 16 }],
  ['vmbus_channel_open_channel2', 156, { connection_id: 148, event_flag: 152, redirect_interrupt: 154 }],
  ['vmbus_channel_open_reserved_channel', 28, { target_vp: 12, target_sint: 16, ringbuffer_gpadlhandle: 20 }],
  ['vmbus_channel_close_reserved_channel', 20, { child_relid: 8, target_vp: 12, target_sint: 16 }],
  ['vmbus_channel_close_reserved_response', 12, { child_relid: 8 }],
  ['vmbus_channel_tl_connect_request2', 56, { host_service_id: 24, silo_id: 40 }],
  ['vmbus_channel_tl_connect_result', 44, { guest_endpoint_id: 8, host_service_id: 24, status: 40 }],
  ['vmbus_channel_modify_connection', 24, { monitor_page1: 8, monitor_page2: 16 }],
  ['vmbus_channel_modify_connection_response', 9, { connection_state: 8 }],
];

describe('structs of channel messages', () => {
  for (const [struct, size, offsets] of LAYOUTS) {
    it(`${struct}: ${Object.keys(offsets).join(', ')}`, () => {
      assert.equal(structOf(struct).size, size);
      for (const [name, offset] of Object.entries(offsets)) {
        assert.equal(fieldOf(struct, name).offset, offset, name);
      }
    });
  }

  it('none is left out above', () => {
    const subject = STRUCT_SUBJECTS.find(({ name }) => name === 'vmbus');
    assert.ok(subject);
    const tested = new Set(LAYOUTS.map(([struct]) => struct));
    assert.deepEqual([...structsOfSubject(subject)].sort(), [...tested].sort());
  });

  it('each message fits a payload, and begins with its type', () => {
    for (const { name, structs } of channelMessages.all()) {
      for (const struct of structs) assert.equal(structOf(struct).fields[0]?.name, 'vmbus', name);
    }
  });
});

function posted(json: JsonObject): Uint8Array {
  const read = hypercallInputFromObject(POST_MESSAGE, json);
  assert.ok(read.ok, JSON.stringify(read));
  return read.bytes;
}

function slot(json: JsonObject): Uint8Array {
  const read = slotFromObject(json);
  assert.ok(read.ok, JSON.stringify(read));
  return read.bytes;
}

function member(json: unknown, name: string): unknown {
  return (json as JsonObject)[name];
}

/** Names, places and sizes of the fields that stand for a message, payload included. */
function places(struct: DecodedStruct): string[] {
  return struct.fields.flatMap(({ name, chosen, offset, size, value }) => {
    if (!chosen || value.kind === 'array') return [];
    return value.kind === 'struct' ? places(value.struct) : [`${name}@${offset}+${size}`];
  });
}

describe('a channel message in the event text', () => {
  const contact = {
    vmbus: 'CHANNELMSG_INITIATE_CONTACT',
    vmbus_version_requested: 'VERSION_WIN10_V5_3',
    target_vcpu: 0,
    msg_sint: 2,
    msg_vtl: 0,
    feature_flags: [],
    monitor_page1: '0x200003000',
    monitor_page2: '0x200004000',
  };

  it('posted by name: type, size and length follow from it', () => {
    const bytes = posted({ connectionid: 4, payload: contact });
    assert.equal(bytes.length, 16 + 40);
    assert.deepEqual([bytes[0], bytes[8], bytes[12], bytes[16], bytes[26], bytes[32]], [4, 1, 40, 14, 5, 2]);
    assert.deepEqual(throughText(hypercallInputToObject(CONTROL, bytes)), {
      connectionid: 4,
      message_type: '0x1',
      payload_size: 40,
      payload: contact,
    });
  });

  it('before 5.0 there is an interrupt page in place of the SINT', () => {
    const old = { vmbus: 'INITIATE_CONTACT', vmbus_version_requested: 'WIN10', interrupt_page: '0x5000' };
    const { payload } = hypercallInputToObject(CONTROL, posted({ payload: old })) as { payload: JsonObject };
    assert.equal(payload.interrupt_page, '0x5000');
    assert.equal(payload.msg_sint, undefined);
  });

  it('delivered by name', () => {
    const offer = {
      vmbus: 'CHANNELMSG_OFFERCHANNEL',
      offer: {
        if_type: 'f8615163-df3e-46c5-913f-f2d2f965ed0e',
        if_instance: '00000000-0000-0000-0000-0000000000aa',
        chn_flags: ['NAMED_PIPE_MODE'],
        u: { pipe: { pipe_mode: 'VMBUS_PIPE_TYPE_MESSAGE' } },
      },
      child_relid: 7,
      connection_id: '0x10007',
    };
    const bytes = slot({ payload: offer });
    assert.deepEqual([bytes.length, bytes[0], bytes[4]], [256, 1, 196]);
    // The first group of a GUID is a little-endian integer (Linux guid_t).
    assert.deepEqual([...bytes.subarray(24, 28)], [0x63, 0x51, 0x61, 0xf8]);
    const json = throughText(slotToObject(bytes)) as { payload: JsonObject };
    assert.deepEqual(slot(json), bytes);
    assert.deepEqual((json.payload.offer as JsonObject).if_type, offer.offer.if_type);
    assert.deepEqual((json.payload.offer as JsonObject).u, offer.offer.u);
  });

  it('a GPADL lists its pages, also where more follow in a body', () => {
    const header = {
      vmbus: 'CHANNELMSG_GPADL_HEADER',
      child_relid: 7,
      gpadl: '0xe1e10',
      range_buflen: 264,
      rangecount: 1,
      range: [
        { byte_count: '0x20000', byte_offset: '0x0', pfn_array: [{ from: '0x9000', count: 26, step: 1 }] },
      ],
    };
    const bytes = posted({ connectionid: 4, payload: header });
    assert.equal(bytes.length, 16 + 20 + 8 + 26 * 8);
    assert.deepEqual(member(throughText(hypercallInputToObject(CONTROL, bytes)), 'payload'), header);
    const body = {
      vmbus: 'CHANNELMSG_GPADL_BODY',
      msgnumber: 1,
      gpadl: '0xe1e10',
      pfn: ['0x9020', '0x9001'],
    };
    const rest = posted({ connectionid: 4, payload: body });
    assert.equal(rest.length, 16 + 16 + 16);
    assert.deepEqual(member(throughText(hypercallInputToObject(CONTROL, rest)), 'payload'), body);
  });

  it('the payload size tells which protocol a message is of', () => {
    const response = { vmbus: 'VERSION_RESPONSE', version_supported: 1, msg_conn_id: 4 };
    const old = slot({ payload: response });
    const late = slot({ payload: { ...response, supported_features: ['CLIENT_ID'] } });
    assert.deepEqual([old[4], late[4]], [16, 20]);
    const features = (bytes: Uint8Array) =>
      member(member(slotToObject(bytes), 'payload'), 'supported_features');
    assert.deepEqual([features(old), features(late)], [undefined, ['CLIENT_ID']]);
  });

  it('of a type that nobody knows by its number, the rest as bytes', () => {
    const bytes = slot({ payload: { vmbus: '0x63', bytes: { '0x8': '0102' } } });
    assert.deepEqual([bytes[4], bytes[16], bytes[25]], [10, 0x63, 2]);
    assert.equal(member(slotToObject(bytes), 'payload'), '63000000000000000102');
  });

  it('raw where it is given raw', () => {
    assert.deepEqual(
      slot({ message_type: 1, payload_size: 8, payload: '1100000000000000' }),
      slot({ payload: { vmbus: 'CHANNELMSG_UNLOAD_RESPONSE' } }),
    );
  });

  it('fields have their place in the whole', () => {
    const bytes = slot({ payload: { vmbus: 'RESCIND_CHANNELOFFER', child_relid: 7 } });
    assert.deepEqual(places(decode('hv_message', bytes)).slice(-3), [
      'vmbus@16+4',
      'padding@20+4',
      'child_relid@24+4',
    ]);
    const input = posted({ payload: { vmbus: 'CLOSECHANNEL', child_relid: 7 } });
    assert.ok(places(decode('hv_input_post_message', input)).includes('child_relid@24+4'));
  });

  const REFUSED: readonly [why: string, json: JsonObject, path: string][] = [
    ['an unknown name', { payload: { vmbus: 'CHANNELMSG_NOPE' } }, 'payload.vmbus'],
    ['an unknown member', { payload: { vmbus: 'CHANNELMSG_UNLOAD', child_relid: 1 } }, 'payload.child_relid'],
    ['another message type', { message_type: 'HVMSG_X64_HALT', payload: { vmbus: 'UNLOAD' } }, 'payload'],
    ['an object without `vmbus`', { message_type: 1, payload: { child_relid: 1 } }, 'payload'],
    [
      'a GUID that is none',
      { payload: { vmbus: 'TL_CONNECT_REQUEST', host_service_id: 'x' } },
      'payload.host_service_id',
    ],
    ['two ranges', { payload: { vmbus: 'GPADL_HEADER', range: [{}, {}] } }, 'payload.range'],
  ];
  for (const [why, json, path] of REFUSED) {
    it(`refuses ${why}`, () => {
      const read = slotFromObject(json);
      assert.ok(!read.ok, 'was not refused');
      assert.equal(read.error.path, path);
    });
  }
});

describe('any bytes', () => {
  /** A channel message of each type, and beyond: any size, any bytes, cut anywhere. */
  const payload = fc.record({
    type: fc.integer({ min: 0, max: 31 }),
    size: fc.nat(255),
    bytes: bytesUpTo(240),
  });

  it('in a slot come back from the fields and from the event text', () => {
    const property = fc.property(payload, ({ type, size, bytes }) => {
      const whole = new Uint8Array(256);
      whole.set([1, 0, 0, 0, size]);
      whole.set(bytes, 16);
      whole.set([type, 0, 0, 0], 16);
      assert.deepEqual(encode(decode('hv_message', whole)), whole);
      const json = throughText(slotToObject(whole));
      assert.deepEqual(slotFromObject(json), { ok: true, bytes: whole }, JSON.stringify(json));
    });
    fc.assert(property, { numRuns: 400 });
  });

  it('of a posted message of any length too', () => {
    const property = fc.property(
      payload,
      fc.integer({ min: 0, max: 300 }),
      ({ type, size, bytes }, length) => {
        const whole = new Uint8Array(300);
        whole.set([4, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, size]);
        whole.set(bytes, 16);
        whole.set([type, 0, 0, 0], 16);
        for (const input of [whole.slice(0, length), whole.slice(0, 16 + size), whole.slice(0, 256)]) {
          assert.deepEqual(encode(decode('hv_input_post_message', input)), input);
          const json = throughText(hypercallInputToObject(CONTROL, input));
          const read = hypercallInputFromObject(POST_MESSAGE, json);
          assert.deepEqual(read.ok && read.bytes, input, JSON.stringify(json));
        }
      },
    );
    fc.assert(property, { numRuns: 300 });
  });

  it('every message of its own size is named, not hexadecimal', () => {
    forEach(
      channelMessages.all(),
      ({ name }) => name,
      ({ value, name, structs }) => {
        for (const struct of structs) {
          const { size } = structOf(struct);
          const whole = new Uint8Array(256);
          whole.set([1, 0, 0, 0, size]);
          whole.set([value, 0, 0, 0, 0, 0, 0, 0, ...new Array(size - 8).fill(1)], 16);
          assert.equal(member(member(slotToObject(whole), 'payload'), 'vmbus'), name);
          assert.equal(decode('hv_message', whole).trailing.length, 0);
          const payload = decode('hv_message', whole).fields.at(-1)?.value;
          assert.equal(payload?.kind === 'struct' && payload.struct.layout.name, struct);
        }
      },
    );
  });
});
