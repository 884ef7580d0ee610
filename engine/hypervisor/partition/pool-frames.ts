import { fieldOf, readU64, writeField } from '../../abi/index.ts';
import type { Context } from '../../machine/context.ts';
import { keyOf, type ObjectId, TOP } from '../../state/store.ts';
import type { Call } from '../call/call.ts';
import { FIRST_KERNEL_FRAME, FIRST_PROVIDED_FRAME } from '../cells/host.ts';
import { PARTITION, POOL_RUN } from '../cells/partition.ts';
import { cellAt } from '../cells/place.ts';
import { BLOCK_PAGES, blocksOf } from './pages.ts';
import { callerOf, isChildOf } from './target.ts';

const WITHDRAWN = fieldOf('hv_output_withdraw_memory', 'gpa_page_list');
const FRAME_BYTES = 8;
const { frame: FRAME, pages: PAGES } = POOL_RUN.slots;

/** Pages that lie one after another. */
export interface Frames {
  readonly frame: number;
  readonly pages: number;
}

/**
 * Whether pages are some that the machine may have chosen itself, because a record did not show which they were: then
 * nothing follows from what they are.
 */
export function isChosen({ frame }: Frames): boolean {
  return frame >= FIRST_KERNEL_FRAME && frame < FIRST_PROVIDED_FRAME;
}

/** The pools that a partition's pages go to: those of its children, and its own. */
function poolsOf(context: Context, parent: ObjectId): ObjectId[] {
  return context.store
    .children(TOP, PARTITION)
    .filter((id) => id === parent || isChildOf(context, id, parent));
}

/** Pages that are known to be in a pool that the caller feeds. */
export function depositedFrames(call: Call): Frames[] {
  const { store } = call.context;
  // The own pool may hold more than the recording shows; no page of it is known then.
  const pools = poolsOf(call.context, callerOf(call)).filter((pool) => hasRuns(call, pool));
  return pools.flatMap((pool) =>
    store
      .children(pool, POOL_RUN)
      .map((run) => ({ frame: store.number(cellAt(run, FRAME)), pages: store.number(cellAt(run, PAGES)) }))
      .filter((run) => !isChosen(run)),
  );
}

/** Pages of the pool have been deposited where the recording shows it. */
function hasRuns({ context: { store } }: Call, pool: ObjectId): boolean {
  return store.known(cellAt(pool, PARTITION.slots.pool.nextRun));
}

/** Adds pages to a pool as one run: neighbours are how the kernel allocates them, and far fewer cells. */
export function addFrames(call: Call, pool: ObjectId, { frame, pages }: Frames): void {
  const { store } = call.context;
  const next = cellAt(pool, PARTITION.slots.pool.nextRun);
  const run = store.create(pool, POOL_RUN, store.number(next));
  store.set(next, store.number(next) + 1);
  store.set(cellAt(run, FRAME), frame);
  store.set(cellAt(run, PAGES), pages);
}

/**
 * The pages that the hypervisor of this machine gives back: the last that came first, but for the blocks that objects
 * have. Gives the list of frames, which begins at element `from`; they stay in the pool.
 */
export function newestFrames(call: Call, pool: ObjectId, from: number, pages: number): Uint8Array {
  const { store } = call.context;
  const output = new Uint8Array((from + pages) * FRAME_BYTES);
  const runs = store.children(pool, POOL_RUN);
  let spare = blocksOf(call, pool) - store.number(cellAt(pool, PARTITION.slots.pool.blocks));
  let done = 0;
  for (let newest = runs.length - 1; done < pages; newest--) {
    const run = runs[newest];
    if (run === undefined) throw new Error('the pool has fewer pages than it counts');
    const had = store.number(cellAt(run, PAGES));
    const blocks = Math.floor(had / BLOCK_PAGES);
    const kept = Math.max(0, blocks - spare) * BLOCK_PAGES;
    const taken = Math.min(had - kept, pages - done);
    const last = store.number(cellAt(run, FRAME)) + had - 1;
    for (let i = 0; i < taken; i++) writeField(output, WITHDRAWN, last - i, from + done + i);
    spare -= blocks - Math.floor((had - taken) / BLOCK_PAGES);
    done += taken;
  }
  return output;
}

/** What is left of a run while frames are taken out of it. */
interface Piece {
  readonly run: ObjectId;
  frame: number;
  pages: number;
}

function piecesOf({ context: { store } }: Call, pool: ObjectId): Piece[] {
  return store
    .children(pool, POOL_RUN)
    .map((run) => ({
      run,
      frame: store.number(cellAt(run, FRAME)),
      pages: store.number(cellAt(run, PAGES)),
    }))
    .sort((a, b) => a.frame - b.frame);
}

/** Index of the piece that has a frame; -1 where none has. */
function pieceWith(pieces: readonly Piece[], frame: number): number {
  let [low, high] = [0, pieces.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const { frame: first, pages } = pieces[middle] as Piece;
    if (frame < first) high = middle;
    else if (frame >= first + pages) low = middle + 1;
    else return middle;
  }
  return -1;
}

/** Takes one frame out of a piece, whose rests stay. */
function takeFrom(pieces: Piece[], at: number, frame: number): void {
  const piece = pieces[at] as Piece;
  const before = frame - piece.frame;
  const after = piece.pages - before - 1;
  piece.pages = before;
  // Most are taken from the end.
  if (before > 0 && after === 0) return;
  const rest: Piece[] = after > 0 ? [{ run: piece.run, frame: frame + 1, pages: after }] : [];
  if (before > 0) pieces.splice(at + 1, 0, ...rest);
  else pieces.splice(at, 1, ...rest);
}

/**
 * Takes the frames of a list, from element `from` up to `to`, out of a pool. False, and nothing is taken,
 * where the pool cannot have given them: each was deposited there, or is in the place of one that the machine chose.
 */
export function takeListed(call: Call, pool: ObjectId, list: Uint8Array, from: number, to: number): boolean {
  const pieces = piecesOf(call, pool);
  for (let i = from; i < to; i++) {
    const frame = keyOf(readU64(list, WITHDRAWN, i));
    const known = typeof frame === 'number' ? pieceWith(pieces, frame) : -1;
    const at = known >= 0 ? known : pieces.findLastIndex(isChosen);
    const piece = pieces[at];
    if (piece === undefined) return false;
    takeFrom(pieces, at, known >= 0 ? Number(frame) : piece.frame + piece.pages - 1);
  }
  writeBack(call, pool, pieces);
  return true;
}

/** What is left of the runs: the first piece stays the run, further ones are runs of their own. */
function writeBack(call: Call, pool: ObjectId, pieces: readonly Piece[]): void {
  const { store } = call.context;
  const seen = new Set<ObjectId>();
  const next = cellAt(pool, PARTITION.slots.pool.nextRun);
  const before = store.children(pool, POOL_RUN);
  for (const { run, frame, pages } of pieces) {
    let id = run;
    if (seen.has(run)) {
      id = store.create(pool, POOL_RUN, store.number(next));
      store.set(next, store.number(next) + 1);
    }
    seen.add(run);
    if (store.number(cellAt(id, FRAME)) !== frame) store.set(cellAt(id, FRAME), frame);
    if (store.number(cellAt(id, PAGES)) !== pages) store.set(cellAt(id, PAGES), pages);
  }
  for (const run of before) if (!seen.has(run)) store.destroy(run);
}
