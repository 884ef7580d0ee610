import fc from 'fast-check';
import { ioctlNamed, ioctlsOf, msrs } from '../abi/index.ts';
import { anyPool } from '../hypervisor/pools.testing.ts';
import type {
  Dialect,
  FailStep,
  FdEvent,
  HypercallEvent,
  InterceptEvent,
  IoctlEvent,
  LifecycleEvent,
  MsrEvent,
} from '../trace/event.ts';
import { FAIL_STEPS, LIFECYCLE_WHATS } from '../trace/event.ts';
import type { Handle } from '../trace/handle.ts';
import { QUIRK_NAMES } from '../trace/quirks.ts';
import type { JsonObject } from '../trace/text/json.ts';

type Untimed<E> = Omit<E, 'seq' | 't' | 'provenance'>;

/** What comes from outside, without its time; `signal`: the call that waits longest gets one. */
export type Stimulus =
  | Untimed<FdEvent>
  | Untimed<HypercallEvent>
  | Untimed<InterceptEvent>
  | Untimed<IoctlEvent>
  | Untimed<LifecycleEvent>
  | Untimed<MsrEvent>
  | { readonly kind: 'signal' };

const pid = fc.constantFrom(7, 8);
const optional = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined });

const lifecycle: fc.Arbitrary<Untimed<LifecycleEvent>> = fc
  .record({
    what: fc.oneof(fc.constantFrom('component-start', 'component-stop'), fc.constantFrom(...LIFECYCLE_WHATS)),
    component: fc.constantFrom('arch', 'vmbus', 'mshv', 'timer'),
    cpu: optional(fc.nat({ max: 3 })),
    fail: optional(fc.constantFrom<FailStep>(...FAIL_STEPS)),
    pid,
  })
  .map(({ cpu, fail, ...rest }) => ({
    kind: 'lifecycle',
    ...rest,
    ...(cpu === undefined ? {} : { cpu }),
    ...(fail === undefined ? {} : { fail }),
  }));

const handle: fc.Arbitrary<Handle> = fc.oneof(
  fc.constant<Handle>({ kind: 'device', open: 1 }),
  fc.record({ kind: fc.constant('partition' as const), partition: fc.constantFrom(1n, 2n, 3n, undefined) }),
  fc.record({
    kind: fc.constant('vp' as const),
    partition: fc.constantFrom(2n, 3n),
    vp: fc.constantFrom(0, 1, undefined),
  }),
);

function request(fd: 'device' | 'partition' | 'vp', name: string, dialect: Dialect = 'upstream'): number {
  return ioctlNamed(dialect, fd, name)?.number ?? 0;
}

/** A stop of a VP: a halt, a touch of memory, no message at all. */
const intercept: fc.Arbitrary<Untimed<InterceptEvent>> = fc.record({
  kind: fc.constant('intercept' as const),
  vp: fc.record({ partition: fc.constantFrom(2n, 3n), vp: fc.constantFrom(0, 1) }),
  type: fc.constantFrom(0, 0x8001_0007, 0x8000_0001),
  payload: fc.constantFrom(0, 1, 2).map((access) => {
    const payload = new Uint8Array(80);
    payload[5] = access;
    return payload;
  }),
  registers: fc.constantFrom([], [{ name: 0x20010, value: 5n }]),
});

function memoryArg(frame: number, pages: number, flags: number): Uint8Array {
  const arg = new Uint8Array(32);
  const view = new DataView(arg.buffer);
  view.setBigUint64(0, BigInt(pages) * 0x1000n, true);
  view.setBigUint64(8, BigInt(frame), true);
  arg[24] = flags;
  return arg;
}

