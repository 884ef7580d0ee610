import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { replay } from '../replay/replay.ts';
import { CellPaths } from '../state/path.ts';
import { parseProfile } from '../trace/profile-read.ts';
import type { JsonObject } from '../trace/text/json.ts';
import { activePartition, hypercallsOf, memoryArg, PARTITION, ROOT, request } from './guest.testing.ts';
import { played, SIDES, scenario, sourceOf } from './scenario.testing.ts';

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

describe('a pinned region that cannot be mapped', () => {
  // Guest frames that do not agree with pages of 2 MiB, which the hypervisor refuses.
  const arg = { frame: 1n, size: MIB_2 };
  it('is taken for mapped', () => {
    const { bench, lines, ret } = region(LARGE, arg);
    assert.deepEqual([lines, ret], [['MAP_GPA_PAGES INVALID_PARAMETER'], 0]);
    assert.ok(bench.exists('driver.mshv.partition[2].region[0x1].pages'));
    assert.equal(bench.exists('partition[2].gpa[0x1].pages'), false);
  });

  it('is not without the quirk', () => {
    const quirks = { 'pinned-failure-swallowed': false };
    const { bench, ret } = region({ ...LARGE, quirks }, arg);
    assert.equal(ret, -22);
    assert.equal(bench.exists('driver.mshv.partition[2].region[0x1].pages'), false);
  });

  it('half a page of 2 MiB is not even asked for', () => {
    const quirks = { 'pinned-failure-swallowed': false };
    const { lines, ret } = region({ ...LARGE, quirks }, { size: 0x1000n });
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
  const LINES = `
{"t":"1us","kind":"fd","what":"open","path":"/dev/mshv","pid":7,"tid":7}
{"t":"2us","kind":"ioctl","pid":7,"tid":7,"handle":"device","op":"MSHV_CREATE_PARTITION","arg":{"pt_flags":0}}
{"t":"3us","kind":"ioctl","pid":7,"tid":7,"handle":"partition:2","op":"MSHV_INITIALIZE_PARTITION"}
{"t":"4us","kind":"ioctl","pid":7,"tid":7,"handle":"partition:2","op":"MSHV_SET_GUEST_MEMORY","arg":{"size":"0x200000","guest_pfn":"0x10","userspace_addr":"${ADDRESS}","flags":["WRITABLE"]}}
{"t":"5us","kind":"ioctl","pid":7,"tid":7,"handle":"partition:2","op":"MSHV_SET_GUEST_MEMORY","arg":{"size":"0x200000","guest_pfn":"0x10","userspace_addr":"${ADDRESS}","flags":["UNMAP"]}}
`;
  const profileOf = (given: JsonObject) => {
    const read = parseProfile({ ...ROOT, ...given });
    if ('problem' in read) throw new Error(read.problem.message);
    return read.profile;
  };

  for (const [what, given, kind] of [
    ['a device', { backing: { [ADDRESS]: 'device' } }, 3n],
    ['pinned', { mmuNotifier: false }, 1n],
    ['movable', {}, 2n],
  ] as const) {
    it(`shows by its first call that it is ${what}`, () => {
      const { header, stimuli } = scenario('regions', `{"profile":${JSON.stringify(ROOT)}}${LINES}`);
      const { events } = played({ name: '', header, stimuli }, profileOf(given));
      // The profile of the replay says nothing of it.
      const kinds = new Set<bigint>();
      const report = replay(sourceOf(header, events), SIDES, {
        observe: (_, { store }) => {
          const paths = new CellPaths(store.tables.objects);
          for (const cell of paths.find('driver.mshv.partition[2].region[0x10].kind') ?? []) {
            kinds.add(store.get(cell));
          }
        },
      });
      assert.deepEqual(report.divergences, []);
      assert.equal(report.bound['region-kind'], 1);
      assert.ok(kinds.has(kind));
    });
  }
});
describe('tear-down', () => {
  for (const [late, order] of [
    [true, ['FINALIZE_PARTITION SUCCESS', 'UNMAP_GPA_PAGES INVALID_PARTITION_STATE']],
    [false, ['UNMAP_GPA_PAGES SUCCESS 1', 'FINALIZE_PARTITION SUCCESS']],
  ] as const) {
    it(`unmaps memory ${late ? 'after' : 'before'} the partition is finalized, by the quirk`, () => {
      const { bench } = region({ quirks: { 'unmap-after-finalize': late } });
      const { lines } = bench.fd({ what: 'close', handle: PARTITION, pid: 7 });
      assert.deepEqual(hypercallsOf(lines).slice(0, 2), order);
    });
  }
});
