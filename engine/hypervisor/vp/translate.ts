import {
  constant,
  constantNumber,
  fieldOf,
  readU32,
  readU64,
  registers,
  writeField,
} from '../../abi/index.ts';
import type { HypercallAnswer } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import { type Call, type CallRow, failed, succeeded, unmodelledCall } from '../call/call.ts';
import { STATUS } from '../call/status.ts';
import { memoryWord } from '../memory/contents.ts';
import { overlayAt } from '../memory/overlay.ts';
import { gpaRunOf } from '../memory/runs.ts';
import { PHASES } from '../partition/phases.ts';
import { findChild, findVp, RESERVED, reservedSet, wrongState } from '../partition/target.ts';
import { isFollowed, type ReadWord, type Walked, type WalkRegisters, walkPages } from './page-walk.ts';
import { isFresh, registerOf } from './values.ts';

const INPUT = {
  id: fieldOf('hv_input_translate_virtual_address', 'partition_id'),
  index: fieldOf('hv_input_translate_virtual_address', 'vp_index'),
  padding: fieldOf('hv_input_translate_virtual_address', 'padding'),
  flags: fieldOf('hv_input_translate_virtual_address', 'control_flags'),
  page: fieldOf('hv_input_translate_virtual_address', 'gva_page'),
};
const OUTPUT = {
  bytes: 16,
  code: fieldOf('hv_output_translate_virtual_address', 'translation_result.result_code'),
  overlay: fieldOf('hv_output_translate_virtual_address', 'translation_result.overlay_page'),
  page: fieldOf('hv_output_translate_virtual_address', 'gpa_page'),
};
const PLAIN = 'TLFS2013.translate.without-paging';
const PAGED = 'TLFS2013.translate.paging';
const OVERLAID = 'TLFS2013.translate.overlay';

const code = (name: string) => constantNumber(`HV_TRANSLATE_GVA_${name}`);
const UNMAPPED = code('GPA_UNMAPPED');
const NO_READ = code('GPA_NO_READ_ACCESS');
const NO_WRITE = code('GPA_NO_WRITE_ACCESS');
/** HV_TRANSLATE_GVA_INVALIDE_… is the header's spelling. */
const FAILED = {
  'not-present': code('PAGE_NOT_PRESENT'),
  privilege: code('PRIVILEGE_VIOLATION'),
  flags: code('INVALIDE_PAGE_TABLE_FLAGS'),
};

/** HV_TRANSLATE_GVA_… of the control flags (Linux 7.2 include/hyperv/hvhdk.h). */
const FLAG = {
  ...{ read: 0x1n, write: 0x2n, execute: 0x4n, exempt: 0x8n },
  ...{ supervisor: 0x40n, user: 0x80n, enforceSmap: 0x100n, overrideSmap: 0x200n, shadowStack: 0x400n },
};
const KNOWN_FLAGS = 0x7ffn;
/** The upper byte is the VTL that is meant (OpenVMM hvdef, TranslateGvaControlFlagsX64). */
const VTL = 0xff00_0000_0000_0000n;

const READABLE = constantNumber('HV_MAP_GPA_READABLE');
const WRITABLE = constantNumber('HV_MAP_GPA_WRITABLE');
const CR0 = registers.number('CR0');
const CR3 = registers.number('CR3');
const CR4 = registers.number('CR4');
const EFER = registers.number('EFER');
const CS = registers.number('CS');
const RFLAGS = registers.number('RFLAGS');
const NAMES = [CR0, CR3, CR4, EFER, CS, RFLAGS];
const PAGING = 1n << 31n;
const SMAP = 1n << 21n;
const ALIGNMENT_CHECK = 1n << 18n;
const PAGE_SHIFT = constant('HV_HYP_PAGE_SHIFT');
/** A processor without paging has addresses of 32 bits. */
const FRAMES = 1n << (32n - PAGE_SHIFT);

/** The guest's registers that decide; undefined where it may have changed one unseen. */
function registersOf(context: Context, vp: ObjectId): WalkRegisters | undefined {
  const value = (name: number) => registerOf(context, vp, name).low;
  const known = {
    cr0: value(CR0),
    cr3: value(CR3),
    cr4: value(CR4),
    efer: value(EFER),
    addressBits: context.profile.gpaBits,
  };
  return NAMES.every((name) => isFresh(context, vp, name)) && isFollowed(known) ? known : undefined;
}

/** The level of the code that runs: two bits of the selector of CS. */
function runsAsUser(context: Context, vp: ObjectId): boolean {
  return ((registerOf(context, vp, CS).high >> 32n) & 3n) === 3n;
}