const onGuest: fc.Arbitrary<Untimed<IoctlEvent>> = fc.oneof(
  fc.record({
    kind: fc.constant('ioctl' as const),
    handle: fc.constant<Handle>({ kind: 'partition', partition: 2n }),
    op: fc.constant(request('partition', 'MSHV_SET_GUEST_MEMORY')),
    arg: fc
      .tuple(fc.nat({ max: 3 }), fc.constantFrom(1, 2, 600), fc.constantFrom(0, 1, 3, 4))
      .map(([frame, pages, flags]) => memoryArg(frame, pages, flags)),
    pid,
  }),
  fc.record({
    kind: fc.constant('ioctl' as const),
    handle: fc.constantFrom<Handle>(
      { kind: 'vp', partition: 2n, vp: 0 },
      { kind: 'vp', partition: 2n, vp: 1 },
    ),
    op: fc.constantFrom(request('vp', 'MSHV_RUN_VP'), request('vp', 'MSHV_RUN_VP', 'rfc2020')),
    pid,
  }),
  fc.record({
    kind: fc.constant('ioctl' as const),
    handle: fc.constant<Handle>({ kind: 'device', open: 1 }),
    op: fc.constantFrom(
      request('device', 'MSHV_REQUEST_VERSION', 'rfc2020'),
      request('device', 'MSHV_CREATE_PARTITION', 'rfc2020'),
    ),
    arg: fc.constant(new Uint8Array(40)),
    pid,
  }),
  fc.record({
    kind: fc.constant('ioctl' as const),
    handle: fc.constant<Handle>({ kind: 'partition', partition: 2n }),
    op: fc.constantFrom(
      request('partition', 'MSHV_CREATE_VP', 'rfc2020'),
      request('partition', 'MSHV_MAP_GUEST_MEMORY', 'rfc2020'),
    ),
    arg: fc.constant(memoryArg(0, 1, 3)),
    pid,
  }),
);

const ioctl: fc.Arbitrary<Untimed<IoctlEvent>> = fc.oneof(
  fc.record({
    kind: fc.constant('ioctl' as const),
    handle: fc.constant<Handle>({ kind: 'device', open: 1 }),
    op: fc.constant(request('device', 'MSHV_CREATE_PARTITION')),
    arg: fc.oneof(fc.constant(new Uint8Array(16)), fc.uint8Array({ maxLength: 64 })),
    pid,
  }),
  fc.record({
    kind: fc.constant('ioctl' as const),
    handle: fc.constantFrom<Handle>(
      { kind: 'partition', partition: 2n },
      { kind: 'partition', partition: 3n },
    ),
    op: fc.constantFrom(
      request('partition', 'MSHV_INITIALIZE_PARTITION'),
      request('partition', 'MSHV_CREATE_VP'),
    ),
    arg: fc.constantFrom(0, 1, 2).map((index) => Uint8Array.of(index, 0, 0, 0)),
    pid,
  }),
  fc.record({
    kind: fc.constant('ioctl' as const),
    handle,
    op: fc.constantFrom(...ioctlsOf('upstream').map((row) => row.number ?? 0), 0xb8ff),
    arg: fc.uint8Array({ maxLength: 64 }),
    pid,
  }),
);

const fd: fc.Arbitrary<Untimed<FdEvent>> = fc.oneof(
  fc.record({
    kind: fc.constant('fd' as const),
    what: fc.constant('open' as const),
    path: fc.constant('/dev/mshv'),
    pid,
  }),
  fc.record({
    kind: fc.constant('fd' as const),
    what: fc.constant('close' as const),
    fd: fc.integer({ min: 3, max: 6 }),
    pid,
  }),
  fc.record({
    kind: fc.constant('fd' as const),
    what: fc.constant('dup' as const),
    from: fc.integer({ min: 3, max: 6 }),
    pid,
  }),
  fc.record({ kind: fc.constant('fd' as const), what: fc.constant('close' as const), handle, pid }),
);

/** What a guest does with its SynIC and timers, so that something expires, waits and is let in. */
const guest: fc.Arbitrary<Untimed<MsrEvent>> = fc
  .record({
    msr: fc.constantFrom(
      ...['SCONTROL', 'SIMP', 'SINT2', 'EOM', 'EOI', 'STIMER0_CONFIG', 'STIMER0_COUNT', 'TIME_REF_COUNT'],
    ),
    value: optional(fc.constantFrom(0n, 1n, 0x5001n, 0x40n, 0x2_0001n, 0x2_0003n, 0x1501n, 9000n)),
    vp: fc.record({ partition: fc.constant(2n), vp: fc.constantFrom(0, 1) }),
  })
  .map(({ msr, value, vp }) => ({
    kind: 'msr',
    dir: value === undefined ? 'read' : 'write',
    msr: msrs.number(msr),
    vp,
    component: 'guest',
    ...(value === undefined ? {} : { value }),
  }));

