import { msrs } from '../../abi/index.ts';
import { cellAt } from '../../hypervisor/index.ts';
import type { DriverRun, Outcome } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import { ARCH } from '../cells/driver.ts';
import { type Actor, readMsr, updateMsr, writeMsr } from '../kernel/access.ts';
import { driverOf, onlineCpus } from '../kernel/objects.ts';

const CONTROL = msrs.number('REENLIGHTENMENT_CONTROL');
const EMULATION_CONTROL = msrs.number('TSC_EMULATION_CONTROL');
const FEATURES_LEAF = 0x4000_0003;
/** EAX: frequency MSRs, reenlightenment; EDX: frequency MSRs are there (TLFS, feature identification). */
const PRIVILEGES = (1 << 11) | (1 << 13);
const FREQUENCY_MSRS = 1 << 8;
/** HYPERV_REENLIGHTENMENT_VECTOR (Linux 7.2 arch/x86/include/asm/irq_vectors.h). */
const VECTOR = 0xeen;
const ENABLED = 1n << 16n;
const TARGET_SHIFT = 32n;
const LOW_HALF = 0xffff_ffffn;

function wanted(context: Context) {
  return cellAt(driverOf(context, ARCH), ARCH.slots.reenlightenment);
}

function isAvailable({ profile }: Context): boolean {
  const leaf = profile.cpuid.get(FEATURES_LEAF);
  return leaf !== undefined && (leaf.eax & PRIVILEGES) === PRIVILEGES && (leaf.edx & FREQUENCY_MSRS) !== 0;
}

/**
 * KVM wants to hear of migrations, and has the hypervisor emulate the TSC until it has heard (Linux 7.2
 * arch/x86/hyperv/hv_init.c, set_hv_tscchange_cb). Nothing happens where the hypervisor does not offer it.
 */
export function* startReenlightenment(context: Context, cpu: number): DriverRun<Outcome> {
  if (isAvailable(context)) {
    context.store.set(wanted(context), 1);
    yield* tell({ component: 'arch', cpu });
  }
  return { ret: 0, rule: 'Linux.kvm.start' };
}

function* tell(actor: Actor): DriverRun<void> {
  yield* writeMsr(actor, CONTROL, VECTOR | ENABLED | (BigInt(actor.cpu) << TARGET_SHIFT));
  yield* writeMsr(actor, EMULATION_CONTROL, 1n);
}

/** It does not any more (clear_hv_tscchange_cb). */
export function* stopReenlightenment(context: Context, cpu: number): DriverRun<Outcome> {
  if (isAvailable(context)) {
    yield* updateMsr({ component: 'arch', cpu }, CONTROL, (value) => value & ~ENABLED);
    context.store.set(wanted(context), 0);
  }
  return { ret: 0, rule: 'Linux.kvm.stop' };
}

/** A CPU goes: another one is told instead, or nobody where there is none (hv_cpu_die). */
export function* moveReenlightenment(context: Context, cpu: number): DriverRun<void> {
  if (context.store.low(wanted(context)) === 0) return;
  const actor = { component: 'arch', cpu } as const;
  const value = yield* readMsr(actor, CONTROL);
  if (value >> TARGET_SHIFT !== BigInt(cpu)) return;
  const other = onlineCpus(context).find((online) => online !== cpu);
  const moved = (value & LOW_HALF) | (BigInt(other ?? 0) << TARGET_SHIFT);
  yield* writeMsr(actor, CONTROL, other === undefined ? value & ~ENABLED : moved);
}

/** After a sleep, during which nobody was left to tell (hv_resume). */
export function* tellAgain(context: Context, cpu: number): DriverRun<void> {
  if (context.store.low(wanted(context)) === 1) yield* tell({ component: 'arch', cpu });
}
