/** Two processors on the same memory, each in its thread: what one updates with LOCK the other never loses. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { TestGuest } from './cpu.testing.ts';
import { PAGE_BYTES } from './index.ts';
import type { SharedProgram } from './locked.testing.ts';

const EACH = 60_000;
const BOTH = 2 * EACH;

const released = 'c7 05 00 90 00 00 00 00 00 00';
/** A plain count under a spin lock, which a plain store releases. */
function spinLock(taking: string): string {
  const body = `${taking} ff 05 00 91 00 00 ${released} 49`;
  const length = body.split(' ').length;
  return `${body} 75 ${(256 - length - 2).toString(16)} f4`;
}

interface Case {
  readonly code: string;
  /** 64-bit code. */
  readonly isLong?: true;
  readonly at?: number;
  /** The count that it leaves. */
  readonly count: (view: DataView) => number;
  readonly expected?: number;
}

const atStart = (view: DataView) => view.getUint32(0, true);
const guarded = (view: DataView) => view.getUint32(0x100, true);

const CASES: Readonly<Record<string, Case>> = {
  'LOCK INC of 4 bytes': { code: 'f0 ff 05 00 90 00 00 49 75 f6 f4', count: atStart },
  'LOCK ADD of 2 bytes': {
    code: '66 f0 83 05 00 90 00 00 01 49 75 f4 f4',
    count: atStart,
    expected: BOTH % 0x10000,
  },
  'LOCK SUB of a byte': {
    code: 'f0 80 2d 00 90 00 00 ff 49 75 f5 f4',
    count: atStart,
    expected: BOTH % 0x100,
  },
  'LOCK XADD': { code: 'b8 01 00 00 00 f0 0f c1 05 00 90 00 00 49 75 f0 f4', count: atStart },
  'LOCK CMPXCHG, until it succeeds': {
    code: 'a1 00 90 00 00 8d 58 01 f0 0f b1 1d 00 90 00 00 75 f3 49 75 eb f4',
    count: atStart,
  },
  'LOCK CMPXCHG8B, until it succeeds': {
    code: `51 a1 00 90 00 00 8b 15 04 90 00 00 89 c3 89 d1 83 c3 01 83 d1 00
           f0 0f c7 0d 00 90 00 00 75 ec 59 49 75 dc f4`,
    count: (view) => Number(view.getBigUint64(0, true)),
  },
  'LOCK CMPXCHG16B of two counts, until it succeeds': {
    code: `bf 00 50 01 00 41 89 c9 48 8b 07 48 8b 57 08 48 8d 58 01 48 8d 4a 02
           f0 48 0f c7 0f 75 ea 41 ff c9 75 e5 f4`,
    isLong: true,
    count: (view) => Number(view.getBigUint64(8, true) - view.getBigUint64(0, true)),
  },
  'a spin lock by LOCK BTS': { code: spinLock('f0 0f ba 2d 00 90 00 00 00 72 f5'), count: guarded },
  'a spin lock by XCHG, which needs no prefix': {
    code: spinLock('b8 01 00 00 00 87 05 00 90 00 00 85 c0 75 f1'),
    count: guarded,
  },
  'in a page with code, as in firmware': {
    code: 'f0 ff 05 00 a9 00 00 49 75 f6 f4',
    at: 0xa800,
    count: (view) => view.getUint32(PAGE_BYTES + 0x900, true),
  },
};

function thread(programs: readonly SharedProgram[]): Promise<readonly string[]> {
  return new Promise((done, fail) => {
    const worker = new Worker(new URL('./locked.testing.ts', import.meta.url), { workerData: programs });
    worker.on('message', done).on('error', fail);
  });
}

describe('LOCK, between two processors', () => {
  const programs = Object.values(CASES).map(({ code, isLong = false, at = 0x8000 }): SharedProgram => {
    const missing = new Int32Array(new SharedArrayBuffer(4));
    missing[0] = 2;
    const pairs = new Int32Array(new SharedArrayBuffer(4));
    return { code, isLong, at, times: EACH, shared: new SharedArrayBuffer(2 * PAGE_BYTES), missing, pairs };
  });
  let ends: readonly (readonly string[])[] = [];
  before(async () => {
    ends = await Promise.all([thread(programs), thread(programs)]);
  });

  for (const [index, [name, { count, expected = BOTH }]] of Object.entries(CASES).entries()) {
    test(`${name}: no count is lost`, () => {
      assert.deepEqual(
        ends.map((kinds) => kinds[index]),
        ['halt', 'halt'],
      );
      assert.equal(count(new DataView(programs[index]!.shared)), expected);
    });
  }
});

describe('LOCK, of one processor', () => {
  test('code that it writes is executed as it is then', () => {
    // 8000: lock add byte [8008], 3 makes INC EBX (43) of INC EAX (40).
    const guest = new TestGuest().flat('f0 80 05 08 80 00 00 03 40 f4');
    guest.run();
    assert.deepEqual([guest.get('RAX'), guest.get('RBX')], [0, 1]);
  });

  test('an operand across two pages, or not aligned, is updated as well', () => {
    for (const at of [0x9ffe, 0x9001]) {
      const guest = new TestGuest().flat('f0 ff 03 f4');
      guest.set('RBX', at);
      guest.memory.write(at, [0xff, 0xff, 0, 0]);
      guest.run();
      assert.equal(guest.memory.u32(at), 0x10000);
    }
  });
});
