import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { replay } from '../replay/replay.ts';
import { memorySource } from '../replay/source.ts';
import { CellPaths } from '../state/path.ts';
import { parseProfile } from '../trace/profile-read.ts';
import type { JsonObject } from '../trace/text/json.ts';
import type { Bench } from './bench.testing.ts';
import { activePartition, hypercallsOf, memoryArg, PARTITION, ROOT, request, VP } from './guest.testing.ts';
import { played, SIDES, scenario } from './scenario.testing.ts';

const OP = request('partition', 'MSHV_SET_GUEST_MEMORY');
const ADDRESS = '0x700000000000';
const LARGE = { mmuNotifier: false, backing: { [ADDRESS]: 'large-pages' } };
const MIB_2 = 0x20_0000n;

/** A partition with a region of memory at {@link ADDRESS}: what the call did, and the machine. */
function region(given: JsonObject, arg: Parameters<typeof memoryArg>[0] = {}, partition = true) {
  const bench = activePartition(given, partition);
  const set = (asked: Parameters<typeof memoryArg>[0]) => {
    const { lines, outcome } = bench.ioctl({ handle: PARTITION, op: OP, arg: memoryArg(asked), pid: 7 });
    return { lines: hypercallsOf(lines), ret: outcome?.ret };
  };
  return { bench, set, ...set({ frame: 0n, ...arg }) };
}

describe('what is behind a region', () => {
  it('a device: uncached, and nothing of it is faulted in', () => {
    const { bench, lines, ret } = region({ backing: { [ADDRESS]: 'device' } }, { size: 0x2000n, flags: 1 });
    assert.deepEqual([lines, ret], [['MAP_GPA_PAGES SUCCESS 2'], 0]);
    assert.equal(bench.cell('partition[2].gpa[0x0].flags'), 0x20_0003n);
    assert.equal(bench.cell('driver.mshv.partition[2].region[0x0].kind'), 3n);
  });

  it('a kernel without MMU notifiers pins it', () => {
    const { bench, lines } = region({ mmuNotifier: false }, { flags: 3 });
    assert.deepEqual(lines, ['MAP_GPA_PAGES SUCCESS 1']);
    assert.equal(bench.cell('partition[2].gpa[0x0].flags'), 0x800fn);
    assert.equal(bench.cell('driver.mshv.partition[2].region[0x0].kind'), 1n);
  });

  it('pinned pages of 2 MiB are mapped and unmapped as such', () => {
    const { bench, set, lines } = region(LARGE, { size: 3n * MIB_2 });
    assert.deepEqual(lines, ['MAP_GPA_PAGES SUCCESS 3']);
    assert.equal(bench.cell('partition[2].gpa[0x0].flags'), 0x8000_8001n);
    assert.equal(bench.cell('partition[2].gpa[0x0].pages'), 1536n);
    assert.deepEqual(set({ frame: 0n, size: 3n * MIB_2, flags: 4 }), {
      lines: ['UNMAP_GPA_PAGES SUCCESS 3'],
      ret: 0,
    });
    assert.equal(bench.exists('partition[2].gpa[0x0].pages'), false);
  });
});

describe('pages of 2 MiB', () => {
  const mapped = (arg: Parameters<typeof memoryArg>[0]) => region(LARGE, arg).lines;
  it('go as small ones where guest and process do not have them alike', () => {
    assert.deepEqual(mapped({ frame: 1n, size: MIB_2 }), [
      'MAP_GPA_PAGES SUCCESS 509',
      'MAP_GPA_PAGES SUCCESS 3',
    ]);
  });

  it('and all of a region that does not end with one', () => {
    assert.deepEqual(mapped({ size: MIB_2 + 0x1000n }), [
      'MAP_GPA_PAGES SUCCESS 509',
      'MAP_GPA_PAGES SUCCESS 4',
    ]);
  });

  it('begin after small ones', () => {
    const address = 0x7000_001f_f000n;
    const backing = { backing: { [`0x${address.toString(16)}`]: 'large-pages' }, mmuNotifier: false };
    const { lines, set } = region(backing, { frame: 0x1ffn, address, size: MIB_2 + 0x1000n });
    assert.deepEqual(lines, ['MAP_GPA_PAGES SUCCESS 1', 'MAP_GPA_PAGES SUCCESS 1']);
    assert.deepEqual(set({ frame: 0x1ffn, address, size: MIB_2 + 0x1000n, flags: 4 }).lines, [
      'UNMAP_GPA_PAGES SUCCESS 1',
      'UNMAP_GPA_PAGES SUCCESS 1',
    ]);
  });
});

