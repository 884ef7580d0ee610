import { channelMessage, constantNumber, fieldOf, writeField } from '../../abi/index.ts';
import { CPU, cellAt, fileOf, hasFlags } from '../../hypervisor/index.ts';
import type { DriverRun } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import { type ObjectId, TOP } from '../../state/store.ts';
import { VMBUS } from '../cells/driver.ts';
import { CHANNEL_STATES, VMBUS_CHANNEL } from '../cells/vmbus.ts';
import { failure } from '../kernel/errno.ts';
import { driverOf, onlineCpus } from '../kernel/objects.ts';
import { postMessage } from './channel.ts';
import { CONNECT_CPU, VMBUS_SINT } from './sint.ts';

const VERSION_4_1 = constantNumber('VERSION_WIN10_V4_1');
const VERSION_5_3 = constantNumber('VERSION_WIN10_V5_3');
const RELID = fieldOf('vmbus_channel_modifychannel', 'child_relid');
const TARGET = fieldOf('vmbus_channel_modifychannel', 'target_vp');

function versionOf(context: Context): number {
  return context.store.number(cellAt(driverOf(context, VMBUS), VMBUS.slots.version));
}

/**
 * What must be so before the SynIC of a CPU is given up while VMBus is connected (Linux 7.2 drivers/hv/hv.c,
 * hv_synic_cleanup): it is not the CPU that talks to the host, its channels have gone elsewhere, no event flag waits.
 */
export function* vacate(context: Context, cpu: number): DriverRun<number> {
  if (cpu === CONNECT_CPU) return failure('EBUSY');
  const { store } = context;
  for (const id of store.children(driverOf(context, VMBUS), VMBUS_CHANNEL)) {
    const target = cellAt(id, VMBUS_CHANNEL.slots.targetVp);
    if (!store.known(target) || store.number(target) !== cpu) continue;
    const ret = yield* moveChannel(context, id, cpu);
    if (ret !== 0) return ret;
  }
  // Three looks, 10 to 20 ms apart, are one here: who clears a flag meanwhile is in the record, or nobody is.
  return versionOf(context) >= VERSION_4_1 && eventWaits(context, cpu) ? failure('EBUSY') : 0;
}

/**
 * Protocols before 5.3 do not say when a channel has moved, and the kernel of 2020 moved none: EBUSY. Of a channel that
 * is not open the host would ignore the message (channel.c, vmbus_channel_set_cpu).
 */
function* moveChannel(context: Context, id: ObjectId, cpu: number): DriverRun<number> {
  const { store } = context;
  if (context.profile.kernel === 'rfc2020' || versionOf(context) < VERSION_5_3) return failure('EBUSY');
  const state = CHANNEL_STATES[store.low(cellAt(id, VMBUS_CHANNEL.slots.state))];
  if (state === 'offered' || state === 'unseen') return 0;
  if (state !== 'open') return failure('EIO');
  const payload = channelMessage('MODIFYCHANNEL');
  writeField(payload, RELID, Number(store.key(id)));
  writeField(payload, TARGET, newCpu(context, cpu));
  const bound = [TARGET.offset, TARGET.offset + TARGET.size] as const;
  return (yield* postMessage(context, CONNECT_CPU, payload, bound, 'chosen-cpu')) ? 0 : failure('EIO');
}

/** Linux begins to look at a random CPU; the one that talks to the host is the last choice (hv_pick_new_cpu). */
function newCpu(context: Context, leaving: number): number {
  return onlineCpus(context).find((cpu) => cpu !== leaving && cpu !== CONNECT_CPU) ?? CONNECT_CPU;
}

/** A flag of VMBus' SINT is set, other than that for messages. */
function eventWaits(context: Context, cpu: number): boolean {
  const owner = context.store.find(TOP, CPU, cpu);
  return owner !== undefined && hasFlags(context, owner, fileOf(context, VMBUS_SINT), VMBUS_SINT, 1);
}
