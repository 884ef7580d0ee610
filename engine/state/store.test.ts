import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at } from '../trace/position.ts';
import { type JournalChunk, OLD_UNKNOWN } from './journal.ts';
import { CellPaths } from './path.ts';
import { cell, cells, groups, objectKind, singleCellKind } from './schema.ts';
import { type CellId, CellStore, keyOf, TOP } from './store.ts';

const CPU = objectKind('cpu', undefined, 'decimal', {
  online: cell('bool'),
  synic: {
    scontrol: cell('hex', 0n),
    sint: cells(16, () => ({ as: 'hex' }), 0x10000n),
    timer: groups(4, () => ({ config: cell(), count: cell('dec') })),
  },
});
const MSR = singleCellKind('msr', CPU, 'hex');

test('slots of a shape are dense and named by path', () => {
  const { slots, info } = CPU;
  assert.equal(slots.online, 1);
  assert.equal(slots.synic.sint.first, 3);
  assert.equal(slots.synic.timer.first, 19);
  assert.equal(
    info[slots.synic.timer.first + 3 * slots.synic.timer.stride + 1]?.path,
    'synic.timer[3].count',
  );
  assert.equal(slots.synic.timer.slots.count, 1);
  assert.equal(info.length, 27);
});

test('creation writes reset values, destruction leaves nothing, a path keeps its cells', () => {
  const store = new CellStore();
  store.writer(at(1), 'mshv');
  const cpu = store.create(TOP, CPU, 0);
  const sint = (cpu + CPU.slots.synic.sint.first) as CellId;
  assert.equal(store.get(sint), 0x10000n);
  const msr = store.create(cpu, MSR, 0x40000073);
  store.set((msr + 1) as CellId, 0x1001n);
  assert.equal(store.find(cpu, MSR, 0x40000073), msr);
  store.destroy(cpu);
  assert.equal(store.find(TOP, CPU, 0), undefined);
  assert.equal(store.find(cpu, MSR, 0x40000073), undefined);
  assert.equal(store.get((msr + 1) as CellId), 0n);
  assert.equal(store.create(TOP, CPU, 0), cpu);
  assert.throws(() => store.create(TOP, CPU, 0), /exists already/);
});

test('numbers and bigints write the same 64 bits', () => {
  const store = new CellStore();
  const cpu = store.create(TOP, CPU, 0);
  const cellId = (cpu + 1) as CellId;
  store.set(cellId, 0x1f_ffff_ffff_ffff);
  assert.equal(store.get(cellId), 0x1f_ffff_ffff_ffffn);
  assert.equal(store.number(cellId), 0x1f_ffff_ffff_ffff);
  store.set(cellId, 0xffff_ffff_ffff_ffffn);
  assert.equal(store.get(cellId), 0xffff_ffff_ffff_ffffn);
  assert.equal(store.low(cellId), 0xffff_ffff);
});

test('what was there before the recording is unknown until it is written', () => {
  const chunks: JournalChunk[] = [];
  const store = new CellStore((chunk) => chunks.push(chunk));
  const cpu = store.createUnknown(TOP, CPU, 0);
  const scontrol = (cpu + CPU.slots.synic.scontrol) as CellId;
  assert.equal(store.known(scontrol), false);
  store.set(scontrol, 1n);
  assert.equal(store.known(scontrol), true);
  store.flush();
  assert.equal((chunks[0]?.flags[1] ?? 0) & OLD_UNKNOWN, OLD_UNKNOWN);
});

test('the hash depends on every part of every write', () => {
  const hashOf = (seq: number, value: bigint, slot: number) => {
    const store = new CellStore();
    const cpu = store.create(TOP, CPU, 0);
    store.writer(at(seq), 'mshv');
    store.set((cpu + slot) as CellId, value);
    return store.hash();
  };
  const base = hashOf(1, 1n, 1);
  assert.match(base, /^[0-9a-f]{16}$/);
  assert.equal(hashOf(1, 1n, 1), base);
  for (const other of [hashOf(2, 1n, 1), hashOf(1, 2n, 1), hashOf(1, 1n << 32n, 1), hashOf(1, 1n, 2)]) {
    assert.notEqual(other, base);
  }
});

