import type { HypercallCode, StatusCode } from '../ids.ts';
import { highHalf, lowHalf, wholeOf } from '../layout/halves.ts';

/**
 * The control word of a hypercall (TLFS, hypercall inputs): call code in bits 0..15, fast 16, size of the variable
 * header in 8-byte units 17..26, nested 31, rep count 32..43, rep start 48..59; the rest must be zero.
 */
export interface ControlWord {
  readonly code: HypercallCode;
  readonly fast: boolean;
  readonly variableHeaderQwords: number;
  readonly nested: boolean;
  readonly repCount: number;
  readonly repStart: number;
  /** Bits 27..30, 44..47 and 60..63, where they stand. */
  readonly reserved: bigint;
}

const CONTROL_RESERVED = 0xf000_f000_7800_0000n;
const CONTROL_RESERVED_LOW = 0x7800_0000;
const CONTROL_RESERVED_HIGH = 0xf000_f000;

function bits(word: bigint, lsb: number, width: number): number {
  return Number((word >> BigInt(lsb)) & ((1n << BigInt(width)) - 1n));
}

export function decodeControl(word: bigint): ControlWord {
  // In halves of 32 bits, which are plain numbers: every hypercall of a trace comes through here.
  const [low, high] = [lowHalf(word), highHalf(word)];
  const isReserved = (low & CONTROL_RESERVED_LOW) !== 0 || (high & CONTROL_RESERVED_HIGH) !== 0;
  return {
    code: (low & 0xffff) as HypercallCode,
    fast: (low & 0x1_0000) !== 0,
    variableHeaderQwords: (low >>> 17) & 0x3ff,
    nested: low >= 0x8000_0000,
    repCount: high & 0xfff,
    repStart: (high >>> 16) & 0xfff,
    reserved: isReserved ? word & CONTROL_RESERVED : 0n,
  };
}

/** Parts not given are 0. What does not fit in its bits spills into the next ones, as it does in the kernel. */
export function encodeControl(
  parts: Partial<Omit<ControlWord, 'code'>> & { readonly code?: number },
): bigint {
  const { code = 0, variableHeaderQwords = 0, repCount = 0, repStart = 0 } = parts;
  if (code <= 0xffff && variableHeaderQwords <= 0x3ff && repCount <= 0xfff && repStart <= 0xfff) {
    const flags = (parts.fast === true ? 0x1_0000 : 0) | (parts.nested === true ? 0x8000_0000 : 0);
    const word = wholeOf(code | flags | (variableHeaderQwords << 17), repCount | (repStart << 16));
    return parts.reserved === undefined ? word : BigInt.asUintN(64, word | parts.reserved);
  }
  const word =
    BigInt(parts.code ?? 0) |
    (parts.fast === true ? 1n << 16n : 0n) |
    (BigInt(parts.variableHeaderQwords ?? 0) << 17n) |
    (parts.nested === true ? 1n << 31n : 0n) |
    (BigInt(parts.repCount ?? 0) << 32n) |
    (BigInt(parts.repStart ?? 0) << 48n) |
    (parts.reserved ?? 0n);
  return BigInt.asUintN(64, word);
}

/**
 * The result word (TLFS, hypercall outputs): status in bits 0..15, elements completed in 32..43, counted from
 * element 0 and including the rep start; the rest is zero.
 */
export interface ResultWord {
  readonly status: StatusCode;
  readonly repsCompleted: number;
  /** Bits 16..31 and 44..63, where they stand. */
  readonly reserved: bigint;
}

const RESULT_RESERVED = 0xffff_f000_ffff_0000n;

export function decodeResult(word: bigint): ResultWord {
  return {
    status: bits(word, 0, 16) as StatusCode,
    repsCompleted: bits(word, 32, 12),
    reserved: word & RESULT_RESERVED,
  };
}

export function encodeResult(
  parts: Partial<Omit<ResultWord, 'status'>> & { readonly status?: number },
): bigint {
  const word = BigInt(parts.status ?? 0) | (BigInt(parts.repsCompleted ?? 0) << 32n) | (parts.reserved ?? 0n);
  return BigInt.asUintN(64, word);
}
