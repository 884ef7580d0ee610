import { type ControlWord, type HypercallRow, lowHalf } from '../../abi/index.ts';
import type { Profile } from '../../trace/profile.ts';
import { STATUS } from './status.ts';

/** Why a control word or a pointer is refused. */
export interface Refusal {
  readonly status: number;
  readonly rule: string;
}

const INPUT = STATUS.INVALID_HYPERCALL_INPUT;
const FAST: Refusal = { status: INPUT, rule: 'TLFS.control.fast' };
const RESERVED: Refusal = { status: INPUT, rule: 'TLFS.control.reserved' };
const REP_COUNT: Refusal = { status: INPUT, rule: 'TLFS.control.rep-count' };
const REP_START: Refusal = { status: INPUT, rule: 'TLFS.control.rep-start' };

const ALIGNMENT = 7;
const PAGE_BYTES = 4096;
const PAGE_OFFSET = 0xfff;

/**
 * The rules for a control word (TLFS, hypercall inputs), in the order: fast allowed, reserved bits, rep count and
 * rep start. What the table does not know of a call (its shape) is not judged.
 */
export function refusedControl(control: ControlWord, row: HypercallRow): Refusal | undefined {
  if (control.fast && row.fastCapable === false) return FAST;
  if (control.reserved !== 0n) return RESERVED;
  if (row.shape === 'simple') {
    if (control.repCount !== 0) return REP_COUNT;
    if (control.repStart !== 0) return REP_START;
  } else if (row.shape === 'rep') {
    if (control.repCount === 0) return REP_COUNT;
    if (control.repStart >= control.repCount) return REP_START;
  }
  return undefined;
}

/**
 * The rules for input and output pointers: aligned to 8 bytes, each list inside one page. Documentation has one
 * status for both, OpenVMM another for the crossing (profile `pointerErrors`).
 */
export function refusedPointer(
  gpa: bigint | undefined,
  bytes: number,
  profile: Profile,
): Refusal | undefined {
  if (gpa === undefined) return undefined;
  if ((lowHalf(gpa) & ALIGNMENT) !== 0)
    return { status: STATUS.INVALID_ALIGNMENT, rule: 'TLFS.pointer.alignment' };
  if ((lowHalf(gpa) & PAGE_OFFSET) + bytes <= PAGE_BYTES) return undefined;
  return profile.pointerErrors === 'openvmm'
    ? { status: INPUT, rule: 'OpenVMM.pointer.page-crossing' }
    : { status: STATUS.INVALID_ALIGNMENT, rule: 'TLFS.pointer.page-crossing' };
}
