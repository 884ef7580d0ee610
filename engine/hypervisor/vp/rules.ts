import { registers } from '../../abi/index.ts';
import type { Profile } from '../../trace/profile.ts';
import type { Refusal } from '../call/legality.ts';
import { STATUS } from '../call/status.ts';
import { DELIVERABILITY, DELIVERABILITY_BITS } from '../intercept/deliverability.ts';
import type { Wide } from './values.ts';

function named(...names: readonly string[]): ReadonlySet<number> {
  return new Set(names.map((name) => registers.number(name)));
}

/** They change by themselves, or only the hypervisor knows them: what was read is taken over. */
const LIVE = named('TSC', 'VP_RUNTIME', 'TIME_REF_COUNT', 'GUEST_IDLE');

/** What the hypervisor and the processor tell of themselves (Linux 7.2 hvgdk: enum hv_register_name). */
const TOLD = named(
  'HYPERVISOR_VERSION',
  'PRIVILEGES_AND_FEATURES_INFO',
  'FEATURES_INFO',
  'IMPLEMENTATION_LIMITS_INFO',
  'HARDWARE_FEATURES_INFO',
  'CPU_MANAGEMENT_FEATURES_INFO',
  'SVM_FEATURES_INFO',
  'SKIP_LEVEL_FEATURES_INFO',
  'NESTED_VIRT_FEATURES_INFO',
  'IPT_FEATURES_INFO',
  'PROCESSOR_CLOCK_FREQUENCY',
  'INTERRUPT_CLOCK_FREQUENCY',
  'CPU_MANAGEMENT_VERSION',
);

const READ_ONLY = new Set([
  ...TOLD,
  ...named('VP_INDEX', 'VP_RUNTIME', 'TIME_REF_COUNT', 'SVERSION', 'VP_ROOT_SIGNAL_COUNT', 'MSR_MTRR_CAP'),
]);

export function runsByItself(name: number): boolean {
  return LIVE.has(name);
}

const SVERSION = registers.number('SVERSION');
const FIRST_VERSION: Wide = { low: 1n, high: 0n };

/** The value of a register that never changes: the version of the SynIC (TLFS, SVERSION register). */
export function fixedValue(name: number): Wide | undefined {
  return name === SVERSION ? FIRST_VERSION : undefined;
}

/** Why a register cannot be named at all (profile `unknownRegister`). */
export function unknownName(name: number, profile: Profile): Refusal | undefined {
  if (registers.find(name) !== undefined) return undefined;
  const openvmm = profile.unknownRegister === '0x87';
  return {
    status: openvmm ? STATUS.UNKNOWN_REGISTER_NAME : STATUS.INVALID_PARAMETER,
    rule: openvmm ? 'OpenVMM.registers.unknown' : 'TLFS2013.registers.unknown',
  };
}

const RESERVED: Refusal = {
  status: STATUS.INVALID_REGISTER_VALUE,
  rule: 'TLFS2013.registers.reserved-bits',
};

/**
 * Bits that a register has (Intel SDM 3, 2.3 and 2.5; hv_explicit_suspend_register and its like in Linux 7.2
 * include/hyperv). CR4 and EFER depend on the processor and are not judged.
 */
const BITS: ReadonlyMap<number, bigint> = new Map([
  [registers.number('EXPLICIT_SUSPEND'), 1n],
  [registers.number('INTERCEPT_SUSPEND'), 1n],
  [registers.number('DISPATCH_SUSPEND'), 1n],
  [registers.number('INTERNAL_ACTIVITY_STATE'), 7n],
  [registers.number('RFLAGS'), 0x3f_ffffn],
  [registers.number('CR0'), 0xffff_ffffn],
  [registers.number('CR8'), 0xfn],
  [registers.number('DR6'), 0xffff_ffffn],
  [registers.number('DR7'), 0xffff_ffffn],
  [registers.number('INTERRUPT_STATE'), 3n],
  [DELIVERABILITY, DELIVERABILITY_BITS],
]);
const FIRST_SINT = registers.number('SINT0');
const LAST_SINT = registers.number('SINT15');
const MASKED = 1n << 16n;
const FIRST_VECTOR = 16n;
const INTERCEPT_SUSPEND = registers.number('INTERCEPT_SUSPEND');

/** Why a parent cannot give a register that value. */
export function refusedValue(name: number, { low }: Wide): Refusal | undefined {
  if (READ_ONLY.has(name)) return { status: STATUS.INVALID_PARAMETER, rule: 'choice.registers.read-only' };
  const bits = BITS.get(name);
  if (bits !== undefined && (low & bits) !== low) return RESERVED;
  if (name === INTERCEPT_SUSPEND && low !== 0n) {
    return { status: STATUS.INVALID_PARAMETER, rule: 'TLFS2013.registers.intercept-suspend' };
  }
  if (name < FIRST_SINT || name > LAST_SINT || (low & MASKED) !== 0n) return undefined;
  return (low & 0xffn) < FIRST_VECTOR
    ? { status: STATUS.INVALID_REGISTER_VALUE, rule: 'TLFS.synic.sint-vector' }
    : undefined;
}
