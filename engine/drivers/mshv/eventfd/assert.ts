import { constantNumber, fieldOf, writeField } from '../../../abi/index.ts';
import { cellAt, injectVector, VP, vpOfRef } from '../../../hypervisor/index.ts';
import type { DriverRun } from '../../../machine/child.ts';
import type { Context } from '../../../machine/context.ts';
import type { ObjectId } from '../../../state/store.ts';
import { MSHV_VP, SCHEDULER_WAITS } from '../../cells/driver.ts';
import type { Actor } from '../../kernel/access.ts';
import { hypercall, hypercallCode } from '../../kernel/hypercall.ts';
import { remark } from '../../kernel/step.ts';
import { vpOf } from '../objects.ts';
import { hasRootScheduler } from '../scheduler.ts';
import { type Route, routeOf } from './route.ts';

const ASSERT_VIRTUAL_INTERRUPT = hypercallCode('ASSERT_VIRTUAL_INTERRUPT');
const ASSERT = {
  bytes: 32,
  id: fieldOf('hv_input_assert_virtual_interrupt', 'partition_id'),
  type: fieldOf('hv_input_assert_virtual_interrupt', 'control.interrupt_type'),
  level: fieldOf('hv_input_assert_virtual_interrupt', 'control.level_triggered'),
  logical: fieldOf('hv_input_assert_virtual_interrupt', 'control.logical_dest_mode'),
  destination: fieldOf('hv_input_assert_virtual_interrupt', 'dest_addr'),
  vector: fieldOf('hv_input_assert_virtual_interrupt', 'vector'),
};
const FEATURES_LEAF = constantNumber('HYPERV_CPUID_FEATURES');
/** Of the leaf's ECX (Linux 7.2 include/hyperv/hvgdk.h). */
const FAST_INJECTION = constantNumber('HV_VP_DISPATCH_INTERRUPT_INJECTION_AVAILABLE');

/** mshv_assert_irq_slow: a route that is not there is nothing, but for line 0. */
export function* assertSlowly(
  context: Context,
  actor: Actor,
  partition: ObjectId,
  gsi: number,
): DriverRun<void> {
  const route = routeOf(context, partition, gsi);
  if (route === undefined && gsi !== 0) return;
  const input = new Uint8Array(ASSERT.bytes);
  const { vector = 0, type = 0, level = 0, destination = 0, logical = 0 } = route ?? {};
  writeField(input, ASSERT.id, BigInt(context.store.key(partition)));
  writeField(input, ASSERT.type, type);
  writeField(input, ASSERT.level, level);
  writeField(input, ASSERT.logical, logical);
  writeField(input, ASSERT.destination, destination);
  writeField(input, ASSERT.vector, vector);
  yield* hypercall(actor, ASSERT_VIRTUAL_INTERRUPT, input);
}

/** What the fast path came to: the vector is on the page, the slow one is gone too, or the kernel has fallen. */
type Fast = 'taken' | 'slow' | 'fallen';

/**
 * mshv_try_assert_irq_fast: the vector goes onto the register page of the VP, which takes it with its next dispatch. It does
 * not where the hypervisor cannot, another scheduler runs, the destination is logical, the VP has no page, or the page is
 * full; and where the VP is being dispatched right now the vector is on the page and asserted all the same.
 */
function assertFast(context: Context, partition: ObjectId, route: Route | undefined): Fast {
  const { store, profile } = context;
  const features = profile.cpuid.get(FEATURES_LEAF)?.ecx ?? 0;
  if ((features & FAST_INJECTION) === 0 || !hasRootScheduler(context)) return 'slow';
  const { vector = 0, destination = 0, logical = 0 } = route ?? {};
  if (logical !== 0) return 'slow';
  const id = BigInt(store.key(partition));
  const own = vpOf(context, id, destination);
  // The driver follows the pointer to a VP that is not there (quirk `fast-injection-missing-vp`).
  if (own === undefined) return profile.quirks['fast-injection-missing-vp'] ? 'fallen' : 'slow';
  const guest = vpOfRef(context, { partition: id, vp: destination });
  if (guest === undefined || store.number(cellAt(guest, VP.slots.page.registers)) === 0) return 'slow';
  if (!injectVector(context, guest, vector)) return 'slow';
  const waits = SCHEDULER_WAITS[store.low(cellAt(own, MSHV_VP.slots.scheduler.waits))];
  return waits === 'guest' ? 'slow' : 'taken';
}

/** A line has been signalled. */
export function* assertLine(
  context: Context,
  actor: Actor,
  partition: ObjectId,
  gsi: number,
): DriverRun<void> {
  const fast = assertFast(context, partition, routeOf(context, partition, gsi));
  if (fast === 'slow') yield* assertSlowly(context, actor, partition, gsi);
  else if (fast === 'fallen') {
    yield remark('mshv', actor.cpu, `line ${gsi} goes to a VP that is not there: Linux would stop here`);
  }
}
