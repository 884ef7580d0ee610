import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FdKind } from '../abi/index.ts';
import { ioctlNamed } from '../abi/index.ts';
import type { Handle } from '../trace/handle.ts';
import type { JsonObject } from '../trace/text/json.ts';
import { Bench } from './bench.testing.ts';

const DEVICE: Handle = { kind: 'device', open: 1 };
const PARTITION: Handle = { kind: 'partition', partition: 2n };
const ROOT = { kernel: 'upstream-7.2', role: 'root', cpus: 1 };
const L1VH = { kernel: 'upstream-7.2', role: 'l1vh', cpus: 1 };

function number(fd: FdKind, name: string): number {
  const op = ioctlNamed('upstream', fd, name)?.number;
  if (op === undefined) throw new Error(`no ${name}`);
  return op;
}
const CREATE_PARTITION = number('device', 'MSHV_CREATE_PARTITION');
const INITIALIZE = number('partition', 'MSHV_INITIALIZE_PARTITION');
const CREATE_VP = number('partition', 'MSHV_CREATE_VP');

/** Argument of MSHV_CREATE_PARTITION; `bytes` of it from `at` on. */
function createArg(flags = 0, size = 16, ...patches: readonly [at: number, byte: number][]): Uint8Array {
  const arg = new Uint8Array(size);
  arg[0] = flags;
  for (const [at, byte] of patches) arg[at] = byte;
  return arg;
}

function vpArg(index: number): Uint8Array {
  const arg = new Uint8Array(4);
  new DataView(arg.buffer).setUint32(0, index, true);
  return arg;
}

const create = (bench: Bench, arg = createArg()) =>
  bench.ioctl({ handle: DEVICE, op: CREATE_PARTITION, arg, pid: 7 });
const initialize = (bench: Bench) => bench.ioctl({ handle: PARTITION, op: INITIALIZE, pid: 7 });
const createVp = (bench: Bench, index = 0) =>
  bench.ioctl({ handle: PARTITION, op: CREATE_VP, arg: vpArg(index), pid: 7 });

function active(given: JsonObject, vps = 0): Bench {
  const bench = new Bench(given);
  create(bench);
  initialize(bench);
  for (let i = 0; i < vps; i++) createVp(bench, i);
  return bench;
}

/** The hypercalls, without CPU and component. */
function calls(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace('0 mshv HC ', ''));
}

describe('MSHV_CREATE_PARTITION', () => {
  /** Argument and result. Source: Linux 7.2 drivers/hv/mshv_root_main.c, mshv_ioctl_process_pt_flags. */
  const CHECKS: readonly [what: string, arg: Uint8Array, ret: number][] = [
    ['nothing asked for', createArg(), 3],
    ['every flag but the features', createArg(0b110111), 3],
    ['an unknown flag', createArg(0x40), -22],
    ['an unknown isolation type', createArg(0, 16, [8, 1]), -22],
    ['features in 16 bytes', createArg(8), -14],
    ['features with two banks', createArg(8, 64, [16, 2]), 3],
    ['features with one bank', createArg(8, 64, [16, 1]), -22],
    ['a reserved byte', createArg(8, 64, [16, 2], [18, 1]), -22],
    ['a reserved word', createArg(8, 64, [16, 2], [55, 1]), -22],
    ['a reserved byte that is not read', createArg(0, 64, [18, 1]), 3],
  ];
  it('features in 16 bytes of a call that passed: its recorder saw the short form alone', () => {
    const bench = new Bench(ROOT);
    const given = { handle: DEVICE, op: CREATE_PARTITION, arg: createArg(8), pid: 7, ret: 9 };
    const { lines, outcome } = bench.ioctl(given);
    assert.deepEqual([calls(lines), outcome?.ret], [['CREATE_PARTITION SUCCESS'], 9]);
  });

  for (const [what, arg, ret] of CHECKS) {
    it(`${what}: ${ret}`, () => {
      const bench = new Bench(ROOT);
      const { lines, outcome } = create(bench, arg);
      assert.equal(outcome?.ret, ret);
      assert.deepEqual(calls(lines), ret < 0 ? [] : ['CREATE_PARTITION SUCCESS']);
    });
  }

  it('asks the hypervisor for its own flags', () => {
    const bench = new Bench(ROOT);
    create(bench, createArg(0b110111));
    assert.equal(
      bench.cell('partition[2].flags'),
      0x100n | 0x80000n | 0x2000n | 0x400000n | 0x10n | 0x2n | 0x1n,
    );
  });

  it('takes the id and the descriptor that a recording has', () => {
    const bench = new Bench(ROOT);
    const out = { handle: { kind: 'partition', partition: 40n } } as const;
    const { outcome } = bench.ioctl({
      handle: DEVICE,
      op: CREATE_PARTITION,
      arg: createArg(),
      pid: 7,
      ret: 12,
      out,
    });
    assert.deepEqual(outcome?.out?.handle, out.handle);
    assert.equal(bench.cell('partition[40].state'), 1n);
    assert.equal(bench.cell('process[7].fd[12].partition'), 40n);
  });

  it('a pointer that cannot be read: EFAULT, with or without a record', () => {
    const bench = new Bench(ROOT);
    const { lines, outcome } = bench.ioctl({ handle: DEVICE, op: CREATE_PARTITION, ret: -14 });
    assert.deepEqual([lines, outcome], [[], { rule: 'Linux.mshv.bad-pointer', ret: -14 }]);
    assert.equal(bench.ioctl({ handle: DEVICE, op: CREATE_PARTITION }).outcome?.ret, -14);
    const unread = bench.ioctl({ handle: DEVICE, op: CREATE_PARTITION, ret: 5 }).outcome;
    assert.deepEqual(unread, { ret: 5, rule: 'unmodelled' });
  });
});