function access(msr: string, value: bigint): Untimed<MsrEvent> {
  const vp = { partition: 2n, vp: 0 };
  return { kind: 'msr', dir: 'write', msr: msrs.number(msr), vp, component: 'guest', value };
}

function made(
  handle: Handle,
  name: string,
  arg: Uint8Array,
  dialect: Dialect = 'upstream',
): Untimed<IoctlEvent> {
  const fd = handle.kind === 'device' ? 'device' : 'partition';
  return { kind: 'ioctl', handle, op: request(fd, name, dialect), arg, pid: 7 };
}

const DEVICE: Handle = { kind: 'device', open: 1 };
const PARTITION: Handle = { kind: 'partition', partition: 2n };

/** The calls that make a partition with a VP; `flags`: MSHV_PT_… of 2026, or HV_PARTITION_CREATION_FLAG_… of 2020. */
function callsFor(kernel: string, hasLapic: boolean): readonly Stimulus[] {
  const flags = new Uint8Array(kernel === 'rfc2020' ? 32 : 16);
  if (kernel !== 'rfc2020') {
    if (hasLapic) flags[0] = 1;
    return [
      made(DEVICE, 'MSHV_CREATE_PARTITION', flags),
      made(PARTITION, 'MSHV_INITIALIZE_PARTITION', new Uint8Array(0)),
      made(PARTITION, 'MSHV_CREATE_VP', new Uint8Array(4)),
    ];
  }
  if (hasLapic) flags[1] = 0x20;
  return [
    made(DEVICE, 'MSHV_REQUEST_VERSION', new Uint8Array(4), 'rfc2020'),
    made(DEVICE, 'MSHV_CREATE_PARTITION', flags, 'rfc2020'),
    made(PARTITION, 'MSHV_CREATE_VP', new Uint8Array(16), 'rfc2020'),
  ];
}

/** A guest whose SynIC listens and whose timer runs: else a random sequence hardly ever comes so far. */
function guestThatListens(kernel: string, hasLapic: boolean): readonly Stimulus[] {
  return [
    { kind: 'lifecycle', what: 'component-start', component: 'mshv' },
    { kind: 'fd', what: 'open', path: '/dev/mshv', pid: 7 },
    ...callsFor(kernel, hasLapic),
    access('SCONTROL', 1n),
    access('SIMP', 0x5001n),
    access('SINT2', 0x40n),
    access('STIMER0_COUNT', 9000n),
    access('STIMER0_CONFIG', 0x2_0003n),
  ];
}

const file = fc.constantFrom<Handle>(
  ...(['vtl', 'hvcall', 'sint', 'vtl-low'] as const).map((kind): Handle => ({ kind, open: 1 })),
  { kind: 'device', open: 1 },
);

/** The files of the driver of VTL 2, and calls on them. */
const vtl: fc.Arbitrary<Stimulus> = fc.oneof(
  fc.constantFrom<Stimulus>(
    ...['/dev/mshv', '/dev/mshv_hvcall', '/dev/mshv_sint', '/dev/mshv_vtl_low'].map(
      (path): Stimulus => ({ kind: 'fd', what: 'open', path, pid: 7 }),
    ),
    made(DEVICE, 'MSHV_CREATE_VTL', new Uint8Array(8), 'vtl'),
  ),
  fc.record({
    kind: fc.constant('ioctl' as const),
    handle: file,
    op: fc.constantFrom(...ioctlsOf('vtl').map((row) => row.number ?? 0)),
    arg: fc.oneof(fc.constant(new Uint8Array(64)), fc.uint8Array({ maxLength: 64 })),
    pid,
  }),
);

