import { constantNumber, fieldOf, statuses, writeField } from '../../../abi/index.ts';
import type { DriverRun, HypercallAnswer } from '../../../machine/child.ts';
import type { Context } from '../../../machine/context.ts';
import type { Actor } from '../../kernel/access.ts';
import { errnoOf, failure } from '../../kernel/errno.ts';
import { type HypercallOptions, hypercallCode, issue } from '../../kernel/hypercall.ts';
import { allocateFrames } from '../../kernel/objects.ts';
import { deposit } from '../deposit.ts';
import { LARGE_PAGES } from './chunks.ts';

const MAP_GPA_PAGES = hypercallCode('MAP_GPA_PAGES');
const UNMAP_GPA_PAGES = hypercallCode('UNMAP_GPA_PAGES');
const MAP = {
  id: fieldOf('hv_input_map_gpa_pages', 'target_partition_id'),
  base: fieldOf('hv_input_map_gpa_pages', 'target_gpa_base'),
  flags: fieldOf('hv_input_map_gpa_pages', 'map_flags'),
  list: fieldOf('hv_input_map_gpa_pages', 'source_gpa_page_list'),
};
const UNMAP = {
  bytes: 24,
  id: fieldOf('hv_input_unmap_gpa_pages', 'target_partition_id'),
  base: fieldOf('hv_input_unmap_gpa_pages', 'target_gpa_base'),
  flags: fieldOf('hv_input_unmap_gpa_pages', 'unmap_flags'),
};
const FRAME_BYTES = 8;
const MAP_BATCH = constantNumber('HV_MAP_GPA_BATCH_SIZE');
const UNMAP_BATCH = constantNumber('HV_UMAP_GPA_PAGES');
export const DEPOSIT_PAGES = constantNumber('HV_MAP_GPA_DEPOSIT_PAGES');
const NO_ACCESS = constantNumber('HV_MAP_GPA_NO_ACCESS');
const LARGE = constantNumber('HV_MAP_GPA_LARGE_PAGE');
const UNMAP_LARGE = constantNumber('HV_UNMAP_GPA_LARGE_PAGE');
const INSUFFICIENT_MEMORY = statuses.number('INSUFFICIENT_MEMORY');

/** Deposits for one range at most this often: a real kernel runs out of pages before. */
export const MAX_DEPOSITS = 4096;

/** Guest frames of a partition. */
export interface GuestFrames {
  readonly partition: bigint;
  readonly start: bigint;
  readonly pages: number;
}

/** How frames are mapped. */
export interface Mapping {
  readonly flags: number;
  /** Pages of 2 MiB: the list has their heads, and counts are in units of them. */
  readonly large?: boolean;
  readonly learn?: Learning;
}

/** What the first call shows of the memory, where a record has it. */
export interface Learning {
  /** Frames that the call may be about instead, with pages of their size. */
  readonly other?: Pick<GuestFrames, 'pages'> & { readonly large: boolean };
  /** What it turned out to be: `reps` elements were done. */
  settled(reps: number): Omit<Mapping, 'learn'> & Pick<GuestFrames, 'pages'>;
}

/** The frames of one call: `count` pages of `unit` small ones. */
export interface Batch {
  readonly base: bigint;
  readonly count: number;
  readonly flags: number;
  readonly unit: number;
}

/** One HVCALL_MAP_GPA_PAGES; what of it cannot be known is the list of frames, where nothing else is said. */
export function* mapOnce(
  context: Context,
  actor: Actor,
  partition: bigint,
  batch: Batch,
  learn?: Learning,
): DriverRun<HypercallAnswer> {
  const input = mapInput(context, partition, batch);
  const unknown = unknownOf(batch, input, learn);
  return yield* issue(actor, MAP_GPA_PAGES, input, { reps: batch.count, ...unknown });
}

/** One HVCALL_UNMAP_GPA_PAGES. */
export function* unmapOnce(
  actor: Actor,
  partition: bigint,
  { base, count, flags }: Omit<Batch, 'unit'>,
): DriverRun<HypercallAnswer> {
  const input = new Uint8Array(UNMAP.bytes);
  writeField(input, UNMAP.id, partition);
  writeField(input, UNMAP.base, base);
  writeField(input, UNMAP.flags, flags);
  return yield* issue(actor, UNMAP_GPA_PAGES, input, { reps: count });
}

/** The list of a batch, of the kernel's choice of frames. */
function writeSources(context: Context, input: Uint8Array, { count, unit }: Batch): void {
  const list = new DataView(input.buffer);
  const step = BigInt(unit);
  // A large page begins at a multiple of its own size.
  const first = allocateFrames(context, unit === 1 ? count : (count + 1) * unit);
  const aligned = ((first + step - 1n) / step) * step;
  for (let i = 0; i < count; i++) {
    list.setBigUint64(MAP.list.offset + i * FRAME_BYTES, aligned + BigInt(i) * step, true);
  }
}

