import { msrs } from '../../../engine/abi/index.ts';
import { APIC_WINDOW, type Overlay } from '../../../engine/hypervisor/index.ts';
import { EXECUTE, OVERLAY, READ, WRITE } from './processor-memory.ts';

/** What a guest may do with a page of the hypervisor: those that it does not write raise #GP. */
export const OVERLAY_PERMISSIONS: Readonly<Record<Overlay, number>> = {
  HYPERCALL: READ | EXECUTE | OVERLAY,
  REFERENCE_TSC: READ | OVERLAY,
  VP_ASSIST_PAGE: READ | WRITE,
  SIEFP: READ | WRITE,
  SIMP: READ | WRITE,
};

/** Registers of a guest that may place such a page, or take it away. */
export const OVERLAY_MSRS: ReadonlySet<number> = new Set(
  ['HYPERCALL', 'GUEST_OS_ID', 'REFERENCE_TSC', 'SIMP', 'SIEFP', 'VP_ASSIST_PAGE'].map((name) =>
    msrs.number(name),
  ),
);

/** Whether the whole partition has only one such page. */
export function isOfPartition(name: Overlay): boolean {
  return name === 'HYPERCALL' || name === 'REFERENCE_TSC';
}

/** vmcall; ret (TLFS, establishing the hypercall interface: the page's code is the hypervisor's). */
export const HYPERCALL_CODE: readonly number[] = [0x0f, 0x01, 0xc1, 0xc3];

/** An address in the window of the APIC is no MSR of its own. */
export function isApicWindow(msr: number): boolean {
  return msr >= APIC_WINDOW && msr < APIC_WINDOW + 0x1000;
}
