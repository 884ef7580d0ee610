import { constantNumber, type FieldHandle, fieldOf, readU32, writeField } from '../../abi/index.ts';
import type { HypercallAnswer } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import { type Key, keyOf, type ObjectId } from '../../state/store.ts';
import { type Call, type CallRow, failed, recordedAnswer, repeated, succeeded } from '../call/call.ts';
import { STATUS } from '../call/status.ts';
import { CPUID_RESULT, MSR_RESULT } from '../cells/intercept.ts';
import { cellAt } from '../cells/place.ts';
import { PHASES } from '../partition/phases.ts';
import { findChild, findVp, RESERVED, reservedSet, wrongState } from '../partition/target.ts';
import { type CpuidValues, ownCpuid } from './cpuid.ts';

const OUTPUTS = ['eax', 'ebx', 'ecx', 'edx'] as const;
type Output = (typeof OUTPUTS)[number];

const cpuid = (path: string) => fieldOf('hv_input_register_intercept_result', `parameters.cpuid.${path}`);
const msr = (path: string) => fieldOf('hv_input_register_intercept_result', `parameters.msr.${path}`);
const REGISTER = {
  id: fieldOf('hv_input_register_intercept_result', 'partition_id'),
  index: fieldOf('hv_input_register_intercept_result', 'vp_index'),
  type: fieldOf('hv_input_register_intercept_result', 'intercept_type'),
  leaf: cpuid('input.eax'),
  subleaf: cpuid('input.ecx'),
  specific: cpuid('input.subleaf_specific'),
  always: cpuid('input.always_override'),
  padding: cpuid('input.padding'),
  msr: msr('msr_index'),
  access: msr('access_type'),
  action: msr('action'),
};
const RESULTS: Readonly<Record<Output, { readonly result: FieldHandle; readonly mask: FieldHandle }>> = {
  eax: { result: cpuid('result.eax'), mask: cpuid('result.eax_mask') },
  ebx: { result: cpuid('result.ebx'), mask: cpuid('result.ebx_mask') },
  ecx: { result: cpuid('result.ecx'), mask: cpuid('result.ecx_mask') },
  edx: { result: cpuid('result.edx'), mask: cpuid('result.edx_mask') },
};
const CPUID = constantNumber('HV_INTERCEPT_TYPE_X64_CPUID');
const MSR = constantNumber('HV_INTERCEPT_TYPE_X64_MSR');
/** An MSR is read or written. */
const EXECUTE_ACCESS = constantNumber('HV_INTERCEPT_ACCESS_EXECUTE');
const ACTION_COUNT = constantNumber('HV_UNIMPLEMENTED_MSR_ACTION_COUNT');
const NO_TYPE = failed(STATUS.INVALID_PARAMETER, 'HDR.intercept-result.type');
const GET = {
  id: fieldOf('hv_input_get_vp_cpuid_values', 'partition_id'),
  index: fieldOf('hv_input_get_vp_cpuid_values', 'vp_index'),
  apply: fieldOf('hv_input_get_vp_cpuid_values', 'flags.apply_registered_values'),
  reserved: ['flags.reserved', 'reserved', 'padding'].map((name) =>
    fieldOf('hv_input_get_vp_cpuid_values', name),
  ),
  leaf: fieldOf('hv_input_get_vp_cpuid_values', 'cpuid_leaf_info.eax'),
  subleaf: fieldOf('hv_input_get_vp_cpuid_values', 'cpuid_leaf_info.ecx'),
};
const VALUES_BYTES = 16;
const WORD = { ...fieldOf('hv_output_get_vp_cpuid_values', 'eax'), stride: 4 };

function leafKey(leaf: number, subleaf: number): Key {
  return keyOf((BigInt(leaf) << 32n) | BigInt(subleaf));
}

function accessKey(number: number, access: number): Key {
  return keyOf((BigInt(access) << 32n) | BigInt(number));
}

function vpOf(
  call: Call,
  fields: Pick<typeof GET, 'id' | 'index'>,
): { readonly vp: ObjectId } | { readonly answer: HypercallAnswer } {
  const found = findChild(call, fields.id);
  if ('answer' in found) return found;
  const wrong = wrongState(call, found.id, PHASES.INTERCEPT);
  if (wrong !== undefined) return { answer: wrong };
  const vp = findVp(call, found.id, readU32(call.input, fields.index));
  return 'answer' in vp ? vp : { vp: vp.id };
}

/** What becomes of reads, or of writes, of an MSR that is not there. */
function registerMsr(call: Call, vp: ObjectId): HypercallAnswer {
  const { input, context } = call;
  const access = readU32(input, REGISTER.access);
  const action = readU32(input, REGISTER.action);
  if (access >= EXECUTE_ACCESS || action >= ACTION_COUNT) return NO_TYPE;
  const key = accessKey(readU32(input, REGISTER.msr), access);
  const { store } = context;
  const id = store.find(vp, MSR_RESULT, key) ?? store.create(vp, MSR_RESULT, key);
  store.set(cellAt(id, MSR_RESULT.slots.action), action);
  return succeeded('HDR.intercept-result.register');
}