describe('MSHV_INITIALIZE_PARTITION', () => {
  it('deposits 208 pages, then initialises; a second time it is nothing', () => {
    const bench = new Bench(ROOT);
    create(bench);
    const { lines, outcome } = initialize(bench);
    assert.deepEqual(calls(lines), ['DEPOSIT_MEMORY SUCCESS 208', 'INITIALIZE_PARTITION SUCCESS']);
    assert.equal(outcome?.ret, 0);
    assert.deepEqual(initialize(bench), { lines: [], outcome });
  });

  it('deposits page by page while the hypervisor asks for more', () => {
    const bench = new Bench({ ...ROOT, pool: { partition: 210 } });
    create(bench);
    assert.deepEqual(calls(initialize(bench).lines), [
      'DEPOSIT_MEMORY SUCCESS 208',
      'INITIALIZE_PARTITION INSUFFICIENT_MEMORY',
      'DEPOSIT_MEMORY SUCCESS 1',
      'INITIALIZE_PARTITION INSUFFICIENT_MEMORY',
      'DEPOSIT_MEMORY SUCCESS 1',
      'INITIALIZE_PARTITION SUCCESS',
    ]);
  });

  it('stops when the hypervisor never has enough, and takes everything back', () => {
    const bench = new Bench({ ...ROOT, pool: { partition: 0xffff_ffff } });
    create(bench);
    const { lines, outcome } = initialize(bench);
    assert.equal(outcome?.ret, -12);
    assert.equal(calls(lines).at(-1)?.startsWith('WITHDRAW_MEMORY NO_RESOURCES'), true);
    assert.equal(bench.cell('partition[2].pool.deposited'), 0n);
  });
});

