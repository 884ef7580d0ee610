import { constantNumber, fieldOf, readU32, readU64, registers, writeField } from '../../abi/index.ts';
import { cellAt } from '../../hypervisor/index.ts';
import type { DriverRun, Outcome } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import { TOP } from '../../state/store.ts';
import { MSHV } from '../cells/driver.ts';
import { FD, PROCESS } from '../cells/system.ts';
import { CAPABILITIES, VTL } from '../cells/vtl.ts';
import { type Actor, writeMsr } from '../kernel/access.ts';
import { usesAutoEoi } from '../kernel/aeoi.ts';
import { errnoOf, failure } from '../kernel/errno.ts';
import { freeNumber, type HotplugState, installState } from '../kernel/hotplug.ts';
import { hypercall, hypercallCode } from '../kernel/hypercall.ts';
import { allocateFrames, beginDriver, driverOf, driverState, setDriverState } from '../kernel/objects.ts';
import { AUTO_EOI, BASE_SHIFT, CALLBACK_VECTOR, ENABLE, PLAIN_MSRS } from '../kernel/synic.ts';
import { SELF } from '../mshv/partition-id.ts';
import { capabilityOf } from './device.ts';
import { vtlOf } from './files.ts';

const SELF_VP = constantNumber('HV_VP_INDEX_SELF');
const [GET, SET] = [hypercallCode('GET_VP_REGISTERS'), hypercallCode('SET_VP_REGISTERS')];
const HEADER_BYTES = 16;
const NAME_BYTES = 4;
const ELEMENT_BYTES = 32;
const VALUE_BYTES = 16;
const ID = fieldOf('hv_input_set_vp_registers', 'partition_id');
const INDEX = fieldOf('hv_input_set_vp_registers', 'vp_index');
const NAME = fieldOf('hv_input_get_vp_registers', 'names');
const ELEMENT = {
  name: fieldOf('hv_input_set_vp_registers', 'elements.name'),
  value: fieldOf('hv_input_set_vp_registers', 'elements.value.reg64'),
};
/** First byte of the one element's value, and the first behind it. */
const VALUE_RANGE = [HEADER_BYTES + 16, HEADER_BYTES + 24] as const;

const OFFSETS: number = registers.number('VSM_CODE_PAGE_OFFSETS');
const CAPABILITY: number = registers.number('VSM_CAPABILITIES');
const CONFIG: number = registers.number('VSM_PARTITION_CONFIG');
const REG_PAGE: number = registers.number('REG_PAGE');
const told = (name: string) => fieldOf('hv_register_vsm_capabilities', name);
const [DR6_SHARED, RETURN_ACTION, INTERCEPT_PAGE] = [
  told('dr6_shared'),
  told('return_action_available'),
  told('intercept_page_available'),
];
const wanted = (name: string) => fieldOf('hv_register_vsm_partition_config', name);
/** All permissions for the lower VTL, as the driver configures it. */
const SETTINGS = [
  [wanted('enable_vtl_protection'), 1],
  [wanted('default_vtl_protection_mask'), 0xf],
  [wanted('zero_memory_on_reset'), 1],
  [wanted('intercept_vp_startup'), 1],
  [wanted('intercept_cpuid_unimplemented'), 1],
] as const;
const CONFIG_PAGE = wanted('intercept_page');
const WORD = fieldOf('hv_register_vsm_partition_config', 'as_uint64');

function input(bytes: number): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES + bytes);
  writeField(header, ID, SELF);
  writeField(header, INDEX, SELF_VP);
  return header;
}

/** One of the own VTL's registers; `isPage`: its value names a page of the kernel. */
function* setRegister(context: Context, actor: Actor, name: number, value: bigint, isPage: boolean) {
  const call = input(ELEMENT_BYTES);
  writeField(call, ELEMENT.name, name);
  writeField(call, ELEMENT.value, value);
  const page = isPage ? ({ bind: 'kernel-page', bound: VALUE_RANGE } as const) : {};
  return errnoOf(yield* hypercall(actor, SET, call, { reps: 1, ...page }), context.profile);
}

