import { type ControlWord, type HypercallRow, lowHalf } from '../../abi/index.ts';
import type { Profile } from '../../trace/profile.ts';
import { inputBytes, outputBytes } from './size.ts';
import { STATUS } from './status.ts';

/** Why a control word or a pointer is refused. */
export interface Refusal {
  readonly status: number;
  readonly rule: string;
}

const INPUT = STATUS.INVALID_HYPERCALL_INPUT;
const FAST: Refusal = { status: INPUT, rule: 'TLFS.control.fast' };
const FAST_SIZE: Refusal = { status: INPUT, rule: 'TLFS.control.fast-size' };
const RESERVED: Refusal = { status: INPUT, rule: 'TLFS.control.reserved' };
const VARIABLE_HEADER: Refusal = { status: INPUT, rule: 'TLFS.control.variable-header' };
const REP_COUNT: Refusal = { status: INPUT, rule: 'TLFS.control.rep-count' };
const REP_START: Refusal = { status: INPUT, rule: 'TLFS.control.rep-start' };

const OVERLAP: Refusal = { status: INPUT, rule: 'choice.pointer.overlap' };

const ALIGNMENT = 7;
const PAGE_BYTES = 4096;
const PAGE_OFFSET = 0xfff;

/**
 * The rules for a control word (TLFS, hypercall inputs), in the order: fast allowed, reserved bits, variable
 * header only where the call has one, rep count and rep start. What the table does not know of a call (its shape) is not judged.
 */
export function refusedControl(control: ControlWord, row: HypercallRow): Refusal | undefined {
  if (control.fast && row.fastCapable === false) return FAST;
  if (control.reserved !== 0n) return RESERVED;
  if (control.variableHeaderQwords !== 0 && !row.variableHeader && row.shape !== 'unknown')
    return VARIABLE_HEADER;
  if (row.shape === 'simple') {
    if (control.repCount !== 0) return REP_COUNT;
    if (control.repStart !== 0) return REP_START;
  } else if (row.shape === 'rep') {
    if (control.repCount === 0) return REP_COUNT;
    if (control.repStart >= control.repCount) return REP_START;
  }
  return undefined;
}

/** CPUID leaf of the hypervisor's features; EDX bit 4: a fast input may go on in XMM0 to XMM5 (TLFS, feature identification). */
const FEATURES_LEAF = 0x4000_0003;
const XMM_INPUT = 1 << 4;
/** RDX and R8; with XMM0 to XMM5 behind them. */
const FAST_BYTES = 16;
const XMM_FAST_BYTES = 112;

/** An input that does not fit into the registers of a fast call (TLFS, hypercall calling conventions). */
export function refusedFastSize(control: ControlWord, profile: Profile): Refusal | undefined {
  if (!control.fast) return undefined;
  const leaf = profile.cpuid.get(FEATURES_LEAF);
  const room = leaf === undefined || (leaf.edx & XMM_INPUT) !== 0 ? XMM_FAST_BYTES : FAST_BYTES;
  return inputBytes(control) > room ? FAST_SIZE : undefined;
}

/**
 * An output that lies over the input, which no source defines (profile `pointerOverlap`). Linux had one such call, in
 * arch/x86/hyperv/hv_init.c (get_vtl, until 6.14), and the hypervisor took it.
 */
export function refusedOverlap(
  control: ControlWord,
  input: bigint | undefined,
  output: bigint | undefined,
  profile: Profile,
): Refusal | undefined {
  if (profile.pointerOverlap === 'accept' || input === undefined || output === undefined) return undefined;
  const [read, written] = [BigInt(inputBytes(control)), BigInt(outputBytes(control))];
  if (read === 0n || written === 0n || input + read <= output || output + written <= input) return undefined;
  return OVERLAP;
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
