import {
  constantNumber,
  fieldOf,
  type HypercallCode,
  highHalf,
  lowHalf,
  statuses,
  writeField,
} from '../../abi/index.ts';
import { cellAt, PARTITION } from '../../hypervisor/index.ts';
import type { DriverRun, HypercallAnswer } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import { TOP } from '../../state/store.ts';
import type { Actor } from '../kernel/access.ts';
import { errnoOf, failure } from '../kernel/errno.ts';
import { type HypercallOptions, hypercall, hypercallCode } from '../kernel/hypercall.ts';
import { allocateFrames, isRoot } from '../kernel/objects.ts';
import { SELF } from './partition-id.ts';

export const DEPOSIT_MEMORY = hypercallCode('DEPOSIT_MEMORY');
const ID = fieldOf('hv_deposit_memory', 'partition_id');
const LIST = fieldOf('hv_deposit_memory', 'gpa_page_list');
const FRAME_BYTES = 8;
const MAX_PAGES = constantNumber('HV_DEPOSIT_MAX');
const CONTIGUOUS_PAGES = constantNumber('HV_MAX_CONTIGUOUS_ALLOCATION_PAGES');

const INSUFFICIENT_MEMORY = statuses.number('INSUFFICIENT_MEMORY');
const INSUFFICIENT_CONTIGUOUS = statuses.number('INSUFFICIENT_CONTIGUOUS_MEMORY');
const INSUFFICIENT_ROOT = statuses.number('INSUFFICIENT_ROOT_MEMORY');
const INSUFFICIENT_CONTIGUOUS_ROOT = statuses.number('INSUFFICIENT_CONTIGUOUS_ROOT_MEMORY');

/**
 * Deposits for one call at most this often: a real kernel stops when it has no page left, and this machine
 * never runs out of them.
 */
export const MAX_ROUNDS = 4096;

/** What a deposit is answered with that was not made: the kernel had no pages for it. */
export const NO_PAGES_LEFT: HypercallAnswer = {
  kind: 'hypercall',
  result: { status: INSUFFICIENT_MEMORY, reps: 0 },
  rule: 'Linux.mshv.out-of-memory',
};

/** The list of `pages` frames, one after another; in words, since a deposit has hundreds of them. */
function writeFrames(input: Uint8Array, first: bigint, pages: number): void {
  const list = new Uint32Array(input.buffer, LIST.offset, pages * 2);
  let [low, high] = [lowHalf(first), highHalf(first)];
  for (let i = 0; i < list.length; i += 2) {
    list[i] = low;
    list[i + 1] = high;
    low = (low + 1) >>> 0;
    if (low === 0) high++;
  }
}

/** The kernel has no `pages` pages left (profile `depositablePages`): those that were withdrawn are its own again. */
function isOutOfPages({ store, profile }: Context, pages: number): boolean {
  if (profile.depositablePages === 0) return false;
  const deposited = store
    .children(TOP, PARTITION)
    .reduce((sum, id) => sum + store.number(cellAt(id, PARTITION.slots.pool.deposited)), 0);
  return deposited + pages > profile.depositablePages;
}

/**
 * HVCALL_DEPOSIT_MEMORY with `pages` pages of the kernel's own choice (Linux 7.2 drivers/hv/hv_proc.c,
 * hv_call_deposit_pages). Where they cannot be allocated all at once, none is deposited.
 */
export function* deposit(
  context: Context,
  actor: Actor,
  partition: bigint,
  pages: number,
): DriverRun<number> {
  if (pages > MAX_PAGES) return failure('E2BIG');
  if (pages === 0) return 0;
  if (isOutOfPages(context, pages)) return failure('ENOMEM');
  const input = new Uint8Array(LIST.offset + pages * FRAME_BYTES);
  writeField(input, ID, partition);
  writeFrames(input, allocateFrames(context, pages), pages);
  const answer = yield* hypercall(actor, DEPOSIT_MEMORY, input, {
    reps: pages,
    bind: 'deposited-frames',
    bound: [LIST.offset, input.length],
  });
  return answer === NO_PAGES_LEFT ? failure('ENOMEM') : errnoOf(answer, context.profile);
}

/** Pages and partition that a status asks for; undefined where it asks for none, a number where it cannot be met. */
function demand(
  context: Context,
  status: number,
  partition: bigint,
): { readonly partition: bigint; readonly pages: number } | number | undefined {
  if (status === INSUFFICIENT_MEMORY) return { partition, pages: 1 };
  // The RFC of 2020 and Linux 6.16 know only the first of the four; when the others came is not exactly known.
  const { kernel } = context.profile;
  if (kernel === 'upstream-6.16' || kernel === 'rfc2020') return undefined;
  if (status === INSUFFICIENT_CONTIGUOUS) return { partition, pages: CONTIGUOUS_PAGES };
  if (status !== INSUFFICIENT_ROOT && status !== INSUFFICIENT_CONTIGUOUS_ROOT) return undefined;
  if (!isRoot(context)) return failure('ENOMEM');
  return { partition: SELF, pages: status === INSUFFICIENT_ROOT ? 1 : CONTIGUOUS_PAGES };
}

/** Deposits what a status asks for; the errno that ends the call, or undefined where the status asks for nothing. */
export function* depositFor(
  context: Context,
  actor: Actor,
  status: number,
  partition: bigint,
): DriverRun<number | undefined> {
  const wanted = demand(context, status, partition);
  if (typeof wanted !== 'object') return wanted;
  return yield* deposit(context, actor, wanted.partition, wanted.pages);
}

/** What a call came to once it no longer wanted memory. */
export interface Settled {
  readonly ret: number;
  readonly answer: HypercallAnswer;
}

/**
 * A hypercall that is made again after a deposit for as long as its status asks for memory (Linux 7.2
 * drivers/hv/hv_proc.c, hv_result_needs_memory and hv_deposit_memory_node). `partition` is the one whose pool
 * the call draws on.
 */
export function* hypercallWithMemory(
  context: Context,
  actor: Actor,
  partition: bigint,
  code: HypercallCode,
  input: Uint8Array,
  options: HypercallOptions = {},
): DriverRun<Settled> {
  for (let round = 0; ; round++) {
    const answer = yield* hypercall(actor, code, input, options);
    if (answer.fault === true) return { ret: errnoOf(answer, context.profile), answer };
    if (round === MAX_ROUNDS) return { ret: failure('ENOMEM'), answer };
    const ret = yield* depositFor(context, actor, answer.result.status, partition);
    if (ret === undefined) return { ret: errnoOf(answer, context.profile), answer };
    if (ret !== 0) return { ret, answer };
  }
}
