/** CPUID tells of nothing that this processor does not do, whatever the answer that it is given says. */
import type { CpuidResult } from './cpu.ts';

const bits = (...numbers: readonly number[]): number => numbers.reduce((mask, n) => mask | (1 << n), 0);

/** Leaf 1, EDX: VME, MCA, and what stands for hardware beside it. */
const MISSING_1_EDX = bits(1, 14, 18, 21, 22, 29);
/** Leaf 1, ECX: CLMUL, MONITOR, VMX, SMX, FMA, PCID, AES, AVX, F16C, RDRAND; OSXSAVE follows from CR4. */
const MISSING_1_ECX = bits(1, 2, 3, 5, 6, 11, 12, 15, 17, 25, 27, 28, 29, 30);
/** Leaf 6, EAX: the timer of the local APIC never stops; leaf 80000007, EDX: nor does the time stamp change its pace. */
const PRESENT_6_EAX = bits(2);
const PRESENT_POWER_EDX = bits(8);
/** Leaf 7, EBX: SMEP, ERMS, SMAP are there. */
const PRESENT_7_EBX = bits(7, 9, 20);
/** Leaf 80000001: SYSCALL, NX, large pages, RDTSCP, long mode, and the bits that repeat leaf 1; LAHF in 64-bit code, LZCNT. */
const MISSING_EXTENDED_EDX = bits(1, 14, 18, 19, 21, 25, 30, 31);
const PRESENT_EXTENDED_ECX = bits(0, 1, 5, 8);
/** Bits of a physical address, and of a linear one: see paging.ts. */
const ADDRESS_BITS = 0x3028;

const NOTHING: CpuidResult = { eax: 0, ebx: 0, ecx: 0, edx: 0 };

/** Leaf 1, ECX. */
const XSAVE = bits(26);
const OSXSAVE = bits(27);
/** x87 and SSE state: the area of FXSAVE and a header, whatever of them is enabled (Intel SDM 1, 13.4). */
const STATES = 3;
const STATE_BYTES = 576;
/** Leaf D, subleaf 1, EAX: of XSAVEOPT, XSAVEC, XGETBV of 1 and XSAVES. */
const XSAVEOPT = 1;

/** Leaf D: where the answer has the two states at all. */
function extendedState(subleaf: number, answer: CpuidResult): CpuidResult {
  if (subleaf === 1) return { ...NOTHING, eax: answer.eax & XSAVEOPT };
  if (subleaf !== 0 || (answer.eax & STATES) !== STATES) return NOTHING;
  return { eax: STATES, ebx: STATE_BYTES, ecx: STATE_BYTES, edx: 0 };
}

/**
 * Leaves of processors that say who it is, its caches, its place among others and its frequencies. Others are of what it does not have:
 * MONITOR, performance counters, SGX, processor trace, AMX, SVM, encrypted memory (Intel SDM 2, CPUID; AMD APM 3, appendix E).
 */
const TOLD: ReadonlySet<number> = new Set([
  ...[0, 2, 3, 4, 0xb, 0x15, 0x16, 0x18, 0x1a, 0x1f],
  ...[0x8000_0000, 0x8000_0002, 0x8000_0003, 0x8000_0004, 0x8000_0005, 0x8000_0006],
  ...[0x8000_0019, 0x8000_001d, 0x8000_001e],
]);
/** Processors have leaves from 0 and from 80000000h on, so many at most; what stands elsewhere is the hypervisor's or the VMM's. */
const MOST_LEAVES = 0x40;
const isOfProcessors = (leaf: number): boolean => (leaf & 0x7fff_ffff) < MOST_LEAVES;

/** The answer to CPUID of `leaf`, cut to what the processor has; `savesStates`: CR4.OSXSAVE is set. */
export function offered(
  leaf: number,
  subleaf: number,
  answer: CpuidResult,
  savesStates: boolean,
): CpuidResult {
  switch (leaf) {
    case 1: {
      const ecx = answer.ecx & ~MISSING_1_ECX;
      const saves = savesStates && (ecx & XSAVE) !== 0 ? OSXSAVE : 0;
      return { ...answer, ecx: ecx | saves, edx: answer.edx & ~MISSING_1_EDX };
    }
    case 6:
      return { ...NOTHING, eax: answer.eax & PRESENT_6_EAX };
    case 7:
      return subleaf === 0 ? { ...NOTHING, ebx: answer.ebx & PRESENT_7_EBX } : NOTHING;
    case 0xd:
      return extendedState(subleaf, answer);
    case 0x8000_0001:
      return {
        ...answer,
        ecx: answer.ecx & PRESENT_EXTENDED_ECX,
        edx: answer.edx & ~MISSING_EXTENDED_EDX,
      };
    case 0x8000_0007:
      return { ...NOTHING, edx: answer.edx & PRESENT_POWER_EDX };
    case 0x8000_0008:
      return answer.eax === 0 ? answer : { ...answer, eax: ADDRESS_BITS, ebx: 0 };
    default:
      return TOLD.has(leaf) || !isOfProcessors(leaf) ? answer : NOTHING;
  }
}
