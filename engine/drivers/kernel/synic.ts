import { constantNumber, msrs } from '../../abi/index.ts';

/** Bits of the SynIC registers that drivers change (TLFS, SynIC MSRs; as-intercept: Linux 7.2 include/hyperv). */
export const ENABLE = 1n;
export const MASKED = 1n << 16n;
export const AUTO_EOI = 1n << 17n;
export const AS_INTERCEPT = 1n << 19n;
export const VECTOR_MASK = 0xffn;
export const BASE_SHIFT = 12n;
const BASE_MASK = ~0xfffn & 0xffff_ffff_ffff_ffffn;

/** The vector of the hypervisor's interrupts (Linux 7.2 arch/x86/include/asm/irq_vectors.h). */
export const CALLBACK_VECTOR = BigInt(constantNumber('HYPERVISOR_CALLBACK_VECTOR'));

/** Addresses of the SynIC registers that drivers use. */
export interface SynicMsrs {
  readonly scontrol: number;
  readonly siefp: number;
  readonly simp: number;
  readonly eom: number;
  readonly sint0: number;
}

function addresses(prefix: '' | 'NESTED_'): SynicMsrs {
  const at = (name: string) => msrs.number(`${prefix}${name}`);
  return {
    scontrol: at('SCONTROL'),
    siefp: at('SIEFP'),
    simp: at('SIMP'),
    eom: at('EOM'),
    sint0: at('SINT0'),
  };
}

export const PLAIN_MSRS: SynicMsrs = addresses('');
export const NESTED_MSRS: SynicMsrs = addresses('NESTED_');
export const SIRBP = msrs.number('SIRBP');

export function enabled(value: bigint): bigint {
  return value | ENABLE;
}

export function disabled(value: bigint): bigint {
  return value & ~ENABLE;
}

export function withBase(value: bigint, frame: bigint): bigint {
  return (value & ~BASE_MASK) | (frame << BASE_SHIFT);
}
