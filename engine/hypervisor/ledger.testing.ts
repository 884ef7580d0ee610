import assert from 'node:assert/strict';
import type { Emitted } from '../machine/child.ts';
import type { JournalChunk } from '../state/journal.ts';
import { type CellId, type CellStore, type ObjectId, TOP } from '../state/store.ts';
import type { PoolObject, Profile } from '../trace/profile.ts';
import { CPU, QUEUED, SINT_COUNT, type SynicSlots } from './cells/cpu.ts';
import { PARTITION, PARTITION_STATES, POOL_RUN } from './cells/partition.ts';
import { cellAt, groupAt } from './cells/place.ts';
import { CONNECTION, PORT } from './cells/port.ts';
import { VP, VP_QUEUED } from './cells/vp.ts';
import { BLOCK_PAGES } from './partition/pages.ts';

/** The cells as the journal alone tells them. */
export class Mirror {
  #values = new BigUint64Array(1024);

  readonly sink = (chunk: JournalChunk): void => {
    for (let i = 0; i < chunk.count; i++) {
      const cell = chunk.cell[i] ?? 0;
      if (cell >= this.#values.length) {
        const grown = new BigUint64Array(Math.max(cell + 1, this.#values.length * 2));
        grown.set(this.#values);
        this.#values = grown;
      }
      assert.equal(this.#values[cell], chunk.old[i], `cell ${cell}: the old value of an entry`);
      this.#values[cell] = chunk.now[i] ?? 0n;
    }
  };

  /** No cell has changed without an entry. */
  check(store: CellStore): void {
    store.flush();
    for (const { id, kind } of store.tables.objects) {
      for (let slot = 0; slot < kind.info.length; slot++) {
        const cell = (id + slot) as CellId;
        const told = this.#values[cell] ?? 0n;
        if (store.get(cell) !== told)
          assert.equal(store.get(cell), told, `${kind.name} slot ${slot}: no entry`);
      }
    }
  }
}

/** Pages that the objects in a partition's pool cost: ports and connections, and the partitions below it. */
function costOfObjects(store: CellStore, id: ObjectId, { pool, messageBuffers }: Profile): number {
  const isMessages = (port: ObjectId) => store.low(cellAt(port, PORT.slots.type)) === 1;
  const cost = (object: PoolObject) => pool[object] + (pool.contiguous.includes(object) ? BLOCK_PAGES : 0);
  const ports = store.children(id, PORT);
  const below = store
    .children(TOP, PARTITION)
    .filter((each) => store.get(cellAt(each, PARTITION.slots.parent)) === BigInt(store.key(id)));
  return (
    ports.length * cost('port') +
    ports.filter(isMessages).length * messageBuffers * pool.messageBuffer +
    store.children(id, CONNECTION).length * cost('connection') +
    store.children(id, VP).length * cost('vp') +
    below.length * cost('child')
  );
}

/**
 * Pages of each partition: those deposited lie in runs, no page in two, those used are what its objects cost, and
 * what is contiguous fits into the runs.
 */
export function checkPages(store: CellStore, profile: Profile): void {
  const { pool } = profile;
  const taken: (readonly [first: number, end: number])[] = [];
  for (const id of store.children(TOP, PARTITION)) {
    const { deposited, used, mapped, blocks } = PARTITION.slots.pool;
    // A pool that was there before the recording began.
    if (!store.known(cellAt(id, used))) continue;
    const runs = store.children(id, POOL_RUN).map((run) => {
      const first = store.number(cellAt(run, POOL_RUN.slots.frame));
      return [first, first + store.number(cellAt(run, POOL_RUN.slots.pages))] as const;
    });
    const inRuns = runs.reduce((sum, [first, end]) => sum + end - first, 0);
    assert.equal(store.number(cellAt(id, deposited)), inRuns, 'pages deposited are those of the runs');
    assert.ok(store.number(cellAt(id, used)) <= inRuns, 'no more is used than there is');
    const room = runs.reduce((sum, [first, end]) => sum + Math.floor((end - first) / BLOCK_PAGES), 0);
    assert.ok(store.number(cellAt(id, blocks)) <= room, 'blocks in use are whole');
    // Frames of a guest's are in its own address space.
    if (store.get(cellAt(id, PARTITION.slots.parent)) <= 1n) taken.push(...runs);
    const objects = costOfObjects(store, id, profile);
    const state = PARTITION_STATES[store.low(cellAt(id, PARTITION.slots.state))];
    if (state === 'finalizing') continue;
    const own = store.get(cellAt(id, PARTITION.slots.parent)) === 0n;
    const mapping =
      pool.mapPagesPerPoolPage === 0
        ? 0
        : Math.ceil(store.number(cellAt(id, mapped)) / pool.mapPagesPerPoolPage);
    const itself = pool.partition + (pool.contiguous.includes('partition') ? BLOCK_PAGES : 0);
    const cost = state === 'active' ? objects + mapping + (own ? 0 : itself) : 0;
    assert.equal(store.number(cellAt(id, used)), cost, 'what is used is what the objects cost');
  }
  taken.sort((a, b) => a[0] - b[0]);
  taken.forEach(([first], i) => {
    assert.ok(i === 0 || (taken[i - 1]?.[1] ?? 0) <= first, 'no frame is in two pools');
  });
}

interface Account {
  filled: number;
  waiting: number;
  dropped: number;
}

/** What became of every message that the hypervisor announced, against what the SynICs hold. */
export class Messages {
  readonly #accounts = new Map<ObjectId, Account>();

  /** Before the events take place. */
  announced(owner: ObjectId, events: readonly Emitted[], store: CellStore, slots: SynicSlots): void {
    const account = this.#accounts.get(owner) ?? { filled: 0, waiting: 0, dropped: 0 };
    this.#accounts.set(owner, account);
    let waiting = new Map<number, number>();
    for (const event of events) {
      if (event.kind !== 'message') continue;
      const at = groupAt(slots.slot, event.sint);
      const queued = waiting.get(event.sint) ?? store.number(cellAt(owner, at + slots.slot.slots.queued));
      waiting = new Map([...waiting, [event.sint, queued]]);
      if (event.what === 'busy') {
        account.waiting++;
        waiting.set(event.sint, queued + 1);
      } else if (event.what === 'deliver') {
        account.filled++;
        if (queued > 0) {
          account.waiting--;
          waiting.set(event.sint, queued - 1);
        }
      } else if (event.what === 'drop') account.dropped++;
    }
  }

  /** A reader frees a slot. */
  cleared(owner: ObjectId, store: CellStore, slots: SynicSlots, sint: number): void {
    const account = this.#accounts.get(owner);
    const filled = store.low(cellAt(owner, groupAt(slots.slot, sint) + slots.slot.slots.filled));
    if (account !== undefined) account.filled -= filled;
  }

  /** Every message is in a slot, waits, was read or is counted as lost; nothing waits in a slot that shows no more to come. */
  check(store: CellStore): void {
    for (const cpu of store.children(TOP, CPU)) this.#checkOwner(store, cpu, CPU.slots.synic, QUEUED);
    for (const partition of store.children(TOP, PARTITION)) {
      for (const vp of store.children(partition, VP)) this.#checkOwner(store, vp, VP.slots.synic, VP_QUEUED);
    }
  }

  /** An object is gone, and its messages with it. */
  forget(store: CellStore): void {
    for (const owner of this.#accounts.keys()) {
      if (store.low(owner as number as CellId) === 0) this.#accounts.delete(owner);
    }
  }

  #checkOwner(store: CellStore, owner: ObjectId, { slot, dropped }: SynicSlots, kind: typeof QUEUED): void {
    const account = this.#accounts.get(owner) ?? { filled: 0, waiting: 0, dropped: 0 };
    const waiting = store.children(owner, kind);
    let filled = 0;
    for (let sint = 0; sint < SINT_COUNT; sint++) {
      const at = groupAt(slot, sint);
      filled += store.low(cellAt(owner, at + slot.slots.filled));
      const here = waiting.filter((id) => store.low(cellAt(id, kind.slots.sint)) === sint).length;
      assert.equal(store.number(cellAt(owner, at + slot.slots.queued)), here, 'the count of those that wait');
      if (here > 0) {
        assert.equal(
          store.low(cellAt(owner, at + slot.slots.flags)) & 1,
          1,
          'a message that waits is announced',
        );
      }
    }
    assert.deepEqual(
      { filled, waiting: waiting.length, dropped: store.number(cellAt(owner, dropped)) },
      account,
      'messages in slots, waiting and lost',
    );
  }
}