describe('MSHV_CREATE_VP', () => {
  it('root: deposit, VP, two state pages, two stats pages', () => {
    const { lines, outcome } = createVp(active(ROOT));
    assert.deepEqual(calls(lines), [
      'DEPOSIT_MEMORY SUCCESS 90',
      'CREATE_VP SUCCESS',
      'MAP_VP_STATE_PAGE SUCCESS',
      'MAP_VP_STATE_PAGE SUCCESS',
      'MAP_STATS_PAGE SUCCESS',
      'MAP_STATS_PAGE SUCCESS',
    ]);
    assert.deepEqual(outcome?.out?.handle, { kind: 'vp', partition: 2n, vp: 0 });
  });

  it('L1VH: gives the frames itself', () => {
    const bench = active(L1VH);
    const { lines } = createVp(bench);
    assert.deepEqual(calls(lines).slice(-2), ['MAP_STATS_PAGE2 SUCCESS', 'MAP_STATS_PAGE2 SUCCESS']);
    assert.ok(bench.cell('partition[2].vp[0].page.registers') >= 0x20_0000n);
  });

  it('checks the index, and that the VP is new', () => {
    const bench = active(ROOT, 1);
    assert.deepEqual(createVp(bench, 256), {
      lines: [],
      outcome: { ret: -22, rule: 'Linux.mshv.create-vp' },
    });
    assert.equal(createVp(bench, 0).outcome?.ret, -17);
    assert.equal(createVp(bench, 255).outcome?.ret, 5);
  });

  it('before the initialisation the hypervisor refuses, and the pages stay', () => {
    const bench = new Bench(ROOT);
    create(bench);
    const { lines, outcome } = createVp(bench);
    assert.deepEqual(calls(lines), ['DEPOSIT_MEMORY SUCCESS 90', 'CREATE_VP INVALID_PARTITION_STATE']);
    assert.equal(outcome?.ret, -5);
    assert.equal(bench.cell('partition[2].pool.deposited'), 90n);
  });
});

describe('tear-down', () => {
  const closePartition = (bench: Bench) => bench.fd({ what: 'close', handle: PARTITION, fd: 3, pid: 7 });
  const closeVp = (bench: Bench, vp: number) =>
    bench.fd({ what: 'close', handle: { kind: 'vp', partition: 2n, vp }, fd: 4 + vp, pid: 7 });

  it('waits for the last file, then unmaps, finalises, withdraws and deletes', () => {
    const bench = active(ROOT, 2);
    assert.deepEqual(closePartition(bench).lines, []);
    assert.deepEqual(closeVp(bench, 0).lines, []);
    const perVp = [
      'UNMAP_STATS_PAGE SUCCESS',
      'UNMAP_STATS_PAGE SUCCESS',
      'UNMAP_VP_STATE_PAGE SUCCESS',
      'UNMAP_VP_STATE_PAGE SUCCESS',
    ];
    assert.deepEqual(calls(closeVp(bench, 1).lines), [
      ...perVp,
      ...perVp,
      'FINALIZE_PARTITION SUCCESS',
      'WITHDRAW_MEMORY NO_RESOURCES 388',
      'DELETE_PARTITION SUCCESS',
    ]);
    assert.equal(bench.exists('partition[2].state'), false);
    assert.equal(bench.exists('driver.mshv.partition[2].files'), false);
  });

  it('of one that was never initialised: withdraw and delete only', () => {
    const bench = new Bench(ROOT);
    create(bench);
    assert.deepEqual(calls(closePartition(bench).lines), [
      'WITHDRAW_MEMORY NO_RESOURCES',
      'DELETE_PARTITION SUCCESS',
    ]);
  });

  it('with more pages than one call returns', () => {
    const bench = active(ROOT, 4);
    for (let i = 0; i < 4; i++) closeVp(bench, i);
    assert.deepEqual(calls(closePartition(bench).lines).slice(-4), [
      'FINALIZE_PARTITION SUCCESS',
      'WITHDRAW_MEMORY SUCCESS 512',
      'WITHDRAW_MEMORY NO_RESOURCES 56',
      'DELETE_PARTITION SUCCESS',
    ]);
  });

  it('root scheduler: stops the dispatch of each VP first and asks for its signals', () => {
    const bench = active({ ...ROOT, scheduler: 'root' }, 1);
    closeVp(bench, 0);
    assert.deepEqual(calls(closePartition(bench).lines).slice(0, 2), [
      'SET_VP_REGISTERS SUCCESS 1',
      'GET_VP_REGISTERS SUCCESS 1',
    ]);
  });

  it('a dup keeps the file open', () => {
    const bench = active(ROOT);
    assert.equal(bench.fd({ what: 'dup', from: 3, pid: 7 }).outcome?.ret, 4);
    assert.deepEqual(closePartition(bench).lines, []);
    const { lines } = bench.fd({ what: 'close', fd: 4, pid: 7 });
    assert.equal(calls(lines).at(-1), 'DELETE_PARTITION SUCCESS');
  });

  it('a process that ends closes what it has', () => {
    const bench = active(ROOT, 1);
    const { lines } = bench.lifecycle('process-exit', { pid: 7 });
    assert.equal(calls(lines).at(-1), 'DELETE_PARTITION SUCCESS');
    assert.equal(bench.exists('process[7].fd[3].handle'), false);
  });

  it('keeps the module from being unloaded while a partition lives', () => {
    const bench = new Bench(ROOT);
    bench.lifecycle('component-start', { component: 'mshv' });
    create(bench);
    assert.equal(bench.lifecycle('component-stop', { component: 'mshv' }).outcome?.ret, -11);
    closePartition(bench);
    assert.equal(bench.lifecycle('component-stop', { component: 'mshv' }).outcome?.ret, 0);
  });
});

