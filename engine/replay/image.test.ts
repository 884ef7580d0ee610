import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cell, cells, objectKind } from '../state/schema.ts';
import { type CellId, CellStore, TOP } from '../state/store.ts';
import { at } from '../trace/position.ts';
import { HistoryBuilder } from './history.ts';
import { StateImage } from './image.ts';

const THING = objectKind('thing', undefined, 'decimal', {
  a: cell('hex', 7n),
  b: cells(3, () => ({ as: 'hex' })),
});

type Act =
  | { readonly do: 'create' | 'createUnknown' | 'destroy'; readonly key: number }
  | { readonly do: 'set'; readonly key: number; readonly slot: number; readonly value: bigint };

const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({
    do: fc.constantFrom('create', 'createUnknown', 'destroy'),
    key: fc.integer({ min: 0, max: 4 }),
  }),
  fc.record({
    do: fc.constant('set' as const),
    key: fc.integer({ min: 0, max: 4 }),
    slot: fc.integer({ min: 1, max: 4 }),
    value: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  }),
);

function apply(store: CellStore, step: Act): void {
  const id = store.find(TOP, THING, step.key);
  if (step.do === 'set') {
    if (id !== undefined) store.set((id + step.slot) as CellId, step.value);
  } else if (step.do === 'destroy') {
    if (id !== undefined) store.destroy(id);
  } else if (id === undefined) {
    store[step.do](TOP, THING, step.key);
  }
}

/** Every cell as the store has it. */
function stateOf(store: CellStore): {
  readonly values: readonly bigint[];
  readonly known: readonly boolean[];
} {
  const last = store.tables.objects.at(-1);
  const cells = Array.from(
    { length: last === undefined ? 0 : last.id + last.kind.info.length },
    (_, i) => i as CellId,
  );
  return { values: cells.map((c) => store.get(c)), known: cells.map((c) => store.known(c)) };
}

test('an image moved by deltas, either way and from checkpoints, is the state that was', () => {
  fc.assert(
    fc.property(
      fc.array(act, { minLength: 1, maxLength: 60 }),
      fc.array(fc.nat(60), { minLength: 1, maxLength: 20 }),
      fc.integer({ min: 1, max: 20 }),
      (acts, jumps, every) => {
        const builder = new HistoryBuilder(acts.length);
        const store = new CellStore((chunk) => builder.chunks.push(chunk));
        const states = [stateOf(store)];
        acts.forEach((step, i) => {
          builder.start(i + 1, store.entries);
          if (i % every === 0)
            builder.checkpoints.push({ nextSeq: i + 1, store: store.checkpoint(), open: [] });
          store.writer(at(i + 1), 'mshv');
          apply(store, step);
          states.push(stateOf(store));
        });
        store.flush();
        const history = builder.build(store.tables);
        const image = new StateImage(history);
        for (const jump of jumps) {
          const seq = jump % (acts.length + 1);
          image.seek(at(seq));
          const was = states[seq];
          assert.ok(was !== undefined);
          was.values.forEach((value, c) => {
            assert.equal(image.get(c as CellId), value);
          });
          for (const row of store.tables.objects) {
            // Cells of what does not exist have no knownness to speak of.
            if (was.values[row.id] !== 1n) continue;
            for (let c = row.id as number; c < row.id + row.kind.info.length; c++) {
              assert.equal(image.known(c as CellId), was.known[c], `cell ${c} at ${seq}`);
            }
          }
        }
        for (const row of store.tables.objects) {
          const entries = history.writesOf(row.id as number as CellId);
          assert.ok([...entries].every((entry) => history.write(entry).cell === (row.id as number)));
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('a cell that nobody wrote stays known when time goes back over the rebirth of its object', () => {
  const acts: Act[] = [{ do: 'create', key: 1 }];
  // Enough entries before it that the way back is shorter than the way from the start.
  for (let i = 0; i < 50; i++) acts.push({ do: 'set', key: 1, slot: 1, value: BigInt(i) });
  acts.push({ do: 'destroy', key: 1 }, { do: 'create', key: 1 });
  const builder = new HistoryBuilder(acts.length);
  const store = new CellStore((chunk) => builder.chunks.push(chunk));
  acts.forEach((step, i) => {
    builder.start(i + 1, store.entries);
    store.writer(at(i + 1), 'mshv');
    apply(store, step);
  });
  store.flush();
  const image = new StateImage(builder.build(store.tables));
  const untouched = ((store.find(TOP, THING, 1) as number) + 3) as CellId;
  for (const seq of [acts.length, 50, acts.length, 49]) {
    image.seek(at(seq));
    assert.equal(image.known(untouched), true, `at ${seq}`);
  }
});
