import {
  constantNumber,
  decodeControl,
  fieldOf,
  hypercalls,
  readU32,
  readU64,
} from '../../../engine/abi/index.ts';
import type { HypercallEvent } from '../../../engine/trace/event.ts';

const INSTALL = hypercalls.number('HVCALL_INSTALL_INTERCEPT');
const INPUT = {
  partition: fieldOf('hv_input_install_intercept', 'partition_id'),
  access: fieldOf('hv_input_install_intercept', 'access_type'),
  type: fieldOf('hv_input_install_intercept', 'intercept_type'),
  parameter: fieldOf('hv_input_install_intercept', 'intercept_parameter'),
};
const TYPE = {
  msr: constantNumber('HV_INTERCEPT_TYPE_X64_MSR'),
  cpuid: constantNumber('HV_INTERCEPT_TYPE_X64_CPUID'),
  hypercall: constantNumber('HV_INTERCEPT_TYPE_HYPERCALL'),
  msrIndex: constantNumber('HV_INTERCEPT_TYPE_X64_MSR_INDEX'),
};
const ACCESS = {
  read: constantNumber('HV_INTERCEPT_ACCESS_MASK_READ'),
  write: constantNumber('HV_INTERCEPT_ACCESS_MASK_WRITE'),
  execute: constantNumber('HV_INTERCEPT_ACCESS_MASK_EXECUTE'),
} as const;

/** Which accesses of a partition's guest its VMM asked to see. */
export class Intercepts {
  /** By partition, then by type and parameter. */
  readonly #installed = new Map<bigint, Map<string, number>>();

  /** Takes note of a call that installed one, or took it away (a mask of nothing). */
  note(event: HypercallEvent): void {
    const { input, result } = event;
    if (decodeControl(event.control).code !== INSTALL || result?.status !== 0 || input === undefined) return;
    const type = readU32(input, INPUT.type);
    const parameter = type === TYPE.msr ? 0n : readU64(input, INPUT.parameter);
    const partition = readU64(input, INPUT.partition);
    const own = this.#installed.get(partition) ?? new Map<string, number>();
    own.set(key(type, parameter), readU32(input, INPUT.access));
    this.#installed.set(partition, own);
  }

  /** The partition is gone. */
  forget(partition: bigint): void {
    this.#installed.delete(partition);
  }

  /** CPUID of a leaf. */
  takesCpuid(partition: bigint, leaf: number): boolean {
    return this.#takes(partition, TYPE.cpuid, BigInt(leaf), 'execute');
  }

  takesMsr(partition: bigint, msr: number, access: 'read' | 'write'): boolean {
    return (
      this.#takes(partition, TYPE.msr, 0n, access) ||
      this.#takes(partition, TYPE.msrIndex, BigInt(msr), access)
    );
  }

  takesHypercalls(partition: bigint): boolean {
    return this.#takes(partition, TYPE.hypercall, 0n, 'execute');
  }

  #takes(partition: bigint, type: number, parameter: bigint, access: keyof typeof ACCESS): boolean {
    return ((this.#installed.get(partition)?.get(key(type, parameter)) ?? 0) & ACCESS[access]) !== 0;
  }
}

function key(type: number, parameter: bigint): string {
  return `${type} ${parameter}`;
}
