import { msrs } from '../../abi/index.ts';
import { cellAt } from '../../hypervisor/index.ts';
import type { DriverRun } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import { ARCH, ARCH_CPU } from '../cells/driver.ts';
import { type Actor, readMsr, updateMsr, writeMsr } from '../kernel/access.ts';
import type { HotplugState } from '../kernel/hotplug.ts';
import { allocateFrames, driverOf, isRoot } from '../kernel/objects.ts';
import { BASE_SHIFT, disabled, ENABLE, enabled } from '../kernel/synic.ts';
import { moveReenlightenment } from './reenlightenment.ts';

const VP_INDEX = msrs.number('VP_INDEX');
const VP_ASSIST = msrs.number('VP_ASSIST_PAGE');

/**
 * The kernel's hotplug state x86/hyperv_init:online (Linux 7.2 arch/x86/hyperv/hv_init.c, hv_cpu_init and
 * hv_cpu_die): the VP index is read; the assist page is the hypervisor's on a root, else the kernel's own.
 */
export const ARCH_HOTPLUG: HotplugState = {
  cell: (context) => cellAt(driverOf(context, ARCH), ARCH.slots.hotplug),
  startup,
  teardown,
};

function actorOn(cpu: number): Actor {
  return { component: 'arch', cpu };
}

function* startup(context: Context, cpu: number): DriverRun<number> {
  const actor = actorOn(cpu);
  yield* readMsr(actor, VP_INDEX);
  if (isRoot(context)) {
    yield* updateMsr(actor, VP_ASSIST, enabled);
    return 0;
  }
  const { store } = context;
  const arch = driverOf(context, ARCH);
  const known = store.find(arch, ARCH_CPU, cpu);
  const own =
    known === undefined ? allocateFrames(context, 1) : store.get(cellAt(known, ARCH_CPU.slots.assist));
  const written = yield* writeMsr(actor, VP_ASSIST, (own << BASE_SHIFT) | ENABLE, 'kernel-page');
  store.set(cellAt(known ?? store.create(arch, ARCH_CPU, cpu), ARCH_CPU.slots.assist), written >> BASE_SHIFT);
  return 0;
}

function* teardown(context: Context, cpu: number): DriverRun<number> {
  const actor = actorOn(cpu);
  if (isRoot(context)) yield* updateMsr(actor, VP_ASSIST, disabled);
  else yield* writeMsr(actor, VP_ASSIST, 0n);
  yield* moveReenlightenment(context, cpu);
  return 0;
}
