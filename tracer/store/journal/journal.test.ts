import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { type JournalChunk, newChunk } from '../../../engine/state/journal.ts';
import { kindPath } from '../../../engine/state/kind-path.ts';
import { cell, objectKind, singleCellKind } from '../../../engine/state/schema.ts';
import { type CellId, CellStore, TOP } from '../../../engine/state/store.ts';
import { at, RETURN_SUB } from '../../../engine/trace/position.ts';
import { good } from '../good.testing.ts';
import { headerOf } from '../header.testing.ts';
import { openTrace, TraceWriter } from '../index.ts';
import { scratch } from '../scratch.testing.ts';
import { decodeJournal, encodeJournal } from './journal-codec.ts';
import { ByteReader, ByteWriter } from './varint.ts';

const folder = scratch();

const u32 = fc.oneof(fc.nat(0xffff_ffff), fc.nat(40));
const u64 = fc.oneof(fc.bigInt(0n, 0xffff_ffff_ffff_ffffn), fc.bigInt(0n, 9n));
const entry = fc.record({
  cell: u32,
  old: u64,
  now: u64,
  seq: u32,
  sub: fc.oneof(u32, fc.constant(RETURN_SUB)),
  component: fc.nat(0xffff),
  flags: fc.nat(255),
});

/** The used part of a chunk. */
function entriesOf(chunk: JournalChunk): unknown[] {
  return Array.from({ length: chunk.count }, (_, i) => [
    chunk.cell[i],
    chunk.old[i],
    chunk.now[i],
    chunk.seq[i],
    chunk.sub[i],
    chunk.component[i],
    chunk.flags[i],
  ]);
}

test('numbers of every size come back', () => {
  const signed = fc.integer({ min: -0xffff_ffff, max: 0xffff_ffff });
  fc.assert(
    fc.property(fc.array(fc.tuple(u32, signed)), (pairs) => {
      const writer = new ByteWriter(1);
      for (const [a, b] of pairs) {
        writer.unsigned(a);
        writer.signed(b);
      }
      const reader = new ByteReader(writer.bytes());
      for (const [a, b] of pairs) assert.deepEqual([reader.unsigned(), reader.signed()], [a, b]);
      assert.ok(reader.ended);
    }),
  );
});

test('any journal chunk comes back, and a damaged one is refused', () => {
  fc.assert(
    fc.property(
      fc.array(entry, { minLength: 1, maxLength: 200 }),
      fc.nat(1e9),
      fc.nat(),
      (entries, first, where) => {
        const chunk = newChunk(first, entries.length + 3);
        entries.forEach((values, i) => {
          chunk.cell[i] = values.cell;
          chunk.old[i] = values.old;
          chunk.now[i] = values.now;
          chunk.seq[i] = values.seq;
          chunk.sub[i] = values.sub;
          chunk.component[i] = values.component;
          chunk.flags[i] = values.flags;
        });
        chunk.count = entries.length;
        const data = encodeJournal(chunk);
        const back = decodeJournal(first, entries.length, data);
        assert.ok(back !== undefined);
        assert.equal(back.first, first);
        assert.deepEqual(entriesOf(back), entriesOf(chunk));
        assert.equal(decodeJournal(first, entries.length + 1, data), undefined);
        assert.equal(decodeJournal(first, 70_000, data), undefined);
        assert.equal(decodeJournal(first, entries.length, data.subarray(0, where % data.length)), undefined);
      },
    ),
  );
});

const cpu = objectKind('cpu', undefined, 'decimal', { scontrol: cell(), sint: cell('hex', 0x10000n) });
const msr = singleCellKind('msr', cpu, 'hex', 'hex');
const KINDS = new Map([cpu, msr].map((kind) => [kindPath(kind), kind]));

test('a store is continued from what the file holds', () => {
  const path = join(folder, 'state.hvtrace');
  const writer = good(TraceWriter.create(path, headerOf(), { engine: '1' }));
  const chunks: JournalChunk[] = [];
  const store = new CellStore((chunk) => {
    chunks.push(chunk);
    writer.journal(chunk);
  });
  const checkpoints = [];
  const objects: CellId[] = [];
  for (let seq = 1; seq <= 3000; seq += 1) {
    store.writer(at(seq, seq % 5 === 0 ? RETURN_SUB : 0), seq % 2 === 0 ? 'mshv' : 'vmbus');
    if (seq % 100 === 1) {
      const id = store.create(TOP, cpu, seq);
      objects.push(
        id as number as CellId,
        store.create(id, msr, 2n ** 60n + BigInt(seq)) as number as CellId,
      );
    }
    for (const id of objects.slice(-8)) store.set((id + 1) as CellId, BigInt(seq) * 0x1_0000_1001n);
    store.intern(Uint8Array.of(seq & 63, 1, 2));
    if (seq % 1000 === 0) {
      store.flush();
      checkpoints.push({ at: at(seq), checkpoint: store.checkpoint() });
      writer.checkpoint(at(seq), store.checkpoint(), store.tables);
    }
  }
  writer.hash(store.hash());
  writer.close();

  const reader = good(openTrace(path));
  assert.equal(reader.hash, store.hash());
  assert.deepEqual([...reader.checkpoints()], checkpoints);
  const journal = [...reader.journal()];
  assert.deepEqual(journal.flatMap(entriesOf), chunks.flatMap(entriesOf));
  const tables = reader.tables((path) => KINDS.get(path));
  assert.ok(tables !== undefined);
  const { tables: own } = store;
  assert.deepEqual(tables, { ...own, objects: own.objects.slice(), blobs: own.blobs.slice() });
  assert.equal(
    reader.tables(() => undefined),
    undefined,
  );
  const last = checkpoints.at(-1);
  assert.ok(last !== undefined);
  const again = CellStore.restore(last.checkpoint, tables);
  assert.equal(again.hash(), store.hash());
  reader.close();
  const entries = chunks.reduce((sum, chunk) => sum + chunk.count, 0);
  const bytes = chunks.reduce((sum, chunk) => sum + encodeJournal(chunk).length, 0);
  assert.ok(bytes / entries < 8, `${bytes / entries} bytes an entry`);
  assert.equal(entries, store.entries);
});
