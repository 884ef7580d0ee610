import type { Context } from '../../machine/context.ts';
import type { PageEvent } from '../../trace/event.ts';
import { vpOfRef } from '../vp/find.ts';
import { noteSynicPage } from '../vp/page-state.ts';
import { REGISTER_PAGE_WRITTEN, writeToPage } from '../vp/register-page.ts';
import { showMemory } from './contents.ts';

/** The rule by which a `page` event changes what is known of a guest's memory. */
const MEMORY_SHOWN = 'choice.memory.shown';
/** Who writes to a register page what the VP has already: the hypervisor, and the driver its vectors. */
const HYPERVISORS: ReadonlySet<string> = new Set(['hypervisor', 'mshv']);

/** By this event a parent changes what stands on the register page of a VP. */
function writesRegisters({ page, what, component = 'vmm' }: PageEvent): boolean {
  return page === 'register' && what === 'write' && !HYPERVISORS.has(component);
}

/**
 * The rule by which a page event changes the machine: it shows a guest's memory, or a page that the SynIC of its VP lays over
 * it, or a parent writes to the register page of a VP.
 */
export function ruleOfPage(event: PageEvent): string | undefined {
  const { page, what, vp } = event;
  if (vp === undefined) return undefined;
  if (writesRegisters(event)) return REGISTER_PAGE_WRITTEN;
  return (page === 'ram' && what === 'snapshot') || page === 'simp' || page === 'siefp'
    ? MEMORY_SHOWN
    : undefined;
}

/**
 * Takes over what a `page` event shows of a guest's memory (`ram`, of the partition of its VP, from its address on), which
 * counts until a VP of the partition may have run, or something else is mapped there; or of the message and event flag page of a VP.
 * What is written to the register page of a VP waits there for it; what is written to memory (`write`) is for those who execute a recording again.
 */
export function notePage(context: Context, event: PageEvent): void {
  const { vp: ref, gpa, bytes = [], page, what, t } = event;
  const vp = ref === undefined ? undefined : vpOfRef(context, ref);
  if (vp === undefined) return;
  if (writesRegisters(event)) writeToPage(context, vp, bytes);
  if (page === 'simp' || page === 'siefp') noteSynicPage(context, vp, page, bytes, t);
  if (page !== 'ram' || what !== 'snapshot' || gpa === undefined) return;
  const partition = context.store.parent(vp);
  for (const { offset, bytes: part } of bytes) showMemory(context, partition, gpa + BigInt(offset), part);
}
