import { constantNumber, fieldOf, statuses, writeField } from '../../../abi/index.ts';
import type { DriverRun } from '../../../machine/child.ts';
import type { Context } from '../../../machine/context.ts';
import type { Actor } from '../../kernel/access.ts';
import { errnoOf } from '../../kernel/errno.ts';
import { hypercallCode, issue } from '../../kernel/hypercall.ts';
import { allocateFrames } from '../../kernel/objects.ts';
import { deposit } from '../deposit.ts';

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
};
const FRAME_BYTES = 8;
const MAP_BATCH = constantNumber('HV_MAP_GPA_BATCH_SIZE');
const UNMAP_BATCH = constantNumber('HV_UMAP_GPA_PAGES');
const DEPOSIT_PAGES = constantNumber('HV_MAP_GPA_DEPOSIT_PAGES');
const NO_ACCESS = constantNumber('HV_MAP_GPA_NO_ACCESS');
const INSUFFICIENT_MEMORY = statuses.number('INSUFFICIENT_MEMORY');

/** Deposits for one range at most this often: a real kernel runs out of pages before. */
const MAX_DEPOSITS = 4096;

/** Guest frames of a partition. */
export interface GuestFrames {
  readonly partition: bigint;
  readonly start: bigint;
  readonly pages: number;
}

/** The input of one batch; without access the list is zeros, else it is the kernel's choice of frames. */
function mapInput(context: Context, frames: GuestFrames, done: number, count: number, flags: number) {
  const input = new Uint8Array(MAP.list.offset + count * FRAME_BYTES);
  writeField(input, MAP.id, frames.partition);
  writeField(input, MAP.base, frames.start + BigInt(done));
  writeField(input, MAP.flags, flags);
  if ((flags & NO_ACCESS) !== 0) return { input };
  const list = new DataView(input.buffer);
  const first = allocateFrames(context, count);
  for (let i = 0; i < count; i++) {
    list.setBigUint64(MAP.list.offset + i * FRAME_BYTES, first + BigInt(i), true);
  }
  return { input, bind: 'guest-frames', bound: [MAP.list.offset, input.length] } as const;
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
  flags: number,
): DriverRun<number> {
  let deposits = 0;
  for (let done = 0; done < frames.pages; ) {
    const count = Math.min(frames.pages - done, MAP_BATCH);
    const { input, ...bound } = mapInput(context, frames, done, count, flags);
    const answer = yield* issue(actor, MAP_GPA_PAGES, input, { reps: count, ...bound });
    const { status, reps } = answer.result;
    let ret = errnoOf(answer, context.profile);
    if (status === INSUFFICIENT_MEMORY && deposits < MAX_DEPOSITS) {
      deposits++;
      ret = yield* deposit(context, actor, frames.partition, DEPOSIT_PAGES);
    }
    if (ret === 0) done += reps;
    // A call that succeeded and did nothing would be made for ever.
    if (ret === 0 && (status !== 0 || reps > 0)) continue;
    if (done > 0) yield* unmapFrames(context, actor, { ...frames, pages: done });
    return ret;
  }
  return 0;
}

/** Unmaps guest frames, 512 a call, up to the first failure (hv_call_unmap_gpa_pages). */
export function* unmapFrames(context: Context, actor: Actor, frames: GuestFrames): DriverRun<number> {
  for (let done = 0; done < frames.pages; ) {
    const count = Math.min(frames.pages - done, UNMAP_BATCH);
    const input = new Uint8Array(UNMAP.bytes);
    writeField(input, UNMAP.id, frames.partition);
    writeField(input, UNMAP.base, frames.start + BigInt(done));
    const answer = yield* issue(actor, UNMAP_GPA_PAGES, input, { reps: count });
    const ret = errnoOf(answer, context.profile);
    if (ret !== 0 || answer.result.reps === 0) return ret;
    done += answer.result.reps;
  }
  return 0;
}
