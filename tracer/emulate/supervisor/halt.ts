import { constantNumber } from '../../../engine/abi/index.ts';
import { cellAt, PARTITION } from '../../../engine/hypervisor/index.ts';
import type { Machine } from '../../../engine/machine/machine.ts';
import { keyOf, TOP } from '../../../engine/state/store.ts';

const LAPIC = constantNumber('HV_PARTITION_CREATION_FLAG_LAPIC_ENABLED');

/**
 * Whether a guest's HLT ends in the hypervisor: where it has the interrupt controller, only it knows what wakes the VP,
 * and the VMM hears nothing. Otherwise HVMSG_X64_HALT tells the VMM. The profile's `hltExits` may say something else.
 */
export function idlesOnHalt({ store, profile }: Machine, partition: bigint): boolean {
  if (profile.hltExits !== 'without-lapic') return profile.hltExits === 'never';
  const id = store.find(TOP, PARTITION, keyOf(partition));
  return id !== undefined && (store.number(cellAt(id, PARTITION.slots.flags)) & LAPIC) !== 0;
}
