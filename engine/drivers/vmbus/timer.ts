import { msrs } from '../../abi/index.ts';
import type { DriverRun } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import { VMBUS } from '../cells/driver.ts';
import { VMBUS_TIMER } from '../cells/vmbus.ts';
import { type Actor, writeMsr } from '../kernel/access.ts';
import { driverOf } from '../kernel/objects.ts';
import { VMBUS_SINT } from './sint.ts';

const FEATURES_LEAF = 0x4000_0003;
/** EAX: synthetic timers; EDX: they can interrupt without a message (TLFS, feature identification). */
const SYNTHETIC_TIMERS = 1 << 3;
const DIRECT_MODE = 1 << 19;
const CONFIG = msrs.number('STIMER0_CONFIG');
const COUNT = msrs.number('STIMER0_COUNT');
/** Enabled, started by a count, its messages to the SINT of VMBus (TLFS, synthetic timer configuration). */
const ONE_SHOT = 0x9n | (BigInt(VMBUS_SINT) << 16n);

/**
 * The kernel's clock events are timer 0 with messages, where the hypervisor has timers and not the direct mode (Linux 7.2
 * drivers/clocksource/hyperv_timer.c, hv_stimer_legacy_init). Without the leaf in the profile nothing is known of timers.
 */
function hasLegacyTimer({ profile }: Context): boolean {
  const leaf = profile.cpuid.get(FEATURES_LEAF);
  return leaf !== undefined && (leaf.eax & SYNTHETIC_TIMERS) !== 0 && (leaf.edx & DIRECT_MODE) === 0;
}

function timerOn(context: Context, cpu: number): ObjectId | undefined {
  return context.store.find(driverOf(context, VMBUS), VMBUS_TIMER, cpu);
}

function actorOn(cpu: number): Actor {
  return { component: 'timer', cpu };
}

function* shutDown(cpu: number): DriverRun<void> {
  yield* writeMsr(actorOn(cpu), COUNT, 0n);
  yield* writeMsr(actorOn(cpu), CONFIG, 0n);
}

/** The device is registered: shut down, then in one-shot mode. The counts that follow are the scheduler's affair. */
export function* startTimer(context: Context, cpu: number): DriverRun<void> {
  if (!hasLegacyTimer(context) || timerOn(context, cpu) !== undefined) return;
  context.store.create(driverOf(context, VMBUS), VMBUS_TIMER, cpu);
  yield* shutDown(cpu);
  yield* writeMsr(actorOn(cpu), CONFIG, ONE_SHOT);
}

/** It is unbound, so that the local APIC takes over (hv_stimer_legacy_cleanup). */
export function* stopTimer(context: Context, cpu: number): DriverRun<void> {
  const id = timerOn(context, cpu);
  if (id === undefined) return;
  context.store.destroy(id);
  yield* shutDown(cpu);
}

/** kexec: those of all CPUs, before VMBus goes (hv_stimer_global_cleanup). */
export function* stopTimers(context: Context): DriverRun<void> {
  const { store } = context;
  for (const id of store.children(driverOf(context, VMBUS), VMBUS_TIMER)) {
    yield* stopTimer(context, Number(store.key(id)));
  }
}
