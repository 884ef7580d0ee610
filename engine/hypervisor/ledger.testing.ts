import assert from 'node:assert/strict';
import { decodeControl, fieldOf, hypercalls, readU64 } from '../abi/index.ts';
import type { Context } from '../machine/context.ts';
import type { JournalChunk } from '../state/journal.ts';
import { type CellId, type CellStore, type ObjectId, TOP } from '../state/store.ts';
import type { HypercallEvent, MessageEvent } from '../trace/event.ts';
import type { PoolObject, Profile } from '../trace/profile.ts';
import { CPU, QUEUED, SINT_COUNT } from './cells/cpu.ts';
import { PARTITION, PARTITION_STATES, POOL_RUN } from './cells/partition.ts';
import { cellAt, groupAt } from './cells/place.ts';
import { CONNECTION, PORT } from './cells/port.ts';
import { VP, VP_QUEUED } from './cells/vp.ts';
import { BLOCK_PAGES } from './partition/pages.ts';
import { fileOf, NESTED_FILE, PLAIN_FILE, type SynicFile, VP_FILE } from './synic/file.ts';

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

  /** No cell has changed without an entry: an earlier change would show as an old value that is not the one before. */
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

/** What became of the messages of one SINT. */
interface Account {
  filled: boolean;
  waiting: number;
}

/** What became of every message that was announced, against what the SynICs hold. */
export class Messages {
  readonly #accounts = new Map<ObjectId, Account[]>();
  readonly #dropped = new Map<ObjectId, number>();

  /** A message event at a CPU or a VP. */
  saw(owner: ObjectId, { what, sint }: Pick<MessageEvent, 'what' | 'sint'>): void {
    const account = this.#of(owner)[sint];
    assert.ok(account !== undefined, `a message at SINT ${sint}`);
    if (what === 'busy') account.waiting++;
    else if (what === 'drop') this.#dropped.set(owner, (this.#dropped.get(owner) ?? 0) + 1);
    else if (what === 'clear') account.filled = false;
    else if (what === 'deliver') {
      assert.ok(!account.filled, 'a slot is filled that nobody has read');
      account.filled = true;
      // Those that wait come first.
      if (account.waiting > 0) account.waiting--;
    }
  }

  /** Every message is in a slot, waits, was read or is counted as lost; nothing waits in a slot that shows no more to come. */
  check(context: Context): void {
    const { store } = context;
    for (const cpu of store.children(TOP, CPU)) {
      const files = [PLAIN_FILE, NESTED_FILE];
      this.#checkOwner(store, cpu, files, (sint) => fileOf(context, sint));
    }
    for (const partition of store.children(TOP, PARTITION)) {
      for (const vp of store.children(partition, VP)) this.#checkOwner(store, vp, [VP_FILE], () => VP_FILE);
    }
  }

  /** Objects are gone, and their messages with them. */
  forget(store: CellStore): void {
    for (const owner of this.#accounts.keys())
      if (store.low(owner as number as CellId) === 0) this.#gone(owner);
  }

  /** The same as the journal has it: they may have come again. */
  readonly sink = ({ count, cell, now }: JournalChunk): void => {
    for (let i = 0; i < count; i++) {
      if (now[i] !== 0n) continue;
      // An object goes by the number of its first cell.
      this.#gone(cell[i] as ObjectId);
    }
  };

  #gone(owner: ObjectId): void {
    this.#accounts.delete(owner);
    this.#dropped.delete(owner);
  }

  #of(owner: ObjectId): Account[] {
    const accounts =
      this.#accounts.get(owner) ?? Array.from({ length: SINT_COUNT }, () => ({ filled: false, waiting: 0 }));
    this.#accounts.set(owner, accounts);
    return accounts;
  }

  /** `fileOfSint`: the register file that messages for a SINT go to. */
  #checkOwner(
    store: CellStore,
    owner: ObjectId,
    files: readonly SynicFile[],
    fileOfSint: (sint: number) => SynicFile,
  ): void {
    const accounts = this.#accounts.get(owner);
    const lost = files.reduce((sum, { slots }) => sum + store.number(cellAt(owner, slots.dropped)), 0);
    assert.equal(lost, this.#dropped.get(owner) ?? 0, 'messages lost');
    const kind = files.includes(VP_FILE) ? VP_QUEUED : QUEUED;
    const waiting = store.children(owner, kind).map((id) => store.low(cellAt(id, kind.slots.sint)));
    for (let sint = 0; sint < SINT_COUNT; sint++) {
      const { slot } = fileOfSint(sint).slots;
      const at = groupAt(slot, sint);
      const { filled = false, waiting: expected = 0 } = accounts?.[sint] ?? {};
      assert.equal(
        store.low(cellAt(owner, at + slot.slots.filled)) === 1,
        filled,
        `a message in slot ${sint}`,
      );
      const here = waiting.filter((each) => each === sint).length;
      assert.equal(here, expected, `messages that wait for slot ${sint}`);
      assert.equal(store.number(cellAt(owner, at + slot.slots.queued)), here, 'the count of those that wait');
      if (here > 0) {
        const isAnnounced = (store.low(cellAt(owner, at + slot.slots.flags)) & 1) === 1;
        assert.ok(isAnnounced, 'a message that waits is announced');
      }
    }
  }
}

const MADE = fieldOf('hv_output_create_partition', 'partition_id');
const CREATE_PARTITION = hypercalls.number('CREATE_PARTITION');

/** Partitions by their ids. */
export class Ids {
  readonly #made = new Set<bigint>();

  /** A hypercall with its answer: none makes a partition of an id that there was before. */
  saw({ control, result, output }: Pick<HypercallEvent, 'control' | 'result' | 'output'>): void {
    if (decodeControl(control).code !== CREATE_PARTITION || result?.status !== 0 || output === undefined)
      return;
    const id = readU64(output, MADE);
    assert.ok(!this.#made.has(id), `partition id ${id} again`);
    this.#made.add(id);
  }
}
