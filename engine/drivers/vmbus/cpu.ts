import { cellAt } from '../../hypervisor/index.ts';
import type { DriverRun } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import { VMBUS, VMBUS_CPU } from '../cells/driver.ts';
import { type Actor, readMsr, updateMsr, writeMsr } from '../kernel/access.ts';
import { usesAutoEoi } from '../kernel/aeoi.ts';
import type { HotplugState } from '../kernel/hotplug.ts';
import { driverOf, isRoot } from '../kernel/objects.ts';
import {
  AUTO_EOI,
  BASE_SHIFT,
  CALLBACK_VECTOR,
  disabled,
  enabled,
  MASKED,
  VECTOR_MASK,
  withBase,
} from '../kernel/synic.ts';
import { connectionOf, vmbusActor, vmbusMsrs } from './actor.ts';
import { VMBUS_SINT } from './sint.ts';
import { startTimer, stopTimer } from './timer.ts';
import { vacate } from './vacate.ts';

/**
 * Hotplug state hyperv/vmbus:online (Linux 7.2 drivers/hv/hv.c, hv_synic_init and hv_synic_cleanup). On a
 * nested root its accesses go to the nested register file (arch/x86/kernel/cpu/mshyperv.c, hv_get_msr).
 */
export const VMBUS_HOTPLUG: HotplugState = {
  cell: (context) => cellAt(driverOf(context, VMBUS), VMBUS.slots.hotplug),
  startup,
  teardown,
};

/** Pages on, SINT unmasked, SynIC on: in this order, which a SynIC that is still off has to accept. */
function* startup(context: Context, cpu: number): DriverRun<number> {
  yield* enableRegisters(context, cpu);
  yield* updateMsr(vmbusActor(cpu), vmbusMsrs(context).scontrol, enabled);
  yield* startTimer(context, cpu);
  return 0;
}

/** Pages on and SINT unmasked, SCONTROL as it is: all that a resume does (hv_hyp_synic_enable_regs). */
export function* enableRegisters(context: Context, cpu: number): DriverRun<void> {
  const actor = vmbusActor(cpu);
  const { simp, siefp, sint0 } = vmbusMsrs(context);
  yield* enablePage(context, actor, simp, VMBUS_CPU.slots.simp);
  yield* enablePage(context, actor, siefp, VMBUS_CPU.slots.siefp);
  const autoEoi = usesAutoEoi(context) ? AUTO_EOI : 0n;
  yield* updateMsr(
    actor,
    sint0 + VMBUS_SINT,
    (value) => (value & ~(VECTOR_MASK | MASKED | AUTO_EOI)) | CALLBACK_VECTOR | autoEoi,
  );
}

/** The page is the driver's own, except on a root, where it is the hypervisor's and stays where it is. */
function* enablePage(context: Context, actor: Actor, msr: number, slot: number): DriverRun<void> {
  const value = yield* readMsr(actor, msr);
  const own = context.store.find(driverOf(context, VMBUS), VMBUS_CPU, actor.cpu);
  if (isRoot(context) || own === undefined) {
    yield* writeMsr(actor, msr, enabled(value));
    return;
  }
  const cell = cellAt(own, slot);
  const wanted = withBase(enabled(value), context.store.get(cell));
  const written = yield* writeMsr(actor, msr, wanted, 'kernel-page');
  if (written !== wanted) context.store.set(cell, written >> BASE_SHIFT);
}

/** While the host talks to VMBus, a CPU cannot go just like that. */
function* teardown(context: Context, cpu: number): DriverRun<number> {
  const ret = connectionOf(context) === 'connected' ? yield* vacate(context, cpu) : 0;
  if (ret !== 0) return ret;
  yield* stopTimer(context, cpu);
  yield* disableRegisters(context, cpu);
  yield* updateMsr(vmbusActor(cpu), vmbusMsrs(context).scontrol, disabled);
  return 0;
}

/** SINT masked, pages off, SCONTROL as it is: all that a crash or a suspend does (hv_hyp_synic_disable_regs). */
export function* disableRegisters(context: Context, cpu: number): DriverRun<void> {
  const actor = vmbusActor(cpu);
  const { simp, siefp, sint0 } = vmbusMsrs(context);
  const off = isRoot(context) ? disabled : (value: bigint) => withBase(disabled(value), 0n);
  yield* updateMsr(actor, sint0 + VMBUS_SINT, (value) => value | MASKED);
  yield* updateMsr(actor, simp, off);
  yield* updateMsr(actor, siefp, off);
}