/** The action (HV_UNIMPLEMENTED_MSR_ACTION_…) that a parent registered for accesses of a VP to an MSR; undefined: none. */
export function msrAction({ store }: Context, vp: ObjectId, msr: number, dir: 'read' | 'write') {
  const id = store.find(vp, MSR_RESULT, accessKey(msr, dir === 'read' ? 0 : 1));
  return id === undefined ? undefined : store.low(cellAt(id, MSR_RESULT.slots.action));
}

/** HvRegisterInterceptResult (Linux 7.2 include/hyperv): what the guest gets to see of a CPUID leaf or an MSR. */
function register(call: Call): HypercallAnswer {
  const found = vpOf(call, REGISTER);
  if ('answer' in found) return found.answer;
  const { input, context } = call;
  const { store } = context;
  const rule = 'HDR.intercept-result.register';
  const kind = readU32(input, REGISTER.type);
  if (kind === MSR) return registerMsr(call, found.vp);
  if (kind !== CPUID) return NO_TYPE;
  if (reservedSet(call, [REGISTER.padding])) return RESERVED;
  const specific = readU32(input, REGISTER.specific);
  const subleaf = specific === 0 ? 0 : readU32(input, REGISTER.subleaf);
  const key = leafKey(readU32(input, REGISTER.leaf), subleaf);
  const id = store.find(found.vp, CPUID_RESULT, key) ?? store.create(found.vp, CPUID_RESULT, key);
  const { slots } = CPUID_RESULT;
  store.set(cellAt(id, slots.subleafSpecific), specific === 0 ? 0 : 1);
  store.set(cellAt(id, slots.always), readU32(input, REGISTER.always) === 0 ? 0 : 1);
  for (const output of OUTPUTS) {
    store.set(cellAt(id, slots[output].result), readU32(input, RESULTS[output].result));
    store.set(cellAt(id, slots[output].mask), readU32(input, RESULTS[output].mask));
  }
  return succeeded(rule);
}

/** What is registered for a leaf: for the subleaf alone, or for all of them. */
function registered({ store }: Context, vp: ObjectId, leaf: number, subleaf: number): ObjectId | undefined {
  const { subleafSpecific } = CPUID_RESULT.slots;
  const exact = store.find(vp, CPUID_RESULT, leafKey(leaf, subleaf));
  if (exact !== undefined && (subleaf !== 0 || store.low(cellAt(exact, subleafSpecific)) === 1)) return exact;
  const all = store.find(vp, CPUID_RESULT, leafKey(leaf, 0));
  return all !== undefined && store.low(cellAt(all, subleafSpecific)) === 0 ? all : undefined;
}

/** What a CPUID instruction of the guest gives: what it gives by itself under the results that its parent registered. */
export function guestCpuid(
  context: Context,
  vp: ObjectId,
  leaf: number,
  subleaf: number,
  base: CpuidValues = ownCpuid(context, vp, leaf),
): CpuidValues {
  const id = registered(context, vp, leaf, subleaf);
  if (id === undefined) return base;
  const { store } = context;
  const value = (output: Output) => {
    const mask = store.low(cellAt(id, CPUID_RESULT.slots[output].mask));
    const result = store.low(cellAt(id, CPUID_RESULT.slots[output].result));
    return ((base[output] & ~mask) | (result & mask)) >>> 0;
  };
  return { eax: value('eax'), ebx: value('ebx'), ecx: value('ecx'), edx: value('edx') };
}

/** HvGetVpCpuidValues (rust-vmm/mshv, hv-headers): what the processor itself says is not known. */
function get(call: Call): HypercallAnswer {
  const found = vpOf(call, GET);
  if ('answer' in found) return found.answer;
  if (reservedSet(call, GET.reserved)) return RESERVED;
  const { input, context, control } = call;
  const apply = readU32(input, GET.apply) === 1;
  const { output: recorded } = recordedAnswer(call.event);
  const output = new Uint8Array(control.repCount * VALUES_BYTES);
  for (let i = control.repStart; i < control.repCount; i++) {
    const leaf = readU32(input, GET.leaf, i);
    const shown = recorded?.subarray(i * VALUES_BYTES, (i + 1) * VALUES_BYTES);
    const isShown = shown?.length === VALUES_BYTES;
    context.bind('cpuid-value', isShown ? 1n : undefined, 0n);
    const base = isShown ? valuesOf(shown) : ownCpuid(context, found.vp, leaf);
    const values = apply ? guestCpuid(context, found.vp, leaf, readU32(input, GET.subleaf, i), base) : base;
    OUTPUTS.forEach((name, word) => {
      writeField(output, WORD, values[name], i * OUTPUTS.length + word);
    });
  }
  return repeated(STATUS.SUCCESS, control.repCount, 'HDR.cpuid-values.get', output);
}

function valuesOf(bytes: Uint8Array): CpuidValues {
  const word = (i: number) => readU32(bytes, WORD, i);
  return { eax: word(0), ebx: word(1), ecx: word(2), edx: word(3) };
}

export const RESULT_CALLS: readonly CallRow[] = [
  { name: 'REGISTER_INTERCEPT_RESULT', answer: register },
  { name: 'GET_VP_CPUID_VALUES', answer: get },
];