function note(context: Context, slot: number, isThere: boolean): void {
  context.store.set(cellAt(vtlOf(context), slot), CAPABILITIES.indexOf(isThere ? 'present' : 'absent'));
}

/**
 * Loads the driver (Linux 7.2 drivers/hv/mshv_vtl_main.c, mshv_vtl_init): what VTLs can do is asked, the partition configured, and
 * on each CPU a register page set up where intercepts have a page of their own, SINT0 where they come as messages.
 */
export function* startVtl(
  context: Context,
  states: readonly HotplugState[],
  actor: Actor,
): DriverRun<Outcome> {
  const outcome = (ret: number): Outcome => ({ ret, rule: 'Linux.vtl.start' });
  if (driverState(context, MSHV) === 'running') return outcome(failure('EEXIST'));
  beginDriver(context, MSHV);
  const ask = input(2 * NAME_BYTES);
  writeField(ask, NAME, OFFSETS, 0);
  writeField(ask, NAME, CAPABILITY, 1);
  const answer = yield* hypercall(actor, GET, ask, { reps: 2 });
  if (errnoOf(answer, context.profile) !== 0) return outcome(failure('ENODEV'));
  const capabilities = (answer.output ?? new Uint8Array(0)).subarray(VALUE_BYTES, 2 * VALUE_BYTES);
  const hasPage = readU32(capabilities, INTERCEPT_PAGE) === 1;
  const config = new Uint8Array(8);
  for (const [field, value] of SETTINGS) writeField(config, field, value);
  writeField(config, CONFIG_PAGE, hasPage ? 1 : 0);
  const configured = yield* setRegister(context, actor, CONFIG, readU64(config, WORD), false);
  if (configured !== 0) return outcome(failure('ENODEV'));
  context.store.settle(vtlOf(context));
  note(context, VTL.slots.dr6Shared, readU32(capabilities, DR6_SHARED) === 1);
  note(context, VTL.slots.returnAction, readU32(capabilities, RETURN_ACTION) === 1);
  note(context, VTL.slots.registerPage, false);
  note(context, VTL.slots.interceptPage, hasPage);
  const ret = yield* installState(context, VTL_HOTPLUG, freeNumber(context, states));
  if (ret === 0) setDriverState(context, MSHV, 'running');
  return outcome(ret);
}

/** Hotplug state hyperv/vtl:online: what a CPU has stays when it goes. */
export const VTL_HOTPLUG: HotplugState = {
  cell: (context) => cellAt(driverOf(context, MSHV), MSHV.slots.hotplug),
  *startup(context, cpu) {
    yield* startCpu(context, { component: 'mshv', cpu });
    return 0;
  },
  *teardown() {
    yield* [];
    return 0;
  },
};

/** A register page that the hypervisor does not take is only warned of (mshv_vtl_alloc_context). */
function* startCpu(context: Context, actor: Actor): DriverRun<void> {
  if (capabilityOf(context, VTL.slots.interceptPage) !== true) {
    yield* writeMsr(actor, PLAIN_MSRS.sint0, CALLBACK_VECTOR | (usesAutoEoi(context) ? AUTO_EOI : 0n));
    return;
  }
  const page = (allocateFrames(context, 1) << BASE_SHIFT) | ENABLE;
  const ret = yield* setRegister(context, actor, REG_PAGE, page, true);
  if (ret === 0) note(context, VTL.slots.registerPage, true);
}

/** The module stays while one of its files is open; nothing of the SynIC is undone (mshv_vtl_exit). */
export function stopVtl(context: Context): Outcome {
  const outcome = (ret: number): Outcome => ({ ret, rule: 'Linux.vtl.stop' });
  if (driverState(context, MSHV) !== 'running') return outcome(failure('ENOENT'));
  const { store } = context;
  const isOpen = store.children(TOP, PROCESS).some((process) => store.children(process, FD).length > 0);
  if (isOpen) return outcome(failure('EAGAIN'));
  const vtl = vtlOf(context);
  store.destroy(vtl);
  store.set(VTL_HOTPLUG.cell(context), 0);
  setDriverState(context, MSHV, 'stopped');
  return outcome(0);
}
