import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hypercallInputFromObject, hypercallOutputFromObject } from '../abi/codec/hypercall.ts';
import { ioctlArgFromObject, ioctlInFromObject } from '../abi/codec/ioctl.ts';
import { ioctlOutFromObject } from '../abi/codec/ioctl-out.ts';
import { payloadFromObject, slotFromObject } from '../abi/codec/message.ts';
import {
  allIoctls,
  encodeControl,
  hypercalls,
  type IoctlRow,
  ioctlNamed,
  messageTypes,
  msrs,
} from '../abi/index.ts';
import { DIALECTS, type IoctlEvent, type TraceEvent } from '../trace/event.ts';
import type { Handle } from '../trace/handle.ts';
import { complete } from './complete.ts';
import { chosen, numbered, TABLE } from './fields.testing.ts';
import { readFilter } from './filter.ts';
import { payloadReader } from './payload.ts';
import { namedNumber } from './payload-value.ts';
import { PAYLOAD_ROOTS } from './table.ts';

type Made =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly error: object };

function bytesOf(made: Made): Uint8Array {
  if (!made.ok) assert.fail(JSON.stringify(made.error));
  return made.bytes;
}

interface Call {
  readonly dialect?: 'upstream' | 'rfc2020';
  readonly arg?: object;
  readonly in?: object;
  readonly out?: Readonly<Record<string, unknown>>;
}

/** An ioctl of those buffers, as the event text writes them. */
function ioctl(handle: Handle & { kind: 'partition' | 'vp' | 'device' }, name: string, call: Call) {
  const dialect = call.dialect ?? 'upstream';
  const row = ioctlNamed(dialect, handle.kind, name);
  assert.ok(row?.number !== undefined, name);
  const arg = call.arg === undefined ? undefined : bytesOf(ioctlArgFromObject(row, call.arg));
  const input = call.in === undefined ? undefined : bytesOf(ioctlInFromObject(row, arg, call.in));
  const event = {
    kind: 'ioctl' as const,
    handle,
    op: row.number,
    dialect,
    ...(arg === undefined ? {} : { arg }),
    ...(input === undefined ? {} : { in: input }),
  };
  return call.out === undefined ? event : { ...event, out: outOf(row, arg, input, call.out) };
}

function outOf(
  row: IoctlRow,
  arg: Uint8Array | undefined,
  input: Uint8Array | undefined,
  json: Readonly<Record<string, unknown>>,
): NonNullable<IoctlEvent['out']> {
  const read = ioctlOutFromObject(row, { arg, in: input }, json as never);
  if (!read.ok) assert.fail(JSON.stringify(read.error));
  const { arg: after, data } = read.answer;
  return { ...(after === undefined ? {} : { arg: after }), ...(data === undefined ? {} : { data }) };
}

const PARTITION = { kind: 'partition', partition: 2n } as const;
const VP = { kind: 'vp', partition: 2n, vp: 0 } as const;
const PORT = messageTypes.number('X64_IO_PORT_INTERCEPT');
const PORT_PAYLOAD = { port_number: '0x3f8', rax: '0x41', instruction_bytes: '0f01c1' };
const RUN_OUT = { type: 'HVMSG_X64_IO_PORT_INTERCEPT', payload: PORT_PAYLOAD };
const SET_REGISTERS = hypercalls.number('SET_VP_REGISTERS');
const SET_INPUT = {
  partition_id: '0x2',
  vp_index: 0,
  elements: [
    { name: 'HV_X64_REGISTER_RIP', value: '0x1000' },
    { name: 'HV_X64_REGISTER_RAX', value: '0x5' },
  ],
};
const GET_REGISTERS = hypercalls.number('GET_VP_REGISTERS');

