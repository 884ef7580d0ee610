import { constantNumber, fieldOf, readU32, readU64, registers, writeField } from '../../abi/index.ts';
import { UNMODELLED } from '../../hypervisor/index.ts';
import type { DriverRun, Outcome, ShownCall } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { IoctlEvent } from '../../trace/event.ts';
import { VTL } from '../cells/vtl.ts';
import { type Actor, writeMsr } from '../kernel/access.ts';
import { errnoOf, failure } from '../kernel/errno.ts';
import { hypercallCode, issue } from '../kernel/hypercall.ts';
import type { IoctlRow } from '../mshv/ioctl-row.ts';
import { SELF } from '../mshv/partition-id.ts';
import { afterCall, unread } from './answer.ts';
import { capabilityOf } from './device.ts';
import { MTRR_MSRS } from './mtrr.ts';

const RULE = 'Linux.vtl.registers';
const ARG = { bytes: 16, count: fieldOf('mshv_vp_registers', 'count') };
/** A register with its value: struct hv_register_assoc. */
const ASSOC_BYTES = 32;
const VALUE_AT = 16;
const NAME = fieldOf('hv_register_assoc', 'name');
const VALUE = fieldOf('hv_register_assoc', 'value.reg64');
const VALUE_BYTES = 16;
const INPUT = {
  header: 16,
  id: fieldOf('hv_input_get_vp_registers', 'partition_id'),
  vp: fieldOf('hv_input_get_vp_registers', 'vp_index'),
  useTarget: fieldOf('hv_input_get_vp_registers', 'input_vtl.use_target_vtl'),
  name: fieldOf('hv_input_get_vp_registers', 'names'),
};
const SELF_VP = constantNumber('HV_VP_INDEX_SELF');
const [GET, SET] = [hypercallCode('GET_VP_REGISTERS'), hypercallCode('SET_VP_REGISTERS')];

/** Registers of the processor that VTLs share: the driver reads and writes them itself. */
const DEBUG: ReadonlySet<number> = new Set(
  ['DR0', 'DR1', 'DR2', 'DR3'].map((name) => registers.number(name)),
);
const DR6: number = registers.number('DR6');

/** Where a register is: of the processor's own, an MSR, behind a hypercall; undefined where the trace does not tell. */
function placeOf(context: Context, name: number): 'own' | 'hypercall' | { readonly msr: number } | undefined {
  if (DEBUG.has(name)) return 'own';
  if (name === DR6) {
    const shared = capabilityOf(context, VTL.slots.dr6Shared);
    return shared === undefined ? undefined : shared ? 'own' : 'hypercall';
  }
  const msr = MTRR_MSRS.get(name);
  return msr === undefined ? 'hypercall' : { msr };
}

/** The lower VTL's registers of the VP that the call runs on: SELF, with target VTL 0 said. */
function input(bytes: number): Uint8Array {
  const header = new Uint8Array(INPUT.header + bytes);
  writeField(header, INPUT.id, SELF);
  writeField(header, INPUT.vp, SELF_VP);
  writeField(header, INPUT.useTarget, 1);
  return header;
}

/** The one register of a call; else why there is none. */
function registerOf(event: IoctlEvent, arg: Uint8Array): Uint8Array | Outcome {
  if (readU32(arg, ARG.count) !== 1) return { ret: failure('EINVAL'), rule: RULE };
  const given = event.in;
  return given === undefined || given.length < ASSOC_BYTES
    ? unread(event, RULE)
    : given.slice(0, ASSOC_BYTES);
}

/** Which place it is cannot be told, so neither what the call does. */
function untold(event: IoctlEvent): Outcome {
  return typeof event.ret === 'number' ? { ret: event.ret, rule: UNMODELLED } : { rule: UNMODELLED };
}

function withValue(register: Uint8Array, value: Uint8Array): Uint8Array {
  const answered = register.slice();
  answered.set(value.subarray(0, VALUE_BYTES), VALUE_AT);
  return answered;
}

function recordedValue({ ret, out }: IoctlEvent): Uint8Array | undefined {
  const data = ret === 0 ? out?.data : undefined;
  return data === undefined || data.length < ASSOC_BYTES ? undefined : data.subarray(VALUE_AT, ASSOC_BYTES);
}

function* get(context: Context, actor: Actor, event: IoctlEvent, arg: Uint8Array): DriverRun<Outcome> {
  const register = registerOf(event, arg);
  if (!(register instanceof Uint8Array)) return register;
  const place = placeOf(context, readU32(register, NAME));
  if (place === undefined) return untold(event);
  const recorded = recordedValue(event);
  if (place === 'hypercall') {
    const call = input(4);
    writeField(call, INPUT.name, readU32(register, NAME));
    const shown: ShownCall =
      recorded === undefined ? {} : { result: { status: 0, reps: 1 }, output: recorded };
    const answer = yield* issue(actor, GET, call, { reps: 1, recorded: shown });
    const ret = errnoOf(answer, context.profile);
    if (ret !== 0) return afterCall(event, answer, { ret, rule: RULE });
    const data = withValue(register, answer.output ?? new Uint8Array(0));
    return afterCall(event, answer, { ret, out: { data }, rule: RULE });
  }
  const shown = event.ret === 0 && event.out?.data !== undefined ? readU64(event.out.data, VALUE) : undefined;
  let value: bigint;
  if (place === 'own') value = context.bind('register-value', shown, 0n);
  else {
    const { component, cpu } = actor;
    const access = { kind: 'msr', dir: 'read', cpu, component, msr: place.msr } as const;
    const answer = yield shown === undefined ? access : { ...access, value: shown };
    const read = answer.kind === 'msr' && !answer.fault ? answer.value : 0n;
    value = context.bind('register-value', shown, read);
  }
  // The upper half stays as it came.
  const data = register.slice();
  writeField(data, VALUE, value);
  return { ret: 0, out: { data }, rule: RULE };
}

function* set(context: Context, actor: Actor, event: IoctlEvent, arg: Uint8Array): DriverRun<Outcome> {
  const register = registerOf(event, arg);
  if (!(register instanceof Uint8Array)) return register;
  const place = placeOf(context, readU32(register, NAME));
  if (place === undefined) return untold(event);
  if (place === 'hypercall') {
    const call = input(ASSOC_BYTES);
    call.set(register, INPUT.header);
    const shown: ShownCall = event.ret === 0 ? { result: { status: 0, reps: 1 } } : {};
    const answer = yield* issue(actor, SET, call, { reps: 1, recorded: shown });
    return afterCall(event, answer, { ret: errnoOf(answer, context.profile), rule: RULE });
  }
  if (place !== 'own') yield* writeMsr(actor, place.msr, readU64(register, VALUE));
  return { ret: 0, rule: RULE };
}

/** Registers of the lower VTL, one a call (Linux 7.2 drivers/hv/mshv_vtl_main.c, mshv_vtl_ioctl_get_regs and …_set_regs). */
export const REGISTER_IOCTLS: readonly IoctlRow[] = [
  { fd: 'vtl', name: 'MSHV_GET_VP_REGISTERS', argBytes: ARG.bytes, enter: get },
  { fd: 'vtl', name: 'MSHV_SET_VP_REGISTERS', argBytes: ARG.bytes, enter: set },
];