/** The input of one batch; without access the list is zeros, else it is the kernel's choice of frames. */
function mapInput(context: Context, partition: bigint, batch: Batch): Uint8Array {
  const input = new Uint8Array(MAP.list.offset + batch.count * FRAME_BYTES);
  writeField(input, MAP.id, partition);
  writeField(input, MAP.base, batch.base);
  writeField(input, MAP.flags, batch.flags);
  if ((batch.flags & NO_ACCESS) === 0) writeSources(context, input, batch);
  return input;
}

/** What of a batch the engine cannot know. */
function unknownOf(batch: Batch, input: Uint8Array, learn: Learning | undefined): HypercallOptions {
  const whole = input.length;
  if (learn === undefined) {
    if ((batch.flags & NO_ACCESS) !== 0) return {};
    return { bind: 'guest-frames', bound: [MAP.list.offset, whole] };
  }
  const { other } = learn;
  const bound = { bind: 'region-kind', bound: [MAP.flags.offset, Number.MAX_SAFE_INTEGER] } as const;
  if (other === undefined) return bound;
  const reps = Math.min(other.large ? other.pages / LARGE_PAGES : other.pages, MAP_BATCH);
  const form = new Uint8Array(MAP.list.offset + reps * FRAME_BYTES);
  form.set(input.subarray(0, MAP.list.offset));
  return { ...bound, forms: [{ reps, input: form }] };
}

/**
 * Maps guest frames, 509 a call; a call that wants memory is followed by a deposit of 256 pages and goes on from
 * where it stopped; after any other failure what was mapped is unmapped again (Linux 7.2
 * drivers/hv/mshv_root_hv_call.c, hv_do_map_gpa_hcall).
 */
export function* mapFrames(
  context: Context,
  actor: Actor,
  frames: GuestFrames,
  { flags, large = false, learn }: Mapping,
): DriverRun<number> {
  let unit = large ? LARGE_PAGES : 1;
  if (frames.pages % unit !== 0) return failure('EINVAL');
  let total = frames.pages / unit;
  let mapFlags = large ? (flags | LARGE) >>> 0 : flags;
  let deposits = 0;
  for (let done = 0, first = learn; done < total; first = undefined) {
    const count = Math.min(total - done, MAP_BATCH);
    const batch = { base: frames.start + BigInt(done * unit), count, flags: mapFlags, unit };
    const answer = yield* mapOnce(context, actor, frames.partition, batch, first);
    const { status, reps } = answer.result;
    if (first !== undefined) {
      const now = first.settled(reps);
      unit = now.large === true ? LARGE_PAGES : 1;
      total = now.pages / unit;
      mapFlags = now.large === true ? (now.flags | LARGE) >>> 0 : now.flags;
    }
    let ret = errnoOf(answer, context.profile);
    if (status === INSUFFICIENT_MEMORY && deposits < MAX_DEPOSITS) {
      deposits++;
      ret = yield* deposit(context, actor, frames.partition, DEPOSIT_PAGES);
    }
    if (ret === 0) done += reps;
    // A call that succeeded and did nothing would be made for ever.
    if (ret === 0 && (status !== 0 || reps > 0)) continue;
    // The count of units is taken for one of pages.
    const isShort = unit > 1 && context.profile.quirks['large-page-undo-count'];
    if (done > 0)
      yield* unmapFrames(context, actor, { ...frames, pages: isShort ? done : done * unit }, unit > 1);
    return ret;
  }
  return 0;
}

/**
 * Unmaps guest frames, 512 a call, up to the first failure; large pages only where they are whole ones
 * (hv_call_unmap_gpa_pages).
 */
export function* unmapFrames(
  context: Context,
  actor: Actor,
  frames: GuestFrames,
  large = false,
): DriverRun<number> {
  const unit = large ? LARGE_PAGES : 1;
  if (frames.pages % unit !== 0) return failure('EINVAL');
  const total = frames.pages / unit;
  for (let done = 0; done < total; ) {
    const count = Math.min(total - done, UNMAP_BATCH);
    const base = frames.start + BigInt(done * unit);
    const answer = yield* unmapOnce(actor, frames.partition, { base, count, flags: large ? UNMAP_LARGE : 0 });
    const ret = errnoOf(answer, context.profile);
    if (ret !== 0 || answer.result.reps === 0) return ret;
    done += answer.result.reps;
  }
  return 0;
}