/** The VP touches a guest frame. */
function touch(bench: Bench, frame: bigint): string[] {
  const payload = new Uint8Array(80);
  new DataView(payload.buffer).setBigUint64(56, frame << 12n, true);
  const run = { handle: VP, op: request('vp', 'MSHV_RUN_VP'), pid: 7 };
  bench.ioctl(run);
  bench.intercept({ vp: { partition: 2n, vp: 0 }, type: 0x8000_0001, payload });
  return hypercallsOf(bench.wake(run)?.lines ?? []).filter((line) => line.startsWith('MAP_GPA'));
}

describe('a movable region', () => {
  const SIZE = 4n * MIB_2;
  function touched(given: JsonObject = {}) {
    const bench = activePartition(given, true, 1);
    bench.lifecycle('component-start', { component: 'mshv' });
    const set = (flags: number) =>
      hypercallsOf(
        bench.ioctl({ handle: PARTITION, op: OP, arg: memoryArg({ frame: 0n, size: SIZE, flags }), pid: 7 })
          .lines,
      );
    set(1);
    return { bench, set };
  }

  it('is unmapped where it was touched alone', () => {
    const { bench, set } = touched();
    assert.deepEqual(touch(bench, 0x205n), ['MAP_GPA_PAGES SUCCESS 509', 'MAP_GPA_PAGES SUCCESS 3']);
    assert.equal(bench.cell('driver.mshv.partition[2].region[0x0].present[0x200].pages'), 512n);
    assert.deepEqual(set(4), ['UNMAP_GPA_PAGES SUCCESS 512']);
    assert.equal(bench.cell('partition[2].gpa[0x0].flags'), 0x1_0000n, 'the hypervisor is told of no more');
  });

  it('of pages of 2 MiB is mapped and unmapped in them', () => {
    const { bench, set } = touched({ backing: { [ADDRESS]: 'large-pages' } });
    assert.deepEqual(
      [touch(bench, 0n), touch(bench, 0x400n), touch(bench, 0x3ffn)],
      [['MAP_GPA_PAGES SUCCESS 1'], ['MAP_GPA_PAGES SUCCESS 1'], ['MAP_GPA_PAGES SUCCESS 1']],
    );
    assert.deepEqual(set(4), ['UNMAP_GPA_PAGES SUCCESS 3']);
  });

  it('loses what its process unmaps, and a touch around that is told to user space', () => {
    const { bench, set } = touched();
    touch(bench, 0x205n);
    const gone = (address: bigint, size: bigint, pid = 7) =>
      hypercallsOf(bench.fd({ what: 'munmap', addr: address, size, pid, ret: 0 }).lines);
    const at = BigInt(ADDRESS);
    assert.deepEqual(gone(at + 0x200_000n, 0x3000n, 8), [], 'another process');
    assert.deepEqual(gone(at + 0x300_000n, 0x10_0000n), ['MAP_GPA_PAGES SUCCESS 256']);
    assert.equal(bench.cell('driver.mshv.partition[2].region[0x0].present[0x200].pages'), 256n);
    assert.equal(bench.cell('driver.mshv.partition[2].region[0x0].gone[0x300].pages'), 256n);
    assert.deepEqual(gone(at + 0x202_000n, 0x2000n), ['MAP_GPA_PAGES SUCCESS 2']);
    assert.equal(bench.cell('driver.mshv.partition[2].region[0x0].present[0x204].pages'), 252n);
    assert.deepEqual(touch(bench, 0x202n), []);
    assert.deepEqual(touch(bench, 0x3f0n), []);
    assert.deepEqual(touch(bench, 0x1ffn), ['MAP_GPA_PAGES SUCCESS 509', 'MAP_GPA_PAGES SUCCESS 3']);
    assert.deepEqual(set(4), [...[512, 2, 252].map((pages) => `UNMAP_GPA_PAGES SUCCESS ${pages}`)]);
  });

  it('is taken from the guest when its process ends, before the files are closed', () => {
    const { bench } = touched();
    touch(bench, 0n);
    const { lines } = bench.lifecycle('process-exit', { pid: 7 });
    assert.deepEqual(hypercallsOf(lines).slice(0, 2), [
      'MAP_GPA_PAGES SUCCESS 509',
      'MAP_GPA_PAGES SUCCESS 3',
    ]);
    assert.equal(bench.exists('driver.mshv.partition[2].region[0x0].present[0x0].pages'), false);
    assert.equal(
      lines.some((line) => line.includes('UNMAP_GPA_PAGES')),
      false,
    );
  });
});