const EVENTS: readonly TraceEvent[] = numbered([
  ioctl(PARTITION, 'MSHV_SET_GUEST_MEMORY', {
    arg: { size: '0x1000', guest_pfn: '0x10', userspace_addr: '0x7f0000000000', flags: ['WRITABLE'] },
  }),
  ioctl(VP, 'MSHV_RUN_VP', { out: RUN_OUT }),
  {
    kind: 'intercept',
    vp: { partition: 2n, vp: 0 },
    type: PORT,
    payload: bytesOf(payloadFromObject(PORT, PORT_PAYLOAD)),
  },
  {
    kind: 'message',
    what: 'deliver',
    sint: 2,
    slot: bytesOf(slotFromObject({ message_type: 'HVMSG_X64_IO_PORT_INTERCEPT', payload: PORT_PAYLOAD })),
  },
  {
    kind: 'hypercall',
    control: encodeControl({ code: SET_REGISTERS, repCount: 2 }),
    input: bytesOf(hypercallInputFromObject(SET_REGISTERS, SET_INPUT)),
  },
  {
    kind: 'hypercall',
    control: encodeControl({ code: GET_REGISTERS, repCount: 1 }),
    input: bytesOf(
      hypercallInputFromObject(GET_REGISTERS, { partition_id: '0x2', names: ['HV_X64_REGISTER_RIP'] }),
    ),
    output: bytesOf(hypercallOutputFromObject(GET_REGISTERS, { values: ['0xfff0'] })),
  },
  ioctl(PARTITION, 'MSHV_ROOT_HVCALL', {
    arg: { code: 'HVCALL_SET_VP_REGISTERS', reps: 2, in_sz: 80 },
    in: SET_INPUT,
    out: { status: 'HV_STATUS_INVALID_PARAMETER', reps: 1 },
  }),
  { kind: 'msr', dir: 'write', msr: msrs.number('SINT2'), value: 0x1_00f3n },
  { kind: 'msr', dir: 'read', msr: msrs.number('SIMP'), value: 0x1234_1001n },
  ioctl(VP, 'MSHV_SET_VP_REGISTERS', { dialect: 'rfc2020', in: { elements: SET_INPUT.elements } }),
  { ...ioctl({ kind: 'device', open: 1 }, 'MSHV_CREATE_PARTITION', {}), out: { handle: PARTITION } },
]);

test('payload members are numbers, names, flags and bytes', () => {
  const cases: readonly (readonly [string, readonly number[]])[] = [
    ['arg.size == 0x1000 && arg.guest_pfn == 16', [1]],
    ['arg.userspace_addr > 0x7effffffffff', [1]],
    ['arg.flags == WRITABLE', [1]],
    ['arg.flags != EXECUTABLE', [1]],
    ['arg.flags == MSHV_SET_MEM_BIT_WRITABLE', [1]],
    ['arg.flags ~ ^WRIT', [1]],
    ['arg.flags', [1]],
    ['out.type == HVMSG_X64_IO_PORT_INTERCEPT', [2]],
    ['out.type == X64_IO_PORT_INTERCEPT && out.payload.port_number == 0x3f8', [2]],
    ['out.type == 0x80010000', [2]],
    ['out.message_type', [2]],
    ['payload.port_number in {0x60, 0x3f8}', [2, 3, 4]],
    ['payload.instruction_bytes == "0f01c1"', [2, 3, 4]],
    ['payload.instruction_bytes[1] == 1 && kind == intercept', [3]],
    ['payload.instruction_bytes[5] != 0', []],
    ['input.partition_id == 2', [5, 6]],
    ['input.elements.name == HV_X64_REGISTER_RAX', [5]],
    ['input.elements[0].name == HV_X64_REGISTER_RAX', []],
    ['input.elements[*].value == 5', [5]],
    ['input.elements[7].value || input.elements[0].name.value', []],
    ['input.names == RIP', [6]],
    ['output.values == 0xfff0', [6]],
    ['arg.code == HVCALL_SET_VP_REGISTERS && in.elements.name ~ RAX', [7]],
    ['out.status == HV_STATUS_INVALID_PARAMETER && out.reps == 1', [7]],
    ['out.arg.reps == 1', [7]],
    ['in.vector == 0xf3 && in.masked', [8]],
    ['in.value == 0x100f3', [8]],
    ['out.value > 0x12341000', [9]],
    ['out.value', [9]],
    ['in.elements.name == RIP', [7, 10]],
    ['in.names[1] == RAX && in.values[0] == 0x1000', [10]],
    ['out.handle == partition:2', [11]],
  ];
  for (const [text, seqs] of cases) assert.deepEqual(chosen(text, EVENTS), seqs, text);
});

test('a member that no payload has is an error, with the members that are like it', () => {
  const read = readFilter('arg.guest_pfm == 1', TABLE);
  assert.ok(!read.ok);
  assert.equal(read.error.column, 1);
  assert.ok(read.error.expected.includes('guest_pfn'));
});

