import type { Context } from '../../machine/context.ts';
import { CPU, type SynicSlots } from '../cells/cpu.ts';
import { VP } from '../cells/vp.ts';

/** A register file: on a CPU that of the hypervisor below and that of a nested one, on a VP its only one. */
export interface SynicFile {
  readonly nested: boolean;
  readonly slots: SynicSlots;
}

export const PLAIN_FILE: SynicFile = { nested: false, slots: CPU.slots.synic };
/** That of a VP of a child partition. */
export const VP_FILE: SynicFile = { nested: false, slots: VP.slots.synic };
export const NESTED_FILE: SynicFile = { nested: true, slots: CPU.slots.nested.synic };

/** SINT of VMBus (Linux 7.2 include/linux/hyperv.h: VMBUS_MESSAGE_SINT). */
export const VMBUS_SINT = 2;

/**
 * The register file that a message for a SINT goes to. A message event does not say; on a nested root it is
 * VMBus alone that uses the nested file, and VMBus has SINT2 (Linux 7.2 drivers/hv/hv.c, mshv_synic.c).
 */
export function fileOf(context: Context, sint: number): SynicFile {
  return context.profile.role === 'nested-root' && sint === VMBUS_SINT ? NESTED_FILE : PLAIN_FILE;
}
