import { constantNumber, fieldOf, readU32, readU64 } from '../../abi/index.ts';
import type { HypercallAnswer } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import { type Call, type CallRow, failed, succeeded } from '../call/call.ts';
import { STATUS } from '../call/status.ts';
import { INTERCEPT } from '../cells/intercept.ts';
import { cellAt } from '../cells/place.ts';
import { PHASES } from '../partition/phases.ts';
import { findChild, RESERVED, wrongState } from '../partition/target.ts';

const INPUT = {
  id: fieldOf('hv_input_install_intercept', 'partition_id'),
  access: fieldOf('hv_input_install_intercept', 'access_type'),
  type: fieldOf('hv_input_install_intercept', 'intercept_type'),
  parameter: fieldOf('hv_input_install_intercept', 'intercept_parameter.as_uint64'),
};
const type = (name: string) => constantNumber(`HV_INTERCEPT_TYPE_${name}`);
const READ_WRITE =
  constantNumber('HV_INTERCEPT_ACCESS_MASK_READ') | constantNumber('HV_INTERCEPT_ACCESS_MASK_WRITE');
const EXECUTE = constantNumber('HV_INTERCEPT_ACCESS_MASK_EXECUTE');

/** Accesses that can be intercepted, and the bits of the parameter that tell one from another, by type. */
const TYPES: ReadonlyMap<number, { readonly access: number; readonly parameter: number }> = new Map([
  [type('X64_IO_PORT'), { access: READ_WRITE, parameter: 0xffff }],
  [type('X64_MSR'), { access: READ_WRITE, parameter: 0 }],
  [type('X64_MSR_INDEX'), { access: READ_WRITE, parameter: 0xffff_ffff }],
  [type('X64_CPUID'), { access: EXECUTE, parameter: 0xffff_ffff }],
  [type('X64_GLOBAL_CPUID'), { access: EXECUTE, parameter: 0 }],
  [type('EXCEPTION'), { access: EXECUTE, parameter: 0xffff }],
  [type('HYPERCALL'), { access: EXECUTE, parameter: 0 }],
  [type('MMIO'), { access: READ_WRITE | EXECUTE, parameter: 0 }],
  [type('X64_APIC_SMI'), { access: READ_WRITE | EXECUTE, parameter: 0 }],
  [type('X64_APIC_INIT_SIPI'), { access: READ_WRITE | EXECUTE, parameter: 0 }],
  [type('X64_APIC_WRITE'), { access: READ_WRITE, parameter: 0xffff_ffff }],
]);
const BAD = failed(STATUS.INVALID_PARAMETER, 'TLFS2013.intercept.parameter');

function keyOf(kind: number, parameter: number): number {
  return kind * 0x1_0000_0000 + parameter;
}

/** HvInstallIntercept (TLFS 2013): access 0 takes an intercept away. */
function install(call: Call): HypercallAnswer {
  const found = findChild(call, INPUT.id);
  if ('answer' in found) return found.answer;
  const wrong = wrongState(call, found.id, PHASES.INTERCEPT);
  if (wrong !== undefined) return wrong;
  const [kind, access] = [readU32(call.input, INPUT.type), readU32(call.input, INPUT.access)];
  const row = TYPES.get(kind);
  if (row === undefined || (access & ~row.access) !== 0) return BAD;
  const { store, profile } = call.context;
  const parameter = readU64(call.input, INPUT.parameter);
  const used = parameter & BigInt(row.parameter);
  if (profile.reservedBits === 'strict' && parameter !== used) return RESERVED;
  const key = keyOf(kind, Number(used));
  const old = store.find(found.id, INTERCEPT, key);
  if (access !== 0) {
    store.set(cellAt(old ?? store.create(found.id, INTERCEPT, key), INTERCEPT.slots.value), access);
  } else if (old !== undefined) {
    store.destroy(old);
  }
  return succeeded('TLFS2013.intercept.install');
}

export const INTERCEPT_CALLS: readonly CallRow[] = [{ name: 'INSTALL_INTERCEPT', answer: install }];

/** Accesses (HV_INTERCEPT_ACCESS_MASK_…) of a partition's VPs that stop them, by intercept type and parameter. */
export function installedIntercept(
  { store }: Context,
  partition: ObjectId,
  kind: number,
  parameter = 0,
): number {
  const id = store.find(partition, INTERCEPT, keyOf(kind, parameter));
  return id === undefined ? 0 : store.low(cellAt(id, INTERCEPT.slots.value));
}