test('completion knows members and the names of their values', () => {
  const words = (text: string) => complete(text, text.length, TABLE).words;
  assert.ok(words('arg.guest_').includes('arg.guest_pfn'));
  assert.ok(words('payload.header.vp').includes('payload.header.vp_index'));
  assert.ok(words('input.elements[0].na').includes('input.elements[0].name'));
  assert.equal(words('out.type == HVMSG_X64_HA')[0], 'HVMSG_X64_HALT');
  assert.ok(words('arg.flags == WRIT').includes('WRITABLE'));
});

const HANDLES: readonly Handle[] = [
  { kind: 'device', open: 1 },
  PARTITION,
  VP,
  { kind: 'vtl', open: 1 },
  { kind: 'foreign', fd: 3 },
];
const bytes = fc.uint8Array({ maxLength: 300 });

test('whatever bytes an event holds, reading its members never throws', () => {
  const requests = allIoctls().flatMap((row) => (row.number === undefined ? [] : [row.number]));
  const call = fc.record({
    handle: fc.constantFrom(...HANDLES),
    op: fc.constantFrom(...requests),
    dialect: fc.constantFrom(...DIALECTS),
    arg: bytes,
    in: bytes,
    out: fc.record({ arg: bytes, data: bytes }),
  });
  const hypercall = fc.record({
    control: fc.bigInt(0n, 0xffff_ffff_ffff_ffffn),
    input: bytes,
    output: bytes,
  });
  const path = fc.array(
    fc.constantFrom('elements', 'name', 'payload', 'flags', 'values', 'type', 'arg', 0, '*'),
    {
      maxLength: 4,
    },
  );
  fc.assert(
    fc.property(call, hypercall, bytes, path, (ioctlParts, callParts, slot, steps) => {
      const read = payloadReader('upstream');
      const control = (callParts.control & ~0xffn) | BigInt(ioctlParts.op & 0xff);
      const events = numbered([
        { kind: 'ioctl', ...ioctlParts },
        { kind: 'hypercall', ...callParts, control },
        { kind: 'message', what: 'deliver', sint: 0, slot },
        { kind: 'intercept', vp: { partition: 1n, vp: 0 }, type: PORT, payload: slot },
      ]);
      for (const root of PAYLOAD_ROOTS) for (const event of events) read(root, steps)(event);
    }),
    { numRuns: 300 },
  );
});

test('of members that share bytes only the one that stands for them is there', () => {
  const code = hypercalls.number('INSTALL_INTERCEPT');
  const install = (type: string, parameter: object) => {
    const input = { partition_id: '0x2', intercept_type: type, intercept_parameter: parameter };
    return {
      kind: 'hypercall' as const,
      control: encodeControl({ code }),
      input: bytesOf(hypercallInputFromObject(code, input)),
    };
  };
  const events = numbered([
    install('HV_INTERCEPT_TYPE_X64_IO_PORT', { io_port: '0x3f8' }),
    install('HV_INTERCEPT_TYPE_X64_CPUID', { cpuid_index: '0x3f8' }),
  ]);
  assert.deepEqual(chosen('input.intercept_parameter.io_port == 0x3f8', events), [1]);
  assert.deepEqual(chosen('input.intercept_parameter.cpuid_index == 0x3f8', events), [2]);
  assert.deepEqual(chosen('input.intercept_type == X64_CPUID', events), [2]);
  assert.deepEqual(chosen('input.intercept_type == HV_INTERCEPT_TYPE_X64_CPUID', events), [2]);
});

test('bits that together choose a value are one flag, not several', () => {
  const called = (value: bigint, name: string): boolean => {
    const flags = namedNumber(value, '@doorbellFlags');
    assert.ok(typeof flags === 'object' && 'called' in flags);
    return flags.called(name);
  };
  assert.ok(called(0x3n, 'TRIGGER_SIZE_DWORD') && called(0x3n, 'HV_DOORBELL_FLAG_TRIGGER_SIZE_DWORD'));
  assert.ok(!called(0x3n, 'TRIGGER_SIZE_BYTE') && !called(0x3n, 'TRIGGER_SIZE_ANY'));
  assert.ok(called(0x8000_0000n, 'TRIGGER_SIZE_ANY') && called(0x8000_0000n, 'TRIGGER_ANY_VALUE'));
  assert.ok(!called(0n, 'TRIGGER_ANY_VALUE') && !called(1n << 40n, 'SIZE'));
});
