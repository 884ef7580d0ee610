import fc from 'fast-check';
import { msrs } from '../abi/index.ts';
import type { VpRef } from '../trace/handle.ts';
import { CALL_ROWS } from './call/dispatch.ts';

const SELF = 0xffff_ffff_ffff_ffffn;

export type Fields = Readonly<Record<string, number | bigint>>;
export interface CallStep {
  readonly kind: 'call';
  readonly name: string;
  readonly fields: Fields;
  /** Elements of a list of frames, from one on; else from one that depends on the time. */
  readonly list?: { readonly field: string; readonly count: number; readonly from?: number };
  readonly flaw?: { readonly bit: number; readonly byte: number; readonly value: number };
  readonly vp?: VpRef;
  /** Where the caller says that its input and output lie. */
  readonly pointers?: { readonly inputGpa: bigint; readonly outputGpa: bigint };
}
export interface MsrStep {
  readonly kind: 'msr';
  readonly msr: number;
  readonly value?: bigint;
  readonly vp?: VpRef;
  readonly cpu: number;
}
export interface OtherStep {
  readonly kind: 'stop' | 'clear';
  readonly sint: number;
  readonly vp?: VpRef;
}
export type Step = CallStep | MsrStep | OtherStep;

const id = fc.constantFrom(2n, 2n, 2n, 3n, 4n, 9n, 1n, SELF);
const index = fc.constantFrom(0, 0, 1, 2, 0xffff_ffff);
const sint = fc.constantFrom(0, 2, 2, 3, 15, 16);
const small = fc.nat({ max: 6 });
const vp: fc.Arbitrary<VpRef> = fc.record({ partition: fc.constantFrom(2n, 3n), vp: fc.constantFrom(0, 1) });

function call(
  name: string,
  fields: Readonly<Record<string, fc.Arbitrary<number | bigint>>>,
  list?: CallStep['list'],
) {
  return fc.record(fields).map((given): CallStep => {
    const step: CallStep = { kind: 'call', name, fields: given };
    return list === undefined ? step : { ...step, list };
  });
}

const portTarget = {
  'port_info.port_type': fc.constantFrom(1, 2, 4, 5),
  'port_info.message_port_info.target_sint': sint,
  'port_info.message_port_info.target_vp': index,
};

/** Calls that mean something, with members that are mostly right. */
const meant: fc.Arbitrary<CallStep> = fc.oneof(
  call('CREATE_PARTITION', { flags: fc.constantFrom(0n, 0x8_0000n, 0x8_2000n, 1n << 40n) }),
  call('DEPOSIT_MEMORY', { partition_id: id }, { field: 'gpa_page_list', count: 300 }),
  call('DEPOSIT_MEMORY', { partition_id: id }, { field: 'gpa_page_list', count: 9, from: 0x82_0000 }),
  call('INITIALIZE_PARTITION', { partition_id: id }),
  call('FINALIZE_PARTITION', { partition_id: id }),
  call('DELETE_PARTITION', { partition_id: id }),
  call('WITHDRAW_MEMORY', { partition_id: id }, { field: '', count: 400 }),
  call('CREATE_VP', { partition_id: id, vp_index: index }),
  call('CREATE_VP', { partition_id: fc.constant(2n), vp_index: fc.constantFrom(0, 1) }),
  call('DELETE_VP', { partition_id: id, vp_index: index }),
  call(
    'MAP_GPA_PAGES',
    {
      target_partition_id: id,
      target_gpa_base: small.map(BigInt),
      map_flags: fc.constantFrom(1, 3, 2, 1 << 16),
    },
    { field: 'source_gpa_page_list', count: 3 },
  ),
  call(
    'UNMAP_GPA_PAGES',
    { target_partition_id: id, target_gpa_base: small.map(BigInt) },
    { field: '', count: 2 },
  ),
  call('ASSERT_VIRTUAL_INTERRUPT', {
    partition_id: id,
    vector: fc.nat({ max: 260 }),
    dest_addr: fc.constantFrom(0n, 1n, 0xffn),
    'control.interrupt_type': small,
    'control.level_triggered': fc.nat({ max: 1 }),
  }),
  call('CLEAR_VIRTUAL_INTERRUPT', { partition_id: id }),
  call('SET_PARTITION_PROPERTY', {
    partition_id: id,
    property_code: fc.constantFrom(0x10001, 0x30005, 0x99),
    property_value: small.map(BigInt),
  }),
  call('CREATE_PORT', {
    port_partition_id: fc.constantFrom(1n, SELF, 2n),
    port_id: small,
    connection_partition_id: id,
    ...portTarget,
    'port_info.event_port_info.flag_count': small,
  }),
  call('DELETE_PORT', { port_partition_id: fc.constantFrom(1n, SELF, 2n), port_id: small }),
  call('CONNECT_PORT', {
    connection_partition_id: id,
    connection_id: small,
    port_partition_id: fc.constantFrom(1n, SELF),
    port_id: small,
    'connection_info.port_type': fc.constantFrom(1, 2, 4),
  }),
  call('DISCONNECT_PORT', { connection_partition_id: id, connection_id: small }),
  call('POST_MESSAGE', {
    connectionid: small,
    message_type: fc.constantFrom(1, 0),
    payload_size: fc.constantFrom(4, 241),
  }),
  call('SIGNAL_EVENT', { connectionid: small, flag_number: small }),
  call('SIGNAL_EVENT_DIRECT', {
    target_partition: id,
    target_vp: index,
    target_sint: sint,
    flag_number: fc.constantFrom(0, 5, 4000),
  }),
  call('POST_MESSAGE_DIRECT', { partition_id: id, vp_index: index, sint_index: sint }).map((step) => ({
    ...step,
    flaw: { bit: -1, byte: 20, value: 1 },
  })),
  call('NOTIFY_PORT_RING_EMPTY', { sint_index: sint }),
);