/** Every parameter that the engine has; of some the usual value more often. */
const profile = fc.record({
  kernel: fc.constantFrom('upstream-7.2', 'upstream-7.2', 'upstream-7.0', 'upstream-6.16', 'rfc2020'),
  role: fc.constantFrom('root', 'nested-root', 'l1vh', 'guest'),
  vmbus: fc.boolean(),
  cpus: fc.integer({ min: 1, max: 3 }),
  synicOwnership: fc.constantFrom('before', 'v1', 'v2', 'merged'),
  rebootNotifier: fc.constantFrom('root-only', 'always'),
  vmbusUnload: fc.constantFrom('answered', 'lost'),
  synicPolicy: fc.constantFrom('permissive', 'strict-transition', 'kvm-like'),
  scontrolReset: fc.constantFrom('0', '1'),
  scheduler: fc.constantFrom('core-smt', 'root'),
  initial: fc.constantFrom('reset', 'reset', 'reset', 'unknown'),
  debugfs: fc.boolean(),
  mmuNotifier: fc.boolean(),
  processors: fc.constantFrom(0, 2),
  partitionDepth: fc.constantFrom(0, 0, 1),
  activePartitions: fc.constantFrom(0, 0, 1),
  finalizeCalls: fc.constantFrom(1, 2),
  asyncCalls: fc.constantFrom('never', 'at-once', 'later'),
  depositablePages: fc.constantFrom(0, 0, 300, 900),
  messageBuffers: fc.constantFrom(0, 1, 16),
  repTimeout: fc.constantFrom(0, 0, 3, 100),
  pointerErrors: fc.constantFrom('docs', 'openvmm'),
  pointerOverlap: fc.constantFrom('accept', 'reject'),
  unknownRegister: fc.constantFrom('0x05', '0x87'),
  reservedBits: fc.constantFrom('strict', 'warn'),
  hltExits: fc.constantFrom('without-lapic', 'always', 'never'),
  registerPage: fc.constantFrom('stopped', 'always', 'none'),
  backing: fc.constantFrom({}, { '0x0': 'large-pages' }, { '0x0': 'device' }),
  quirks: fc
    .uniqueArray(fc.tuple(fc.constantFrom(...QUIRK_NAMES), fc.boolean()), { selector: ([name]) => name })
    .map((switches) => Object.fromEntries(switches)),
  pool: anyPool(100),
});

/** The driver of VTL 2, which has another kernel and role. */
const vtlProfile = fc.record({
  kernel: fc.constant('vtl'),
  role: fc.constant('vtl-host'),
  vmbus: fc.boolean(),
  cpus: fc.integer({ min: 1, max: 3 }),
  synicPolicy: fc.constantFrom('permissive', 'strict-transition', 'kvm-like'),
  initial: fc.constantFrom('reset', 'reset', 'unknown'),
  repTimeout: fc.constantFrom(0, 3),
  reservedBits: fc.constantFrom('strict', 'warn'),
  quirks: fc.boolean().map((on) => ({ 'hvcall-setup-size': on })),
});

const signal: fc.Arbitrary<Stimulus> = fc.constant({ kind: 'signal' });

/** One thing after the other that comes from outside, legal or not. */
const stimuli: fc.Arbitrary<Stimulus[]> = fc.array(
  fc.oneof(lifecycle, ioctl, onGuest, onGuest, intercept, fd, guest, guest, signal),
  { maxLength: 25 },
);

/** The same for the driver of VTL 2. */
const vtlStimuli: fc.Arbitrary<Stimulus[]> = fc.array(
  fc.oneof(lifecycle, vtl, vtl, vtl, vtl, fd, intercept, signal),
  { maxLength: 25 },
);

/** A profile and what happens under it. */
export const sequence: fc.Arbitrary<{ readonly given: JsonObject; readonly stimuli: readonly Stimulus[] }> =
  fc.oneof(
    {
      weight: 7,
      arbitrary: fc
        .tuple(profile, fc.constantFrom('nothing', 'guest', 'with LAPIC'), stimuli)
        .map(([given, before, random]) => {
          const first = before === 'nothing' ? [] : guestThatListens(given.kernel, before === 'with LAPIC');
          return { given, stimuli: [...first, ...random] };
        }),
    },
    { weight: 1, arbitrary: fc.record({ given: vtlProfile, stimuli: vtlStimuli }) },
  );
