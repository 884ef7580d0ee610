import { constant, constantNumber, fieldOf, readU32, readU64 } from '../../abi/index.ts';
import type { HypercallAnswer } from '../../machine/child.ts';
import type { ObjectId } from '../../state/store.ts';
import { type Call, type CallRow, failed, repeated } from '../call/call.ts';
import { STATUS } from '../call/status.ts';
import { type Accepted, accepted, listFrames } from '../partition/frame-list.ts';
import { PHASES } from '../partition/phases.ts';
import { findChild, RESERVED, reservedSet, wrongState } from '../partition/target.ts';
import { forgetStates } from './access-state.ts';
import { forgetMemory } from './contents.ts';
import { returnMapping, takeMapping } from './pool.ts';
import { assignGpa } from './runs.ts';

const MAP = {
  id: fieldOf('hv_input_map_gpa_pages', 'target_partition_id'),
  base: fieldOf('hv_input_map_gpa_pages', 'target_gpa_base'),
  flags: fieldOf('hv_input_map_gpa_pages', 'map_flags'),
  padding: fieldOf('hv_input_map_gpa_pages', 'padding'),
  list: fieldOf('hv_input_map_gpa_pages', 'source_gpa_page_list'),
};
const UNMAP = {
  id: fieldOf('hv_input_unmap_gpa_pages', 'target_partition_id'),
  base: fieldOf('hv_input_unmap_gpa_pages', 'target_gpa_base'),
  flags: fieldOf('hv_input_unmap_gpa_pages', 'unmap_flags'),
  padding: fieldOf('hv_input_unmap_gpa_pages', 'padding'),
};
const READABLE = constantNumber('HV_MAP_GPA_READABLE');
const WRITABLE = constantNumber('HV_MAP_GPA_WRITABLE');
const NO_ACCESS = constantNumber('HV_MAP_GPA_NO_ACCESS');
const LARGE = constantNumber('HV_MAP_GPA_LARGE_PAGE');
const UNMAP_LARGE = constantNumber('HV_UNMAP_GPA_LARGE_PAGE');
const KNOWN_FLAGS =
  READABLE |
  WRITABLE |
  constantNumber('HV_MAP_GPA_EXECUTABLE') |
  constantNumber('HV_MAP_GPA_ADJUSTABLE') |
  NO_ACCESS |
  constantNumber('HV_MAP_GPA_NOT_CACHED') |
  LARGE;
const PAGE_SHIFT = constant('HV_HYP_PAGE_SHIFT');
/** Frames of 4 KiB in a large page of 2 MiB. */
const LARGE_FRAMES = 512n;

const FLAGS = failed(STATUS.INVALID_PARAMETER, 'TLFS2013.gpa.flags');
const LARGE_ALIGNMENT = failed(STATUS.INVALID_PARAMETER, 'TLFS2013.gpa.large-alignment');
const OUT_OF_SPACE = failed(STATUS.INVALID_PARAMETER, 'TLFS2013.gpa.address-space');

type Target =
  | { readonly id: ObjectId; readonly first: bigint; readonly unit: bigint }
  | { readonly answer: HypercallAnswer };

/** The partition and the first frame that the call is still about. */
function target(call: Call, fields: typeof UNMAP, largeFlag: number, known: number): Target {
  const found = findChild(call, fields.id);
  if ('answer' in found) return found;
  const wrong = wrongState(call, found.id, PHASES.GPA);
  if (wrong !== undefined) return { answer: wrong };
  const { input, control, context } = call;
  const flags = readU32(input, fields.flags);
  if ((flags & ~known) !== 0) return { answer: FLAGS };
  if (reservedSet(call, [fields.padding])) return { answer: RESERVED };
  const unit = (flags & largeFlag) === 0 ? 1n : LARGE_FRAMES;
  const base = readU64(input, fields.base);
  if (base % unit !== 0n) return { answer: LARGE_ALIGNMENT };
  const frames = 1n << (BigInt(context.profile.gpaBits) - PAGE_SHIFT);
  if (base + BigInt(control.repCount) * unit > frames) return { answer: OUT_OF_SPACE };
  return { id: found.id, first: base + BigInt(control.repStart) * unit, unit };
}

function sourcesAligned(call: Call): boolean {
  const { repStart, repCount } = call.control;
  for (let i = repStart; i < repCount; i++) {
    if (readU64(call.input, MAP.list, i) % LARGE_FRAMES !== 0n) return false;
  }
  return true;
}

/** Maps guest frames; what was mapped there before is replaced without an error (TLFS 2013, HvMapGpaPages). */
function map(call: Call): HypercallAnswer {
  const found = target(call, MAP, LARGE, KNOWN_FLAGS);
  if ('answer' in found) return found.answer;
  const { input, context, control } = call;
  const flags = readU32(input, MAP.flags);
  if ((flags & WRITABLE) !== 0 && (flags & READABLE) === 0) {
    return failed(STATUS.INVALID_PARAMETER, 'choice.gpa.write-only');
  }
  if (found.unit !== 1n && !sourcesAligned(call)) return LARGE_ALIGNMENT;
  const refused = refusedSource(call, flags, Number(found.unit));
  const wanted = (refused?.index ?? control.repCount) - control.repStart;
  const mapped = takeMapping(call, found.id, wanted);
  if (mapped > 0) {
    const pages = BigInt(mapped) * found.unit;
    const before = assignGpa(context, found.id, found.first, pages, flags);
    forgetStates(context, found.id, found.first, pages);
    forgetMemory(context, found.id, { first: found.first, pages });
    returnMapping(call, found.id, Number(before / found.unit));
  }
  const reps = control.repStart + mapped;
  if (mapped < wanted) return repeated(STATUS.INSUFFICIENT_MEMORY, reps, 'choice.pool.cost');
  if (refused === undefined) return repeated(STATUS.SUCCESS, reps, 'TLFS2013.gpa.map');
  return refused.why === 'deposited'
    ? repeated(STATUS.OBJECT_IN_USE, reps, 'TLFS2013.gpa.deposited')
    : repeated(STATUS.ACCESS_DENIED, reps, 'TLFS2013.gpa.not-the-callers');
}

/** The first source that the caller cannot give; without access there are none. */
function refusedSource(call: Call, flags: number, unit: number): Accepted['refused'] {
  if ((flags & NO_ACCESS) !== 0) return undefined;
  const { repStart, repCount } = call.control;
  return accepted(call, listFrames(call, MAP.list, repStart, repCount, unit), false).refused;
}

/** Unmaps guest frames; those that were not mapped are passed over (TLFS 2013, HvUnmapGpaPages). */
function unmap(call: Call): HypercallAnswer {
  const found = target(call, UNMAP, UNMAP_LARGE, UNMAP_LARGE);
  if ('answer' in found) return found.answer;
  const { context, control } = call;
  const pages = BigInt(control.repCount - control.repStart) * found.unit;
  const before = assignGpa(context, found.id, found.first, pages, undefined);
  forgetStates(context, found.id, found.first, pages);
  forgetMemory(context, found.id, { first: found.first, pages });
  returnMapping(call, found.id, Number(before / found.unit));
  return repeated(STATUS.SUCCESS, control.repCount, 'TLFS2013.gpa.unmap');
}

/** Mapping memory into a partition. */
export const MAP_CALLS: readonly CallRow[] = [
  { name: 'MAP_GPA_PAGES', answer: map },
  { name: 'UNMAP_GPA_PAGES', answer: unmap },
];
