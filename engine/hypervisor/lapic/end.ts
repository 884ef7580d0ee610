import { fieldOf, messageTypes, writeField } from '../../abi/index.ts';
import type { Emitted } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import { messageOf } from '../intercept/message.ts';
import { messageToParent } from '../intercept/stop.ts';
import { queueOf, rescan } from '../synic/deliver.ts';
import { PLAIN_FILE, VP_FILE } from '../synic/file.ts';
import { endInterrupt } from '../vp/request.ts';

const APIC_EOI = messageTypes.number('HVMSG_X64_APIC_EOI');
const EOI = {
  bytes: 8,
  index: fieldOf('hv_x64_apic_eoi_message', 'vp_index'),
  vector: fieldOf('hv_x64_apic_eoi_message', 'interrupt_vector'),
};

/**
 * Messages that wait for a slot that was freed without an EOM: an end of interrupt lets them in too (TLFS, message queues).
 */
export function letIn(context: Context, owner: ObjectId, isGuest: boolean): readonly Emitted[] {
  const file = isGuest ? VP_FILE : PLAIN_FILE;
  return context.store.children(owner, queueOf(file)).length === 0 ? [] : rescan(context, owner, file);
}

/**
 * A guest ends the highest interrupt in service. The end of a level-triggered one is told to the parent, which may raise it
 * again (Linux 7.2 drivers/hv/mshv_synic.c, HVMSG_X64_APIC_EOI).
 */
export function endOfInterrupt(
  context: Context,
  vp: ObjectId,
  cpu: number | undefined,
): { readonly level: boolean; readonly emitted: readonly Emitted[] } {
  const ended = endInterrupt(context, vp);
  const waiting = letIn(context, vp, true);
  if (ended?.level !== true) return { level: false, emitted: waiting };
  const { store } = context;
  const payload = new Uint8Array(EOI.bytes);
  writeField(payload, EOI.index, Number(store.key(vp)));
  writeField(payload, EOI.vector, ended.vector);
  const sender = BigInt(store.key(store.parent(vp)));
  const told = messageToParent(context, cpu, messageOf(APIC_EOI, sender, payload));
  return { level: true, emitted: [...waiting, ...told] };
}
