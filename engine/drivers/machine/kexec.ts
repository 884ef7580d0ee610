import { cellAt, knownOr } from '../../hypervisor/index.ts';
import type { AnswerRule, DriverRun, Outcome } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import { stopArch } from '../arch/boot.ts';
import { VMBUS } from '../cells/driver.ts';
import { ENDS, KEXEC_PHASES, SYSTEM } from '../cells/system.ts';
import { driverState, systemOf } from '../kernel/objects.ts';
import { step } from '../kernel/step.ts';
import { hasNotifier, notifyOfReboot } from '../mshv/driver.ts';
import { shutDownVmbus } from '../vmbus/driver.ts';
import { stopTimers } from '../vmbus/timer.ts';
import { startAnew } from './restart.ts';

const RULE = 'Linux.kexec';

function setKexec(context: Context, phase: (typeof KEXEC_PHASES)[number]): void {
  context.store.set(cellAt(systemOf(context), SYSTEM.slots.kexec), KEXEC_PHASES.indexOf(phase));
}

/**
 * Why nothing runs any more: a kexec waits for what may never come, or the machine was halted or switched off. Where a
 * recording begins something runs.
 */
export function stuckBy(context: Context): AnswerRule | undefined {
  const { kexec: phase, end } = SYSTEM.slots;
  const system = systemOf(context);
  const seen = (slot: number) => Number(knownOr(context, cellAt(system, slot), 0n));
  const how = ENDS[seen(end)];
  if (how === 'halted' || how === 'off') return how === 'off' ? 'Linux.power-off' : 'Linux.halt';
  return KEXEC_PHASES[seen(phase)] === 'waiting' ? RULE : undefined;
}

/** The notifier of mshv, if it has one. */
export function* notifyMshv(context: Context, cpu: number): DriverRun<void> {
  if (!hasNotifier(context)) return;
  yield* step('component-stop', 'mshv', notifyOfReboot(context, { component: 'mshv', cpu }), () => 0);
}

/**
 * kexec: reboot notifiers, so mshv first; then the machine's shutdown, where VMBus unloads and gives up each
 * CPU, and last the kernel itself (Linux 7.2 kernel/reboot.c, arch/x86/kernel/cpu/mshyperv.c,
 * hv_machine_shutdown). At its end the next kernel runs.
 */
export function* kexec(context: Context, cpu: number): DriverRun<Outcome> {
  setKexec(context, 'running');
  yield* notifyMshv(context, cpu);
  yield* stopTimers(context);
  if (driverState(context, VMBUS) === 'running') {
    const { ret } = yield* step('component-stop', 'vmbus', shutDownVmbus(context), (outcome) => outcome.ret);
    if (ret === undefined) {
      setKexec(context, 'waiting');
      return { rule: RULE };
    }
  }
  yield* step('component-stop', 'arch', stopArch(context, cpu), () => 0);
  startAnew(context);
  return { ret: 0, rule: RULE };
}
