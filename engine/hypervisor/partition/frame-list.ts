import { type FieldHandle, highHalf, readHigh32, readU32, readU64 } from '../../abi/index.ts';
import type { Call } from '../call/call.ts';
import { runsOf } from '../memory/runs.ts';
import { depositedFrames, type Frames, isChosen } from './pool-frames.ts';

/** A physical address has at most 52 bits (Intel SDM volume 3, MAXPHYADDR), a page frame number 40. */
const MAX_FRAME = 0x100_0000_0000;

/** Frames that an input lists, and the element that is the first of them. */
export interface Listed extends Frames {
  readonly index: number;
  /** Frames of one element: 512 where it is a large page. */
  readonly unit: number;
}

/** It is in a pool; the hypervisor uses it otherwise; the caller does not have it. */
export type Refusal = 'deposited' | 'shared' | 'missing';

/** The pages of a list that the caller can give, and why it cannot give the one after. */
export interface Accepted {
  readonly runs: readonly Listed[];
  readonly refused?: {
    readonly index: number;
    readonly why: Refusal;
  };
}

/** Frame `index` of a list stands right behind the one before it. */
function isFrameAfter(input: Uint8Array, list: FieldHandle, index: number): boolean {
  const low = readU32(input, list, index);
  const lowBefore = readU32(input, list, index - 1);
  const above = readHigh32(input, list, index) - readHigh32(input, list, index - 1);
  return above === 0 ? low === lowBefore + 1 : above === 1 && low === 0 && lowBefore === 0xffff_ffff;
}

/** Elements `from` up to `to` of a list as runs of neighbours; what no address reaches is just beyond all memory. */
export function listFrames({ input }: Call, list: FieldHandle, from: number, to: number, unit = 1): Listed[] {
  const runs: Listed[] = [];
  for (let i = from; i < to; ) {
    const value = readU64(input, list, i);
    const frame = highHalf(value) > 0xff ? MAX_FRAME : Number(value);
    let elements = 1;
    if (unit === 1) while (i + elements < to && isFrameAfter(input, list, i + elements)) elements++;
    runs.push({ frame, pages: elements * unit, index: i, unit });
    i += elements;
  }
  return runs;
}

/** First element of a run that lies in `other`; undefined where none does. */
function overlapAt({ frame, pages, index, unit }: Listed, other: Frames): number | undefined {
  if (other.frame >= frame + pages || frame >= other.frame + other.pages) return undefined;
  return index + Math.floor(Math.max(0, other.frame - frame) / unit);
}

/** The frames that a partition does not have: of a guest's those where nothing is mapped. */
function missingFrames({ caller, context }: Call): Frames[] {
  if (caller === undefined) return [{ frame: MAX_FRAME, pages: MAX_FRAME }];
  const missing: Frames[] = [];
  let frame = 0;
  for (const { start, end } of runsOf(context, caller).sort((a, b) => Number(a.start - b.start))) {
    if (Number(start) > frame) missing.push({ frame, pages: Number(start) - frame });
    frame = Number(end);
  }
  return [...missing, { frame, pages: 2 * MAX_FRAME }];
}

/**
 * How much of a list a call takes: up to a frame that the caller does not have, or one that is in a pool (with
 * `again` also one that stands in the list before, or one of `shared`). Of frames that the machine may have chosen nothing is asked.
 */
export function accepted(
  call: Call,
  listed: readonly Listed[],
  again = true,
  shared: (call: Call) => readonly Frames[] = () => [],
): Accepted {
  // What is in pools need not be gone through for these; mid-life that is looked at all the same: it may not be known.
  if (call.context.profile.initial !== 'unknown' && listed.every(isChosen)) return { runs: listed };
  const missing = missingFrames(call);
  const pooled = depositedFrames(call);
  const sharedWith = shared(call);
  let refused: Accepted['refused'];
  const refuse = (run: Listed, other: Frames, why: Refusal) => {
    const index = overlapAt(run, other);
    if (index !== undefined && (refused === undefined || index < refused.index)) refused = { index, why };
  };
  listed.forEach((run, at) => {
    if (isChosen(run)) return;
    for (const other of missing) refuse(run, other, 'missing');
    for (const other of pooled) refuse(run, other, 'deposited');
    for (const other of sharedWith) refuse(run, other, 'shared');
    if (again) for (let before = 0; before < at; before++) refuse(run, listed[before] as Listed, 'deposited');
  });
  if (refused === undefined) return { runs: listed };
  const end = refused.index;
  const runs = listed
    .map((run) => ({ ...run, pages: Math.min(run.pages, (end - run.index) * run.unit) }))
    .filter(({ pages }) => pages > 0);
  return { runs, refused };
}