/** What fills slots and queues: the guest over its connections, its parent without any. */
const sent: fc.Arbitrary<CallStep> = fc.oneof(
  fc
    .constantFrom<CallStep>(
      { kind: 'call', name: 'POST_MESSAGE', fields: { connectionid: 1, message_type: 1, payload_size: 4 } },
      { kind: 'call', name: 'SIGNAL_EVENT', fields: { connectionid: 2, flag_number: 1 } },
    )
    .map((given) => ({ ...given, vp: { partition: 2n, vp: 0 } })),
  fc.constant<CallStep>({
    kind: 'call',
    name: 'POST_MESSAGE_DIRECT',
    fields: { partition_id: 2n, sint_index: 2 },
    flaw: { bit: -1, byte: 20, value: 1 },
  }),
);

/** Any call with one bit of its control word or one byte of its input wrong; and calls of zeroes. */
const flawed: fc.Arbitrary<CallStep> = fc.oneof(
  fc
    .tuple(
      meant,
      fc.constantFrom(-1, 16, 27, 32, 33, 44, 48, 60, 63),
      fc.nat({ max: 40 }),
      fc.nat({ max: 255 }),
    )
    .map(([step, bit, byte, value]) => ({ ...step, flaw: { bit, byte, value } })),
  fc
    .record({
      step: meant,
      inputGpa: fc.constantFrom(0x1000n, 0x1004n, 0x1ff8n, 1n << 60n),
      outputGpa: fc.constantFrom(0x2000n, 0x1008n, 0x2ff8n, 0n),
    })
    .map(({ step, ...pointers }) => ({ ...step, pointers })),
  fc
    .constantFrom(...CALL_ROWS.map((row) => row.name))
    .map((name): CallStep => ({ kind: 'call', name, fields: {} })),
);

const value = fc.oneof(
  fc.constantFrom(0n, 1n, 0x5001n, 0x40n, 0x2_0040n, 0x1_0000n, 0x2_0003n, 0x2_0009n, 0x1401n, 500n, 0x81n),
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
);
const register = fc.oneof(
  fc.constantFrom(
    ...[
      'SCONTROL',
      'SIMP',
      'SIEFP',
      'EOM',
      'SINT0',
      'SINT2',
      'SINT3',
      'STIMER0_CONFIG',
      'STIMER0_COUNT',
      'STIMER1_CONFIG',
      'STIMER1_COUNT',
      'EOI',
      'TPR',
      'ICR',
      'GUEST_OS_ID',
      'SIRBP',
    ].map((name) => msrs.number(name)),
  ),
  fc.constantFrom(...msrs.all().map((row) => row.value)),
);
const access: fc.Arbitrary<MsrStep> = fc
  .record({
    msr: register,
    value: fc.option(value, { nil: undefined, freq: 5 }),
    vp: fc.option(vp, { nil: undefined }),
    cpu: fc.nat({ max: 1 }),
  })
  .map(({ msr, value: given, vp: ref, cpu }) => ({
    kind: 'msr',
    msr,
    cpu,
    ...(given === undefined ? {} : { value: given }),
    ...(ref === undefined ? {} : { vp: ref }),
  }));
const other: fc.Arbitrary<OtherStep> = fc
  .record({
    kind: fc.constantFrom('stop' as const, 'clear' as const),
    sint: fc.constantFrom(0, 2, 3),
    vp: fc.option(vp, { nil: undefined }),
  })
  .map(({ vp: ref, ...rest }) => (ref === undefined ? rest : { ...rest, vp: ref }));

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: meant },
  { weight: 1, arbitrary: meant.map((given): Step => ({ ...given, vp: { partition: 2n, vp: 0 } })) },
  { weight: 4, arbitrary: sent },
  { weight: 2, arbitrary: flawed },
  { weight: 5, arbitrary: access },
  { weight: 2, arbitrary: other },
);

const written = (name: string, set: bigint, ref?: VpRef): Step => {
  const access: MsrStep = { kind: 'msr', msr: msrs.number(name), value: set, cpu: 0 };
  return ref === undefined ? access : { ...access, vp: ref };
};
export const GUEST: VpRef = { partition: 2n, vp: 0 };

/** What makes sense one after the other alone: a slot is read and the next message let in; a timer expires. */
export const steps: fc.Arbitrary<readonly Step[]> = fc.oneof(
  { weight: 8, arbitrary: step.map((each) => [each]) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<readonly Step[]>(
      [{ kind: 'clear', sint: 2 }, written('EOM', 0n)],
      [{ kind: 'clear', sint: 2, vp: GUEST }, written('EOM', 0n, GUEST)],
      [written('STIMER0_COUNT', 1n, GUEST), written('STIMER0_CONFIG', 0x2_0001n, GUEST)],
      [written('STIMER1_COUNT', 20n, GUEST), written('STIMER1_CONFIG', 0x2_0003n, GUEST)],
      [
        ...[written('STIMER0_COUNT', 1n, GUEST), written('STIMER0_CONFIG', 0x2_0001n, GUEST)],
        ...[
          written('SCONTROL', 0n, GUEST),
          { kind: 'stop', sint: 0 } as const,
          written('SCONTROL', 1n, GUEST),
        ],
      ],
    ),
  },
);
