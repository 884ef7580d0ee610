/** Model-specific registers that the processor answers itself (Intel SDM 4, table 2-2; AMD APM 2, appendix A). */
import { setEfer } from './exec/system.ts';
import { CANONICAL_END, CR0_PG, FS, GS, type Machine } from './machine.ts';
import { setSegment } from './segment-state.ts';

const TSC = 0x10;
const MISC_ENABLE = 0x1a0;
const SYSENTER_CS = 0x174;
const SYSENTER_ESP = 0x175;
const SYSENTER_EIP = 0x176;
const PAT = 0x277;
const MTRR_CAP = 0xfe;
const MTRR_DEF_TYPE = 0x2ff;
const EFER = 0xc000_0080;
const STAR = 0xc000_0081;
const LSTAR = 0xc000_0082;
const CSTAR = 0xc000_0083;
const SFMASK = 0xc000_0084;
const FS_BASE = 0xc000_0100;
const GS_BASE = 0xc000_0101;
const KERNEL_GS_BASE = 0xc000_0102;
const TSC_AUX = 0xc000_0103;

/** 8 variable ranges, fixed ranges, write-combining. */
const MTRR_CAP_VALUE = 0x508n;
/** Write-back, write-through, uncached minus, uncached, twice (Intel SDM 3, table 12-12). */
const PAT_AFTER_RESET = 0x0007_0406_0007_0406n;
const EFER_SCE = 1;
const EFER_LME = 0x100;
const EFER_LMA = 0x400;
const EFER_BITS = EFER_SCE | EFER_LME | EFER_LMA | 0x800;

/** Registers that are a value and nothing else here: caches, memory types, SYSCALL of 32-bit code. */
const KEPT: ReadonlyMap<number, bigint> = new Map([
  [PAT, PAT_AFTER_RESET],
  [MTRR_DEF_TYPE, 0n],
  [MISC_ENABLE, 1n],
  [CSTAR, 0n],
  ...Array.from({ length: 16 }, (_, n): [number, bigint] => [0x200 + n, 0n]),
  ...[0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d, 0x26e, 0x26f].map(
    (msr): [number, bigint] => [msr, 0n],
  ),
]);

const address = (value: number): bigint => BigInt.asUintN(64, BigInt(value));

/** The value of a register; undefined for one that is not the processor's. */
export function readModelSpecific(m: Machine, msr: number): bigint | undefined {
  switch (msr) {
    case TSC:
      return m.timeStamp;
    case MTRR_CAP:
      return MTRR_CAP_VALUE;
    case SYSENTER_CS:
      return BigInt(m.sysenterCs);
    case SYSENTER_ESP:
      return address(m.sysenterEsp);
    case SYSENTER_EIP:
      return address(m.sysenterEip);
    case EFER:
      return BigInt(m.efer);
    case STAR:
      return (BigInt(m.starHigh) << 32n) | BigInt(m.starLow);
    case LSTAR:
      return address(m.lstar);
    case SFMASK:
      return BigInt(m.sfmask);
    case FS_BASE:
      return address(m.bases[FS]!);
    case GS_BASE:
      return address(m.bases[GS]!);
    case KERNEL_GS_BASE:
      return address(m.kernelGsBase);
    case TSC_AUX:
      return BigInt(m.tscAux);
    default:
      return KEPT.has(msr) ? (m.modelSpecific.get(msr) ?? KEPT.get(msr)) : undefined;
  }
}

/** Types of memory in the eight bytes of PAT: uncached, combining, through, protected, back, uncached minus. */
const isPat = (value: bigint): boolean =>
  [0n, 8n, 16n, 24n, 32n, 40n, 48n, 56n].every((at) => {
    const type = (value >> at) & 0xffn;
    return type <= 7n && type !== 2n && type !== 3n;
  });

function writeEfer(m: Machine, value: bigint): boolean {
  const next = Number(BigInt.asUintN(32, value));
  if (value >> 32n !== 0n || (next & ~EFER_BITS) !== 0) return false;
  if (((next ^ m.efer) & EFER_LME) !== 0 && (m.cr0 & CR0_PG) !== 0) return false;
  setEfer(m, next);
  return true;
}

/** The base of a segment, without its other parts. */
function writeBase(m: Machine, segment: number, base: number): void {
  setSegment(m, segment, m.selectors[segment]!, base, m.limits[segment]!, m.attributes[segment]!);
}

/** Writes a register of those that `readModelSpecific` knows; false where the value is not allowed (#GP). */
export function writeModelSpecific(m: Machine, msr: number, value: bigint): boolean {
  const number = Number(BigInt.asIntN(64, value));
  const canonical = number < CANONICAL_END && number >= -CANONICAL_END;
  switch (msr) {
    case TSC:
      m.timeStamp = value;
      return true;
    case MTRR_CAP:
      return false;
    case EFER:
      return writeEfer(m, value);
    case STAR:
      m.starHigh = Number(value >> 32n);
      m.starLow = Number(BigInt.asUintN(32, value));
      return true;
    case SFMASK:
      m.sfmask = Number(BigInt.asUintN(32, value));
      return value >> 32n === 0n;
    case TSC_AUX:
      if (value >> 32n === 0n) m.tscAux = number | 0;
      return value >> 32n === 0n;
    case PAT:
      if (isPat(value)) m.modelSpecific.set(msr, value);
      return isPat(value);
    case SYSENTER_CS:
      m.sysenterCs = Number(BigInt.asUintN(32, value));
      return true;
    case LSTAR:
    case FS_BASE:
    case GS_BASE:
    case KERNEL_GS_BASE:
    case SYSENTER_ESP:
    case SYSENTER_EIP:
      if (!canonical) return false;
      if (msr === SYSENTER_ESP) m.sysenterEsp = number;
      else if (msr === SYSENTER_EIP) m.sysenterEip = number;
      else if (msr === LSTAR) m.lstar = number;
      else if (msr === KERNEL_GS_BASE) m.kernelGsBase = number;
      else writeBase(m, msr === FS_BASE ? FS : GS, number);
      return true;
    default:
      m.modelSpecific.set(msr, value);
      return true;
  }
}
