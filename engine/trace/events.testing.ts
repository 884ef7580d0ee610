import fc from 'fast-check';
import {
  DIALECTS,
  DROP_REASONS,
  type EventKind,
  FAIL_STEPS,
  FD_WHATS,
  LIFECYCLE_WHATS,
  MARK_WHATS,
  MESSAGE_WHATS,
  PAGE_KINDS,
  PAGE_WHATS,
  PROVENANCES,
  type TraceEvent,
} from './event.ts';
import type { Handle } from './handle.ts';

/** Objects as programs make them, with a prototype. */
const PLAIN = { noNullPrototype: true } as const;

const u8 = fc.integer({ min: 0, max: 0xff });
const u12 = fc.integer({ min: 0, max: 0xfff });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.oneof(u8, fc.integer({ min: 0, max: 0xffff_ffff }));
const i32 = fc.oneof(fc.integer({ min: -40, max: 40 }), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }));
const count = fc.oneof(u8, fc.maxSafeNat());
const u64 = fc.oneof(fc.bigInt(0n, 0xffn), fc.bigInt(0n, 2n ** 64n - 1n));
const text = fc.string({ unit: 'binary', maxLength: 12 });
const ret = fc.oneof(i32, fc.constant(null));

/** Bytes of any length and of the lengths that structs have; often mostly zero, as real buffers are. */
const shortBytes: fc.Arbitrary<Uint8Array> = fc
  .tuple(
    fc.oneof(fc.integer({ min: 0, max: 40 }), fc.constantFrom(4, 8, 16, 24, 32, 40, 48, 64, 240, 256)),
    fc.boolean(),
    fc.uint8Array({ minLength: 256, maxLength: 256 }),
  )
  .map(([length, sparse, bytes]) =>
    bytes.map((byte, i) => (sparse && i % 5 !== 0 ? 0 : byte)).slice(0, length),
  );

/** More than a page, with a long tail of zeros. */
const longBytes: fc.Arbitrary<Uint8Array> = fc
  .tuple(fc.uint8Array({ maxLength: 40 }), fc.nat(5000))
  .map(([bytes, zeros]) => {
    const long = new Uint8Array(bytes.length + zeros);
    long.set(bytes);
    return long;
  });

/** Of all the sizes that are kept in different ways; some come again. */
const anyBytes: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 6, arbitrary: shortBytes },
  fc.constantFrom(new Uint8Array(16).fill(7), new Uint8Array(300).fill(1, 20, 40), new Uint8Array(0)),
  longBytes,
);

const partition = fc.option(u64, { nil: undefined });
const vpIndex = fc.option(u32, { nil: undefined });
const vp = fc.record({ partition, vp: vpIndex }, PLAIN);

const anyHandle: fc.Arbitrary<Handle> = fc.oneof(
  fc.record({ kind: fc.constant('device' as const), open: u32 }, PLAIN),
  fc.record({ kind: fc.constant('partition' as const), partition }, PLAIN),
  fc.record({ kind: fc.constant('vp' as const), partition, vp: vpIndex }, PLAIN),
  fc.record({ kind: fc.constantFrom('vtl', 'hvcall', 'sint', 'vtl-low'), open: u32 }, PLAIN),
  fc.record({ kind: fc.constantFrom('eventfd', 'foreign'), fd: fc.oneof(u32, fc.integer()) }, PLAIN),
);

const registers = fc.array(fc.record({ name: u32, value: fc.bigInt(0n, 2n ** 128n - 1n) }, PLAIN), {
  maxLength: 4,
});
const pageBytes = fc.uniqueArray(fc.record({ offset: u12, bytes: anyBytes }, PLAIN), {
  maxLength: 3,
  selector: (part) => part.offset,
});
const phase = fc.constantFrom('begin', 'end');

