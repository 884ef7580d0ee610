import { fieldOf, messageTypes, writeField } from '../../abi/index.ts';
import type { Emitted } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import { cellAt } from '../cells/place.ts';
import { VP } from '../cells/vp.ts';
import { messageOf } from '../intercept/message.ts';
import { messageToParent } from '../intercept/stop.ts';
import { queueOf, rescan } from '../synic/deliver.ts';
import { PLAIN_FILE, VP_FILE } from '../synic/file.ts';
import { interruptTargets } from '../vp/interrupt.ts';
import { endInterrupt, requestInterrupt } from '../vp/request.ts';
import { row } from './plain.ts';
import { type AccessRule, answered, faulted, leaveUnmodelled, type MsrRow, refuse } from './row.ts';

const APIC_EOI = messageTypes.number('HVMSG_X64_APIC_EOI');
const EOI = {
  bytes: 8,
  index: fieldOf('hv_x64_apic_eoi_message', 'vp_index'),
  vector: fieldOf('hv_x64_apic_eoi_message', 'interrupt_vector'),
};
const TPR_RULE = 'TLFS.apic.tpr';
const MAX_PRIORITY = 0xffn;
/** CR8 is the class of the task priority, its upper four bits (Intel SDM 3, 12.8.6.1). */
const CLASS_SHIFT = 4n;

/** Fields of the interrupt command register (Intel SDM 3, 12.6.1). */
const VECTOR_MASK = 0xffn;
const MODE_SHIFT = 8n;
const MODE_MASK = 7n;
const FIXED = 0n;
const LOGICAL = 1n << 11n;
const SHORTHAND_SHIFT = 18n;
const DESTINATION_SHIFT = 56n;
const SELF = 1n;
const OTHERS = 3n;
const BROADCAST = 0xffn;
const FIRST_VECTOR = 16n;

/**
 * Messages that wait for a slot that was freed without an EOM: an end of interrupt lets them in too (TLFS, message queues).
 */
function letIn(context: Context, owner: ObjectId, isGuest: boolean): readonly Emitted[] {
  const file = isGuest ? VP_FILE : PLAIN_FILE;
  return context.store.children(owner, queueOf(file)).length === 0 ? [] : rescan(context, owner, file);
}

/**
 * End of interrupt. That of a level-triggered one is told to the parent, which may raise it again (Linux 7.2
 * drivers/hv/mshv_synic.c, HVMSG_X64_APIC_EOI). The APICs of the own partition are not modelled: nothing follows there.
 */
const writeEoi: AccessRule = (context, owner, access) => {
  const answer = answered(access.value ?? 0n, 'TLFS.apic.eoi');
  const ended = access.vp === undefined ? undefined : endInterrupt(context, owner);
  const waiting = letIn(context, owner, access.vp !== undefined);
  if (ended?.level !== true) return waiting.length === 0 ? answer : { ...answer, emitted: waiting };
  const { store } = context;
  const payload = new Uint8Array(EOI.bytes);
  writeField(payload, EOI.index, Number(store.key(owner)));
  writeField(payload, EOI.vector, ended.vector);
  const sender = BigInt(store.key(store.parent(owner)));
  const emitted = messageToParent(context, access.cpu, messageOf(APIC_EOI, sender, payload));
  return { ...answer, rule: 'TLFS2013.apic.eoi-message', emitted: [...waiting, ...emitted] };
};

const readTpr: AccessRule = (context, owner, access) => {
  if (access.vp === undefined) return leaveUnmodelled(context, owner, access);
  return answered(context.store.get(cellAt(owner, VP.slots.reg.cr8)) << CLASS_SHIFT, TPR_RULE);
};

/** Task priority; of its lower four bits nothing hangs, and they are not kept (Linux 7.2 arch/x86/kvm/lapic.c: 8 bits). */
const writeTpr: AccessRule = (context, owner, access) => {
  if (access.vp === undefined) return leaveUnmodelled(context, owner, access);
  const value = access.value ?? 0n;
  if (value > MAX_PRIORITY) return faulted(TPR_RULE);
  context.store.set(cellAt(owner, VP.slots.reg.cr8), value >> CLASS_SHIFT);
  return answered(value, TPR_RULE);
};

/**
 * Interrupt command: fixed interrupts go to the VPs of the destination. Other modes (NMI, INIT, SIPI) are taken, and what
 * they do is for whoever runs the VPs.
 */
const writeIcr: AccessRule = (context, owner, access) => {
  if (access.vp === undefined) return leaveUnmodelled(context, owner, access);
  const { store } = context;
  const value = access.value ?? 0n;
  const vector = value & VECTOR_MASK;
  const answer = answered(value, 'TLFS.apic.icr');
  if (((value >> MODE_SHIFT) & MODE_MASK) !== FIXED || vector < FIRST_VECTOR) return answer;
  const shorthand = (value >> SHORTHAND_SHIFT) & 3n;
  const named = shorthand === 0n ? value >> DESTINATION_SHIFT : BROADCAST;
  const reached = interruptTargets(context, store.parent(owner), named, (value & LOGICAL) !== 0n);
  const targets = shorthand === SELF ? [owner] : reached;
  for (const vp of targets) {
    if (shorthand === OTHERS && vp === owner) continue;
    requestInterrupt(context, vp, Number(vector));
  }
  return answer;
};

/** Enlightened access to the APIC (TLFS, virtual interrupt control). Reading EOI is refused as KVM does. */
export const APIC_ROWS: readonly MsrRow[] = [
  row('EOI', refuse('KVM.apic.eoi-write-only'), writeEoi),
  row('ICR', leaveUnmodelled, writeIcr),
  row('TPR', readTpr, writeTpr),
];