describe('Linux 6.16', () => {
  const OLD = { kernel: 'upstream-6.16' };
  it('unmaps a device too, and nothing at tear-down', () => {
    const { bench, set } = region({ ...OLD, backing: { [ADDRESS]: 'device' } }, { size: 0x2000n });
    assert.deepEqual(set({ frame: 0n, size: 0x2000n, flags: 4 }).lines, ['UNMAP_GPA_PAGES SUCCESS 2']);
    set({ frame: 0n });
    const { lines } = bench.fd({ what: 'close', handle: PARTITION, pid: 7 });
    assert.equal(
      lines.some((line) => line.includes('UNMAP_GPA_PAGES')),
      false,
    );
  });

  it('returns every touch of memory to user space', () => {
    const bench = activePartition(OLD, true, 1);
    bench.lifecycle('component-start', { component: 'mshv' });
    const arg = memoryArg({ frame: 0n, flags: 1 });
    bench.ioctl({ handle: PARTITION, op: OP, arg, pid: 7 });
    const run = { handle: VP, op: request('vp', 'MSHV_RUN_VP'), pid: 7 };
    bench.ioctl(run);
    bench.intercept({ vp: { partition: 2n, vp: 0 }, type: 0x8000_0001, payload: new Uint8Array(80) });
    const woken = bench.wake(run);
    assert.equal(woken?.outcome.ret, 0);
    assert.equal(woken?.outcome.out?.data?.[3], 0x80, 'the message');
    assert.deepEqual(
      hypercallsOf(woken?.lines ?? []).filter((line) => line.startsWith('MAP')),
      [],
    );
  });

  it('looks at the ends of a new region, and at addresses of the process', () => {
    const { set } = region(OLD, { frame: 2n, size: 0x1000n });
    const other = 0x7100_0000_0000n;
    assert.equal(set({ frame: 1n, size: 0x3000n, address: other }).ret, 0, 'around the first');
    assert.equal(set({ frame: 9n, size: 0x1000n }).ret, -17, 'the same memory');
    assert.equal(set({ frame: 0x99n, flags: 4 }).ret, -22, 'no region');
  });
});

describe('a pinned region that cannot be mapped', () => {
  // Beyond the guest's address space.
  const arg = { frame: 1n << 34n, size: MIB_2 };
  it('is taken for mapped', () => {
    const { bench, lines, ret } = region(LARGE, arg);
    assert.deepEqual([lines, ret], [['MAP_GPA_PAGES INVALID_PARAMETER'], 0]);
    assert.ok(bench.exists('driver.mshv.partition[2].region[0x400000000].pages'));
    assert.equal(bench.exists('partition[2].gpa[0x400000000].pages'), false);
  });

  it('is not without the quirk', () => {
    const quirks = { 'pinned-failure-swallowed': false };
    const { bench, ret } = region({ ...LARGE, quirks }, arg);
    assert.equal(ret, -22);
    assert.equal(bench.exists('driver.mshv.partition[2].region[0x400000000].pages'), false);
  });

  it('half a page of 2 MiB is not even asked for in Linux 6.16', () => {
    const given = { ...LARGE, kernel: 'upstream-6.16', quirks: { 'pinned-failure-swallowed': false } };
    const { lines, ret } = region(given, { size: 0x1000n });
    assert.deepEqual([lines, ret], [[], -22]);
  });

  it('fails where it is movable, with the quirk too', () => {
    const frame = 1n << 34n;
    assert.equal(region({}, { frame }).ret, -22);
  });
});

describe('undoing a map of large pages of which a part was done', () => {
  // 510 pages of 2 MiB, the last of which lies beyond the guest's address space: 509 are mapped by a call before.
  const arg = { frame: (1n << 34n) - 509n * 512n, size: 510n * MIB_2 };
  it('counts 2 MiB pages as pages of 4 KiB, and does nothing', () => {
    const { bench, lines } = region(LARGE, arg);
    assert.deepEqual(lines, ['MAP_GPA_PAGES SUCCESS 509', 'MAP_GPA_PAGES INVALID_PARAMETER']);
    const first = `0x${arg.frame.toString(16)}`;
    assert.equal(bench.cell(`partition[2].gpa[${first}].pages`), 509n * 512n);
  });

  it('unmaps them all without the quirk', () => {
    const { lines } = region({ ...LARGE, quirks: { 'large-page-undo-count': false } }, arg);
    assert.deepEqual(lines.slice(2), ['UNMAP_GPA_PAGES SUCCESS 509']);
  });
});