/** Fields of each kind: those that every event has, and those that it may have. */
const FIELDS: Readonly<Record<EventKind, { readonly always: object; readonly maybe: object }>> = {
  ioctl: {
    always: { handle: anyHandle, op: fc.oneof(fc.constantFrom(...requests()), u32) },
    maybe: {
      fd: i32,
      dialect: fc.constantFrom(...DIALECTS),
      arg: anyBytes,
      in: anyBytes,
      out: fc.record({ handle: anyHandle, arg: anyBytes, data: anyBytes }, { requiredKeys: [], ...PLAIN }),
      ret,
      duration: fc.nat(),
    },
  },
  hypercall: {
    always: { control: fc.oneof(controls(), u64) },
    maybe: {
      input: anyBytes,
      inputGpa: u64,
      outputGpa: u64,
      output: anyBytes,
      result: fc.record({ status: fc.oneof(u8, u16), reps: u12 }, PLAIN),
      fault: fc.boolean(),
      duration: fc.nat(),
    },
  },
  msr: {
    always: {
      dir: fc.constantFrom('read', 'write'),
      msr: fc.oneof(fc.integer({ min: 0x4000_0070, max: 0x4000_00b7 }), u32),
      value: u64,
    },
    maybe: { fault: fc.boolean(), nested: fc.boolean() },
  },
  message: {
    always: { sint: u8, what: fc.constantFrom(...MESSAGE_WHATS) },
    maybe: {
      slot: fc.oneof(anyBytes, messages()),
      flags: u32,
      reason: fc.constantFrom(...DROP_REASONS),
      flag: u32,
      vector: u32,
    },
  },
  intercept: { always: { vp, type: messageType() }, maybe: { payload: anyBytes, registers } },
  fd: {
    always: { what: fc.constantFrom(...FD_WHATS) },
    maybe: {
      fd: i32,
      handle: anyHandle,
      ret,
      path: text,
      from: i32,
      offset: u64,
      size: u64,
      addr: u64,
      value: u64,
    },
  },
  page: {
    always: { what: fc.constantFrom(...PAGE_WHATS), page: fc.constantFrom(...PAGE_KINDS) },
    maybe: { gpa: u64, bytes: pageBytes },
  },
  lifecycle: {
    always: { what: fc.constantFrom(...LIFECYCLE_WHATS) },
    maybe: { phase, partition: u64, ret: i32, fail: fc.constantFrom(...FAIL_STEPS) },
  },
  mark: {
    always: { what: fc.constantFrom(...MARK_WHATS) },
    maybe: { text, lost: count, sint: u32, depth: count, gsi: u32, vector: u32, level: u32, phase },
  },
};

/** Requests of all dialects and some kinds of handle, so that arguments meet their layouts. */
function requests(): number[] {
  return [
    0x4010_b800, 0xc020_b807, 0x4004_b801, 0x4020_b802, 0x4008_b805, 0xc020_b806, 0x8100_b800, 0xc010_b801,
  ];
}

/** Control words of calls that have a layout, with few reps. */
function controls(): fc.Arbitrary<bigint> {
  return fc
    .tuple(
      fc.constantFrom(0x40, 0x48, 0x49, 0x4b, 0x4c, 0x4e, 0x50, 0x51, 0x44, 0x45, 0xc1, 0xe3, 0x15, 0x5c),
      fc.integer({ min: 0, max: 6 }),
    )
    .map(([code, reps]) => BigInt(code) | (BigInt(reps) << 32n));
}

function messageType(): fc.Arbitrary<number> {
  return fc.oneof(fc.constantFrom(0x8000_0001, 0x8000_003f, 0x8001_0000, 0x8001_0007, 1), u32);
}

/** Whole message slots with a plausible header. */
function messages(): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(messageType(), u8, fc.uint8Array({ minLength: 256, maxLength: 256 }))
    .map(([type, size, bytes]) => {
      new DataView(bytes.buffer).setUint32(0, type, true);
      bytes[4] = size;
      return bytes;
    });
}

const COMMON = {
  cpu: u32,
  component: fc.oneof(fc.constantFrom('vmbus', 'mshv', 'timer'), text),
  pid: u32,
  tid: u32,
  vp,
  vtl: u8,
  instructions: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  note: text,
};

type Parts = Record<string, unknown> & { kind: EventKind; delta: number; back: number; duration?: number };

const parts: fc.Arbitrary<Parts> = fc.oneof(
  ...Object.entries(FIELDS).map(([kind, { always, maybe }]) => {
    const model = {
      ...COMMON,
      ...maybe,
      ...always,
      kind: fc.constant(kind as EventKind),
      provenance: fc.constantFrom(...PROVENANCES),
      delta: fc.oneof(u8, fc.nat()),
      back: fc.oneof(fc.constant(0), fc.nat({ max: 20 })),
    };
    const needed = [...Object.keys(always), 'kind', 'provenance', 'delta', 'back'];
    return fc.record(model as unknown as Record<string, fc.Arbitrary<unknown>>, {
      requiredKeys: needed,
      ...PLAIN,
    }) as unknown as fc.Arbitrary<Parts>;
  }),
);

/** Traces of at most `most` events of every kind with any fields: numbered from 1, ordered by time, parents earlier. */
export function traces(most: number): fc.Arbitrary<TraceEvent[]> {
  return fc.array(parts, { maxLength: most }).map((list) => {
    let t = 0;
    return list.map(({ delta, back, duration, ...fields }, index) => {
      t += delta;
      const seq = index + 1;
      return {
        ...fields,
        seq,
        t,
        ...(back > 0 && back < seq ? { parent: seq - back } : {}),
        ...(duration === undefined ? {} : { tEnd: t + duration }),
      } as unknown as TraceEvent;
    });
  });
}

/** Short ones. */
export const anyEvents: fc.Arbitrary<TraceEvent[]> = traces(12);
