import { constantNumber } from '../../../abi/index.ts';
import { cellAt } from '../../../hypervisor/index.ts';
import type { DriverRun } from '../../../machine/child.ts';
import type { Context } from '../../../machine/context.ts';
import { MSHV_IRQFD } from '../../cells/eventfd.ts';
import type { Actor } from '../../kernel/access.ts';
import { hypercall, hypercallCode } from '../../kernel/hypercall.ts';
import { partitionOf } from '../objects.ts';
import { routeOf } from './route.ts';

const CLEAR_VIRTUAL_INTERRUPT = hypercallCode('CLEAR_VIRTUAL_INTERRUPT');
const EXTINT = constantNumber('HV_X64_INTERRUPT_TYPE_EXTINT');

/**
 * A guest has ended a level-triggered interrupt: eventfds that are resampled are signalled, the last given first; of an
 * EXTINT the hypervisor is told too. The driver takes the vector for the number of the line (Linux 7.2
 * drivers/hv/mshv_synic.c, mshv_intercept_isr; mshv_eventfd.c, mshv_notify_acked_gsi and mshv_irqfd_resampler_ack).
 */
export function* acknowledge(
  context: Context,
  actor: Actor,
  partition: bigint,
  vector: number,
): DriverRun<void> {
  const { store } = context;
  const id = partitionOf(context, partition);
  if (id === undefined) return;
  const { gsi, resample, resampleFd } = MSHV_IRQFD.slots;
  for (const irqfd of [...store.children(id, MSHV_IRQFD)].reverse()) {
    if (store.low(cellAt(irqfd, resample)) === 0 || store.number(cellAt(irqfd, gsi)) !== vector) continue;
    if (routeOf(context, id, vector)?.type === EXTINT) {
      const input = new Uint8Array(8);
      new DataView(input.buffer).setBigUint64(0, partition, true);
      yield* hypercall(actor, CLEAR_VIRTUAL_INTERRUPT, input, { fast: true });
    }
    const handle = { kind: 'eventfd', fd: store.number(cellAt(irqfd, resampleFd)) } as const;
    yield { kind: 'fd', what: 'eventfd-signal', ...actor, handle, value: 1n };
  }
}