/** The frame behind a page of the guest's linear addresses, by its own tables as `read` gives them. */
function walkGuest(
  context: Context,
  vp: ObjectId,
  known: WalkRegisters,
  page: bigint,
  flags: bigint,
  read: ReadWord,
): Walked {
  const has = (flag: bigint) => (flags & flag) !== 0n;
  const byFlag = has(FLAG.user) ? true : has(FLAG.supervisor) ? false : runsAsUser(context, vp);
  const isExplicit = (registerOf(context, vp, RFLAGS).low & ALIGNMENT_CHECK) !== 0n;
  const smap = (known.cr4 & SMAP) !== 0n && !has(FLAG.overrideSmap) && (has(FLAG.enforceSmap) || !isExplicit);
  const validates = has(FLAG.read) || has(FLAG.write) || has(FLAG.execute);
  return walkPages(read, known, page, {
    write: has(FLAG.write),
    execute: has(FLAG.execute),
    user: has(FLAG.exempt) || !validates ? undefined : byFlag,
    smap,
  });
}

/** Eight bytes of a guest's memory at an aligned address. */
export interface MemoryWord {
  readonly gpa: bigint;
  readonly value: bigint;
}

/**
 * What a translation would read of the guest's tables, as `read` gives them, where the trace does not show it so: for who has
 * the memory. Nothing where the translation needs no tables, or cannot be made anyway.
 */
export function tablesUnseen(
  context: Context,
  vp: ObjectId,
  page: bigint,
  flags: bigint,
  read: ReadWord,
): MemoryWord[] {
  const known = registersOf(context, vp);
  if (known === undefined || (known.cr0 & PAGING) === 0n) return [];
  const partition = context.store.parent(vp);
  const unseen: MemoryWord[] = [];
  walkGuest(context, vp, known, page, flags, (gpa) => {
    const value = read(gpa);
    if (value !== undefined && value !== memoryWord(context, partition, gpa)) unseen.push({ gpa, value });
    return value;
  });
  return unseen;
}

/** What the mapping of a frame has against an access. */
function refusedFrame(
  context: Context,
  partition: ObjectId,
  frame: bigint,
  flags: bigint,
): number | undefined {
  const run = gpaRunOf(context, partition, frame);
  if (run === undefined) return UNMAPPED;
  if ((flags & (FLAG.read | FLAG.execute)) !== 0n && (run.flags & READABLE) === 0) return NO_READ;
  return (flags & FLAG.write) !== 0n && (run.flags & WRITABLE) === 0 ? NO_WRITE : undefined;
}

/** The answer for a frame: it, or why it cannot be reached. */
function answered(
  { context }: Call,
  vp: ObjectId,
  frame: bigint,
  flags: bigint,
  rule: string,
): HypercallAnswer {
  const output = new Uint8Array(OUTPUT.bytes);
  const overlay = overlayAt(context, vp, frame);
  const refused =
    overlay === undefined ? refusedFrame(context, context.store.parent(vp), frame, flags) : undefined;
  if (overlay !== undefined) writeField(output, OUTPUT.overlay, 1);
  if (refused === undefined) writeField(output, OUTPUT.page, frame);
  else writeField(output, OUTPUT.code, refused);
  return succeeded(overlay === undefined ? rule : OVERLAID, output);
}

/** HvTranslateVirtualAddress: without paging an address is its own translation; with it the tables are in guest memory. */
function translate(call: Call): HypercallAnswer {
  const found = findChild(call, INPUT.id);
  if ('answer' in found) return found.answer;
  const wrong = wrongState(call, found.id, PHASES.VP_REGISTERS);
  if (wrong !== undefined) return wrong;
  const vp = findVp(call, found.id, readU32(call.input, INPUT.index));
  if ('answer' in vp) return vp.answer;
  if (reservedSet(call, [INPUT.padding])) return RESERVED;
  const { context, input } = call;
  const flags = readU64(input, INPUT.flags);
  if ((flags & ~(KNOWN_FLAGS | VTL)) !== 0n)
    return failed(STATUS.INVALID_PARAMETER, 'TLFS2013.translate.flags');
  const page = readU64(input, INPUT.page);
  if (!isFresh(context, vp.id, CR0)) return unmodelledCall(call.event);
  if ((registerOf(context, vp.id, CR0).low & PAGING) === 0n)
    return answered(call, vp.id, page % FRAMES, flags, PLAIN);
  const known = registersOf(context, vp.id);
  // What a shadow stack is nobody here knows.
  if (known === undefined || (flags & FLAG.shadowStack) !== 0n) return unmodelledCall(call.event);
  const walked = walkGuest(context, vp.id, known, page, flags, (gpa) => memoryWord(context, found.id, gpa));
  if ('needs' in walked) {
    const refused = refusedFrame(context, found.id, walked.needs >> PAGE_SHIFT, FLAG.read);
    return refused === undefined ? unmodelledCall(call.event) : refusal(refused);
  }
  if ('frame' in walked) return answered(call, vp.id, walked.frame, flags, PAGED);
  return refusal(FAILED[walked.failed]);
}

function refusal(code: number): HypercallAnswer {
  const output = new Uint8Array(OUTPUT.bytes);
  writeField(output, OUTPUT.code, code);
  return succeeded(PAGED, output);
}

export const TRANSLATE_CALLS: readonly CallRow[] = [{ name: 'TRANSLATE_VIRTUAL_ADDRESS', answer: translate }];