describe('a recorded region', () => {
  const memory = (frame: string, address: string, size: string, flags: string) =>
    `"op":"MSHV_SET_GUEST_MEMORY","arg":{"size":"${size}","guest_pfn":"${frame}","userspace_addr":"${address}","flags":["${flags}"]}`;
  /** A region that is given, touched at its first frame, and taken. */
  const lines = (frame: string, address: string, size: string) => `
{"t":"0","kind":"lifecycle","what":"component-start","component":"mshv"}
{"t":"1us","kind":"fd","what":"open","path":"/dev/mshv","pid":7,"tid":7}
{"t":"2us","kind":"ioctl","pid":7,"tid":7,"handle":"device","op":"MSHV_CREATE_PARTITION","arg":{"pt_flags":0}}
{"t":"3us","kind":"ioctl","pid":7,"tid":7,"handle":"partition:2","op":"MSHV_INITIALIZE_PARTITION"}
{"t":"4us","kind":"ioctl","pid":7,"tid":7,"handle":"partition:2","op":"MSHV_CREATE_VP","arg":{"vp_index":0}}
{"t":"5us","kind":"ioctl","pid":7,"tid":7,"handle":"partition:2",${memory(frame, address, size, 'WRITABLE')}}
{"t":"6us","kind":"ioctl","pid":7,"tid":7,"handle":"vp:2.0","op":"MSHV_RUN_VP","ret":0,"tEnd":"9us"}
{"t":"7us","kind":"intercept","vp":"2.0","type":"HVMSG_GPA_INTERCEPT","payload":{"guest_physical_address":"${frame}000"}}
{"t":"8us","kind":"intercept","vp":"2.0","type":"HVMSG_X64_HALT"}
{"t":"10us","kind":"ioctl","pid":7,"tid":7,"handle":"partition:2",${memory(frame, address, size, 'UNMAP')}}
`;
  const profileOf = (given: JsonObject) => {
    const read = parseProfile({ ...ROOT, ...given });
    if ('problem' in read) throw new Error(read.problem.message);
    return read.profile;
  };
  const [APART, ALIKE, AFTER] = [
    ['0x10', ADDRESS, '0x200000'],
    ['0x200', ADDRESS, '0x600000'],
    ['0x1ff', '0x7000001ff000', '0x601000'],
  ] as const;
  const backed = (address: string) => ({ backing: { [address]: 'large-pages' } });

  for (const [what, given, place, kind, large] of [
    ['a device', { backing: { [ADDRESS]: 'device' } }, APART, 3n, 0n],
    ['pinned', { mmuNotifier: false }, APART, 1n, 0n],
    ['movable', {}, APART, 2n, 0n],
    ['pinned, of pages of 2 MiB', { ...backed(ADDRESS), mmuNotifier: false }, ALIKE, 1n, 1n],
    ['pinned, of those after a small one', { ...backed(AFTER[1]), mmuNotifier: false }, AFTER, 1n, 1n],
    ['movable, of pages of 2 MiB', backed(ADDRESS), ALIKE, 2n, 1n],
    ['movable, of small ones where large could be', {}, ALIKE, 2n, 0n],
  ] as const) {
    it(`shows by its first call that it is ${what}`, () => {
      const { header, stimuli } = scenario(
        'regions',
        `{"profile":${JSON.stringify(ROOT)}}${lines(place[0], place[1], place[2])}`,
      );
      const { events } = played({ name: '', header, stimuli }, profileOf(given));
      // The profile of the replay says nothing of it.
      const seen = new Set<string>();
      const region = `driver.mshv.partition[2].region[${place[0]}]`;
      const report = replay(memorySource(header, events), SIDES, {
        observe: (_, { store }) => {
          const paths = new CellPaths(store.tables.objects);
          const cells = ['kind', 'large'].flatMap((cell) => paths.find(`${region}.${cell}`) ?? []);
          seen.add(cells.map((cell) => store.get(cell)).join());
        },
      });
      assert.deepEqual(report.divergences, []);
      assert.ok((report.bound['region-kind'] ?? 0) >= 1);
      assert.ok(seen.has(`${kind},${large}`), [...seen].join(' '));
    });
  }
});

describe('tear-down', () => {
  for (const [late, order] of [
    [true, ['FINALIZE_PARTITION SUCCESS', 'UNMAP_GPA_PAGES INVALID_PARTITION_STATE']],
    [false, ['UNMAP_GPA_PAGES SUCCESS 1', 'FINALIZE_PARTITION SUCCESS']],
  ] as const) {
    it(`unmaps memory ${late ? 'after' : 'before'} the partition is finalized, by the quirk`, () => {
      const { bench } = region({ mmuNotifier: false, quirks: { 'unmap-after-finalize': late } });
      const { lines } = bench.fd({ what: 'close', handle: PARTITION, pid: 7 });
      assert.deepEqual(hypercallsOf(lines).slice(0, 2), order);
    });
  }
});
