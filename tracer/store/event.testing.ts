import fc from 'fast-check';
import {
  DIALECTS,
  DROP_REASONS,
  FAIL_STEPS,
  FD_WHATS,
  LIFECYCLE_WHATS,
  MARK_WHATS,
  MESSAGE_WHATS,
  PAGE_KINDS,
  PAGE_WHATS,
  PROVENANCES,
  type TraceEvent,
} from '../../engine/trace/event.ts';
import type { Handle, VpRef } from '../../engine/trace/handle.ts';

/** As engine code makes them: with a prototype. */
function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>;
}

const u32 = fc.nat({ max: 0xffff_ffff });
const u64 = fc.oneof(fc.bigInt(0n, 0xffff_ffff_ffff_ffffn), fc.bigInt(0n, 0xffffn));
const count = fc.oneof(fc.maxSafeNat(), fc.nat(10));
const i32 = fc.oneof(fc.integer(), fc.integer({ min: -40, max: 0 }));

/** Payloads of all the sizes that are kept in different ways, some of which repeat. */
const payload = fc.oneof(
  fc.uint8Array({ maxLength: 80 }),
  fc.constantFrom(new Uint8Array(16).fill(7), new Uint8Array(300).fill(1, 20, 40), new Uint8Array(0)),
  fc.tuple(fc.uint8Array({ maxLength: 40 }), fc.nat(5000)).map(([bytes, zeros]) => {
    const long = new Uint8Array(bytes.length + zeros);
    long.set(bytes);
    return long;
  }),
);

const text = fc.string({ unit: 'binary', maxLength: 12 });

const vpRef: fc.Arbitrary<VpRef> = record({
  partition: fc.option(u64, { nil: undefined }),
  vp: fc.option(u32, { nil: undefined }),
});

const handle: fc.Arbitrary<Handle> = fc.oneof(
  record({ kind: fc.constant('device' as const), open: u32 }),
  record({ kind: fc.constant('partition' as const), partition: fc.option(u64, { nil: undefined }) }),
  vpRef.map((ref) => ({ kind: 'vp' as const, ...ref })),
  record({ kind: fc.constantFrom('vtl' as const, 'hvcall', 'sint', 'vtl-low'), open: u32 }),
  record({ kind: fc.constantFrom('eventfd' as const, 'foreign'), fd: u32 }),
);

type Model = Record<string, fc.Arbitrary<unknown>>;

/** A record with the keys of `always`, and any of those of `sometimes`. */
function some(always: Model, sometimes: Model): fc.Arbitrary<Record<string, unknown>> {
  return fc.record({ ...always, ...sometimes }, { requiredKeys: Object.keys(always), noNullPrototype: true });
}

const COMMON: Model = {
  cpu: fc.oneof(u32, fc.nat(7)),
  component: fc.oneof(fc.constantFrom('vmbus', 'mshv'), text),
  pid: u32,
  tid: u32,
  vp: vpRef,
  vtl: fc.nat(255),
  note: text,
};

const phase = fc.constantFrom('begin', 'end');
const ret = fc.option(i32, { nil: null });
const result = record({ status: fc.nat(0xffff), reps: fc.nat(0xfff) });
const registers = fc.array(record({ name: u32, value: fc.bigInt(0n, (1n << 128n) - 1n) }), {
  maxLength: 5,
});
const pageBytes = fc.array(record({ offset: fc.nat(4095), bytes: payload }), { maxLength: 3 });
const word = <T>(words: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...words);

/** `lasts` becomes `tEnd` once the time of entry is known. */
const kinds: readonly fc.Arbitrary<Record<string, unknown>>[] = [
  some(
    { kind: fc.constant('ioctl'), handle, op: u32 },
    {
      fd: i32,
      dialect: word(DIALECTS),
      arg: payload,
      in: payload,
      out: some({}, { handle, arg: payload, data: payload }),
      ret,
      lasts: count,
    },
  ),
  some(
    { kind: fc.constant('hypercall'), control: u64 },
    {
      input: payload,
      inputGpa: u64,
      outputGpa: u64,
      output: payload,
      result,
      fault: fc.boolean(),
      lasts: count,
    },
  ),
  some(
    { kind: fc.constant('msr'), dir: fc.constantFrom('read', 'write'), msr: u32 },
    { value: u64, fault: fc.boolean(), nested: fc.boolean() },
  ),
  some({ kind: fc.constant('intercept'), vp: vpRef, type: u32 }, { payload, registers }),
  some(
    { kind: fc.constant('message'), sint: fc.nat(15), what: word(MESSAGE_WHATS) },
    { slot: payload, flags: u32, reason: word(DROP_REASONS), flag: u32, vector: u32 },
  ),
  some(
    { kind: fc.constant('fd'), what: word(FD_WHATS) },
    { fd: i32, handle, ret, path: text, from: i32, offset: u64, size: u64, addr: u64, value: u64 },
  ),
  some(
    { kind: fc.constant('page'), what: word(PAGE_WHATS), page: word(PAGE_KINDS) },
    { gpa: u64, bytes: pageBytes },
  ),
  some(
    { kind: fc.constant('lifecycle'), what: word(LIFECYCLE_WHATS) },
    { phase, partition: u64, ret: i32, fail: word(FAIL_STEPS) },
  ),
  some(
    { kind: fc.constant('mark'), what: word(MARK_WHATS) },
    { text, lost: count, sint: u32, depth: count, gsi: u32, vector: u32, level: u32, phase },
  ),
];

const draft = fc.tuple(
  fc.oneof(...kinds),
  fc.record(
    { provenance: word(PROVENANCES), ...COMMON },
    { requiredKeys: ['provenance'], noNullPrototype: true },
  ),
  fc.nat(100_000),
  fc.option(fc.nat(), { nil: undefined }),
);

/** Valid traces: any events, with seqs from 1, times that never decrease and parents that are before. */
export const traces: fc.Arbitrary<TraceEvent[]> = fc.array(draft, { maxLength: 40 }).map((drafts) => {
  let t = 0;
  return drafts.map(([own, common, after, parent], i) => {
    t += after;
    const { lasts, ...kind } = own;
    return {
      ...common,
      ...kind,
      seq: i + 1,
      t,
      ...(parent === undefined || i === 0 ? {} : { parent: 1 + (parent % i) }),
      ...(lasts === undefined ? {} : { tEnd: t + ((lasts as number) % 1e12) }),
    } as unknown as TraceEvent;
  });
});