test('a restored store continues with the same hash', () => {
  const store = new CellStore();
  const cpu = store.create(TOP, CPU, 0);
  const blob = store.intern(new Uint8Array([1, 2, 3]));
  store.writer(at(7), 'vmbus');
  store.set((cpu + 1) as CellId, blob);
  const saved = store.checkpoint();
  const resumed = CellStore.restore(saved, store.tables);
  for (const s of [store, resumed]) {
    s.writer(at(8), 'timer');
    s.set((cpu + 2) as CellId, 5n);
    s.create(s.find(TOP, CPU, 0) ?? TOP, MSR, 0x40000000);
    assert.deepEqual(s.blob(1), new Uint8Array([1, 2, 3]));
  }
  assert.equal(resumed.hash(), store.hash());
  assert.equal(resumed.entries, store.entries);
});

test('a checkpoint holds what exists, and which cells are not known', () => {
  const store = new CellStore();
  for (let n = 0; n < 100; n++) store.create(TOP, CPU, n);
  for (let n = 1; n < 100; n++) store.destroy(store.find(TOP, CPU, n) ?? TOP);
  const unknown = store.createUnknown(TOP, CPU, 200);
  store.set((unknown + 2) as CellId, 9n);
  const saved = store.checkpoint();
  const length = CPU.info.length;
  assert.equal(saved.cells, 101 * length);
  assert.deepEqual([...saved.blocks], [0, length, unknown, length]);
  assert.equal(saved.values.length, 2 * length);
  assert.deepEqual([...saved.unknown], [unknown + 1, 1, unknown + 3, length - 3]);
  const resumed = CellStore.restore(saved, store.tables);
  for (let c = 0; c < saved.cells; c++) {
    assert.equal(resumed.get(c as CellId), store.get(c as CellId));
    assert.equal(resumed.known(c as CellId), store.known(c as CellId));
  }
  assert.deepEqual(resumed.checkpoint(), saved);
});

test('keys are numbers while that is exact', () => {
  assert.equal(keyOf(2n), 2);
  assert.equal(keyOf(0xffff_ffff_ffff_ffffn), 0xffff_ffff_ffff_ffffn);
});

test('paths name cells and patterns find them', () => {
  const store = new CellStore();
  for (const n of [0, 1, 12]) {
    const cpu = store.create(TOP, CPU, n);
    store.create(cpu, MSR, 0x40000073);
  }
  const paths = new CellPaths(store.tables.objects);
  const named = (pattern: string) => paths.find(pattern)?.map((c) => paths.path(c));
  assert.deepEqual(named('cpu[1].synic.scontrol'), ['cpu[1].synic.scontrol']);
  assert.deepEqual(named('cpu[*].synic.sint[2]'), [
    'cpu[0].synic.sint[2]',
    'cpu[1].synic.sint[2]',
    'cpu[12].synic.sint[2]',
  ]);
  assert.deepEqual(named('cpu[12].msr[0x40000073]'), ['cpu[12].msr[0x40000073]']);
  assert.deepEqual(named('cpu[12].msr'), ['cpu[12].msr[0x40000073]']);
  assert.equal(named('cpu[0].synic.timer')?.length, 8);
  assert.equal(named('cpu[0]')?.length, 27);
  assert.equal(named('')?.length, 81);
  assert.deepEqual(named('cpu[7]'), []);
  assert.deepEqual(named('cpu.synic'), []);
  for (const bad of ['CPU[0]', 'cpu[', 'cpu[0]..x', 'cpu[0] ', '.', 'cpu[-1]']) {
    assert.equal(paths.find(bad), undefined, bad);
  }
});
