import type { LifecycleEvent } from '../trace/event.ts';
import type { Profile } from '../trace/profile.ts';

/** Rules of steps that are not those of one driver. */
const STEPS: Readonly<Partial<Record<LifecycleEvent['what'], string>>> = {
  'cpu-online': 'Linux.cpuhp.online',
  'cpu-offline': 'Linux.cpuhp.offline',
  kexec: 'Linux.kexec',
  reboot: 'Linux.reboot',
  'power-off': 'Linux.power-off',
  halt: 'Linux.halt',
  crash: 'Linux.crash',
  suspend: 'Linux.suspend',
  resume: 'Linux.resume',
  save: 'Linux.save',
  restore: 'Linux.restore',
  'process-exit': 'Linux.process.exit',
};

const DRIVERS: Readonly<Record<string, readonly [start: string, stop: string]>> = {
  arch: ['Linux.arch.start', 'Linux.arch.stop'],
  kvm: ['Linux.kvm.start', 'Linux.kvm.stop'],
  vmbus: ['Linux.vmbus.start', 'Linux.vmbus.stop'],
  mshv: ['Linux.mshv.start', 'Linux.mshv.stop'],
};
const VTL = ['Linux.vtl.start', 'Linux.vtl.stop'] as const;

/** The rule by which a step of a life cycle is taken, its end too; undefined where no rule covers it. */
export function ruleOfStep(
  { what, component = '' }: LifecycleEvent,
  { kernel }: Profile,
): string | undefined {
  if (what !== 'component-start' && what !== 'component-stop') return STEPS[what];
  const driver =
    kernel === 'vtl' && component === 'mshv'
      ? VTL
      : Object.hasOwn(DRIVERS, component)
        ? DRIVERS[component]
        : undefined;
  return driver?.[what === 'component-start' ? 0 : 1];
}
