import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import { cellAt } from '../cells/place.ts';
import type { SynicFile } from '../synic/file.ts';
import { type Access, refusedUnknown } from './row.ts';

/** CPUID leaf with the partition's privileges, and its bit that gives access to the SynIC registers (TLFS, feature leaf). */
const FEATURES_LEAF = 0x4000_0003;
const ACCESS_SYNIC_REGS = 1 << 2;

/** Rules by which a profile's SynIC policy refuses an access; each names the choice that it stands for. */
export const STRICT_TRANSITION = 'choice.synic.strict-transition';
export const KVM_INACTIVE = 'KVM.synic.inactive';

/**
 * Whether the SynIC is active in KVM's sense: user space has switched it on for the virtual machine. A profile
 * says that it has not by a feature leaf without the privilege; without the leaf it has.
 */
function isActive(context: Context): boolean {
  const leaf = context.profile.cpuid.get(FEATURES_LEAF);
  return leaf === undefined || (leaf.eax & ACCESS_SYNIC_REGS) !== 0;
}

/** KVM raises #GP for every SynIC and timer access of a guest whose SynIC is not active (Linux 7.2 arch/x86/kvm/hyperv.c). */
export function refusesInactive(context: Context): boolean {
  return context.profile.synicPolicy === 'kvm-like' && !isActive(context);
}

/**
 * `strict-transition`: a SINT, SIMP or SIEFP write is refused while SCONTROL is off because another component
 * switched it off. (A blanket #GP while SCONTROL is off would refuse every boot, a CPU that comes online again
 * and the kernel after a kexec, all of which write the pages first: Linux 7.2 drivers/hv/hv.c.)
 */
export function refusesTransition(context: Context, cpu: ObjectId, file: SynicFile, access: Access): boolean {
  if (context.profile.synicPolicy !== 'strict-transition') return false;
  const { store } = context;
  const cell = cellAt(cpu, file.slots.disabledBy);
  if (!store.known(cell)) return refusedUnknown(context, access);
  const blob = store.number(cell);
  return blob !== 0 && textOf(store.blob(blob)) !== textOf(bytesOf(access.component ?? 'unknown'));
}

function textOf(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0) & 0xff);
}