describe('files', () => {
  it('the device opens while the driver is there', () => {
    const bench = new Bench(ROOT);
    const open = () => bench.fd({ what: 'open', path: '/dev/mshv', pid: 7 }).outcome?.ret;
    assert.equal(open(), 3);
    assert.equal(bench.cell('process[7].fd[3].handle'), 1n);
    assert.equal(open(), 4);
    assert.equal(bench.cell('process[7].fd[4].open'), 2n);
    bench.lifecycle('component-start', { component: 'mshv' });
    bench.lifecycle('component-stop', { component: 'mshv' });
    assert.equal(open(), -2);
  });

  it('take the numbers that a recording has', () => {
    const bench = new Bench(ROOT);
    assert.equal(bench.fd({ what: 'open', path: '/dev/mshv', pid: 7, ret: 9 }).outcome?.ret, 9);
    assert.equal(bench.cell('process[7].fd[9].open'), 1n);
  });

  it('of others are nobody’s business', () => {
    const bench = new Bench(ROOT);
    assert.equal(bench.fd({ what: 'open', path: '/dev/null', pid: 7 }).outcome, undefined);
    assert.equal(bench.fd({ what: 'close', fd: 9, pid: 7 }).outcome, undefined);
    assert.equal(bench.fd({ what: 'close', handle: PARTITION, pid: 7 }).outcome, undefined);
  });
});

describe('mmap', () => {
  const VP: Handle = { kind: 'vp', partition: 2n, vp: 0 };
  const map = (bench: Bench, handle: Handle, offset: bigint, ret?: number) =>
    bench.fd({ what: 'mmap', handle, offset, size: 4096n, ...(ret === undefined ? {} : { ret }) }).outcome;

  it('a VP has a register and an intercept page, no GHCB page, and no others', () => {
    const bench = active(ROOT, 1);
    assert.deepEqual(map(bench, VP, 0n, 0x7f00_0000_0000), { ret: 0x7f00_0000_0000, rule: 'Linux.fd.mmap' });
    assert.equal(bench.machine.bound.mapping, 1);
    const at = (offset: bigint) => map(bench, VP, offset)?.ret;
    assert.deepEqual([at(0x1000n), at(0x2000n), at(0x3000n), at(0x800n)], [0, -19, -22, -22]);
    assert.equal(map(bench, PARTITION, 0n)?.ret, -19);
    assert.deepEqual(map(bench, VP, 0n, -12), { ret: -12, rule: 'unmodelled' });
  });
});

describe('ioctls that are not handled', () => {
  it('have no such number on that file: ENOTTY', () => {
    const { outcome } = new Bench(ROOT).ioctl({ handle: DEVICE, op: 0xb8ff });
    assert.equal(outcome?.ret, -25);
  });

  it('are not modelled, or their object is not known: left to the record', () => {
    const bench = new Bench(ROOT);
    const foreign: Handle = { kind: 'foreign', fd: 5 };
    assert.equal(bench.ioctl({ handle: foreign, op: INITIALIZE }).outcome, undefined);
    assert.equal(bench.ioctl({ handle: PARTITION, op: INITIALIZE }).outcome, undefined);
    const unknown: Handle = { kind: 'partition', partition: undefined };
    assert.equal(bench.ioctl({ handle: unknown, op: INITIALIZE }).outcome, undefined);
    const legacy = {
      handle: DEVICE,
      op: CREATE_PARTITION,
      arg: createArg(),
      dialect: 'dom0-legacy',
    } as const;
    assert.equal(bench.ioctl(legacy).outcome, undefined);
  });
});
