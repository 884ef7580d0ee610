import { UNMODELLED } from '../hypervisor/index.ts';
import type { DriverRun, Outcome } from '../machine/child.ts';
import type { Context } from '../machine/context.ts';
import type { Handler } from '../machine/sides.ts';
import type { FailStep, LifecycleEvent } from '../trace/event.ts';
import { startArch, stopArch } from './arch/boot.ts';
import { ARCH_HOTPLUG } from './arch/cpu.ts';
import { startReenlightenment, stopReenlightenment } from './arch/reenlightenment.ts';
import { ARCH, MSHV, VMBUS } from './cells/driver.ts';
import type { HotplugState } from './kernel/hotplug.ts';
import { driverState, isParent } from './kernel/objects.ts';
import { lost } from './lost.ts';
import { cpuOffline, cpuOnline } from './machine/cpu.ts';
import { crash } from './machine/crash.ts';
import { restore, save } from './machine/hibernate.ts';
import { kexec, stuckBy } from './machine/kexec.ts';
import { halt, powerOff } from './machine/power.ts';
import { reboot } from './machine/reboot.ts';
import { resume, suspend } from './machine/suspend.ts';
import { isMapFailure, mshvHotplug, SCHEDULER_HOTPLUG } from './mshv/cpu.ts';
import { startMshv, stopMshv } from './mshv/driver.ts';
import { processExit } from './process/exit.ts';
import { VMBUS_HOTPLUG } from './vmbus/cpu.ts';
import { startVmbus, stopVmbus } from './vmbus/driver.ts';
import { startVtl, stopVtl, VTL_HOTPLUG } from './vtl/driver.ts';

/** Every hotplug state that there can be. */
const SYNIC = mshvHotplug();
const STATES: readonly HotplugState[] = [ARCH_HOTPLUG, VMBUS_HOTPLUG, SYNIC, SCHEDULER_HOTPLUG];
const VTL_STATES: readonly HotplugState[] = [ARCH_HOTPLUG, VMBUS_HOTPLUG, VTL_HOTPLUG];

/** The states in question; `fail`: the page of mshv that cannot be mapped. */
function statesOf({ profile }: Context, fail?: FailStep): readonly HotplugState[] {
  if (profile.kernel === 'vtl') return VTL_STATES;
  return isMapFailure(fail) ? STATES.map((state) => (state === SYNIC ? mshvHotplug(fail) : state)) : STATES;
}

type Run = (context: Context, event: LifecycleEvent) => DriverRun<Outcome> | Outcome;

/** A step without a CPU takes place on all of them; what happens on one CPU only happens on the first. */
function cpusOf(event: LifecycleEvent): readonly number[] | undefined {
  return event.cpu === undefined ? undefined : [event.cpu];
}

function firstCpu(event: LifecycleEvent): number {
  return event.cpu ?? 0;
}

function* finished(run: DriverRun<number>, rule: string): DriverRun<Outcome> {
  return { ret: yield* run, rule };
}

/** Start and stop by component. */
const COMPONENTS: Readonly<Record<string, { readonly start: Run; readonly stop: Run }>> = {
  arch: {
    start: (context, event) => finished(startArch(context, firstCpu(event)), 'Linux.arch.start'),
    stop: (context, event) => finished(stopArch(context, firstCpu(event)), 'Linux.arch.stop'),
  },
  kvm: {
    start: (context, event) => startReenlightenment(context, firstCpu(event)),
    stop: (context, event) => stopReenlightenment(context, firstCpu(event)),
  },
  vmbus: {
    start: (context, event) => startVmbus(context, statesOf(context), cpusOf(event), event.fail),
    stop: (context, event) => stopVmbus(context, cpusOf(event)),
  },
  mshv: {
    start: (context, event) => {
      const actor = { component: 'mshv', cpu: firstCpu(event) };
      if (context.profile.kernel === 'vtl') return startVtl(context, statesOf(context), actor);
      return startMshv(context, statesOf(context), actor, cpusOf(event), event.fail);
    },
    stop: (context, event) => {
      if (context.profile.kernel === 'vtl') return stopVtl(context);
      return stopMshv(context, { component: 'mshv', cpu: firstCpu(event) }, cpusOf(event));
    },
  },
};

function component(event: LifecycleEvent) {
  return Object.hasOwn(COMPONENTS, event.component ?? '') ? COMPONENTS[event.component ?? ''] : undefined;
}

function runOf(event: LifecycleEvent): Run | undefined {
  const { cpu } = event;
  switch (event.what) {
    case 'component-start':
      return component(event)?.start;
    case 'component-stop':
      return component(event)?.stop;
    case 'cpu-online':
      return cpu === undefined
        ? undefined
        : (context) => cpuOnline(context, statesOf(context, event.fail), cpu);
    case 'cpu-offline':
      return cpu === undefined ? undefined : (context) => cpuOffline(context, statesOf(context), cpu);
    case 'kexec':
      return (context) => kexec(context, firstCpu(event));
    case 'reboot':
      return (context) => reboot(context, firstCpu(event));
    case 'power-off':
      return (context) => powerOff(context, firstCpu(event));
    case 'halt':
      return (context) => halt(context, firstCpu(event));
    case 'crash':
      return (context) => crash(context, firstCpu(event));
    case 'suspend':
      return suspend;
    case 'resume':
      return resume;
    // Of a partition they are its VMM's affair.
    case 'save':
      return event.partition === undefined ? (context) => save(context, statesOf(context)) : undefined;
    case 'restore':
      return event.partition === undefined ? (context) => restore(context, statesOf(context)) : undefined;
    case 'process-exit':
      return processExit;
    default:
      return undefined;
  }
}

/**
 * The recording began mid-life, and what the step does depends on a driver that may or may not have been running
 * before: then only what was recorded of it counts.
 */
function dependsOnUnseen(context: Context, event: LifecycleEvent): boolean {
  if (context.profile.initial === 'reset') return false;
  if (event.what === 'component-start' || event.what === 'process-exit') return false;
  const drivers = [ARCH, ...(context.profile.vmbus ? [VMBUS] : []), ...(isParent(context) ? [MSHV] : [])];
  return drivers.some((driver) => driverState(context, driver) === 'unseen');
}

const UNSEEN: Handler<LifecycleEvent> = {
  enter(context, event) {
    context.store.doubt();
    lost(context, event);
    return { rule: UNMODELLED };
  },
};

/** How a step of a life cycle is handled; undefined where the kernel's part in it is not modelled. */
export function lifecycleHandler(context: Context, event: LifecycleEvent): Handler | undefined {
  const rule = stuckBy(context);
  if (rule !== undefined) return { enter: () => ({ rule }) };
  const run = runOf(event);
  if (run === undefined) return undefined;
  if (dependsOnUnseen(context, event)) return UNSEEN;
  return { enter: (given) => run(given, event) };
}
