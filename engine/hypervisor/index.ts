import type { HypervisorSide } from '../machine/sides.ts';
import { answerHypercall } from './call/dispatch.ts';
import { initialise } from './initialise.ts';
import { answerIntercept } from './intercept/stop.ts';
import { notePage } from './memory/note-page.ts';
import { answerMsr } from './msr/dispatch.ts';
import { noteMessage } from './synic/note.ts';

export { hearsGuest } from './call/guest.ts';
export { inputBytes, outputBytes } from './call/size.ts';
export { CPU, CPU_MSR } from './cells/cpu.ts';
export { GPA } from './cells/gpa.ts';
export { FIRST_KERNEL_FRAME } from './cells/host.ts';
export { PARTITION, PARTITION_STATES, PROPERTY } from './cells/partition.ts';
export { cellAt, groupAt, knownOr } from './cells/place.ts';
export { BLOCKED, VP } from './cells/vp.ts';
export { MESSAGE_CONNECTION, MESSAGE_CONNECTION_V5 } from './host/vmbus.ts';
export { forgetMachine, OWN_PARTITION, resetPartition } from './initialise.ts';
export { installedIntercept } from './intercept/install.ts';
export { messageType, paddedMessage, readMessage } from './intercept/message.ts';
export { guestCpuid } from './intercept/results.ts';
export { hasIntercept, interceptMessage } from './intercept/stop.ts';
export { LAPIC_BYTES } from './lapic/state.ts';
export { apicMode, apicWindow } from './lapic/targets.ts';
export { type Overlay, overlayAt, overlaysOf, type PlacedOverlay } from './memory/overlay.ts';
export { type GpaRun, gpaRunOf } from './memory/runs.ts';
export { APIC_WINDOW } from './msr/apic.ts';
export { referenceOffset } from './partition/reference.ts';
export { doorbellAt, ringEvent, SINT_INTERCEPT, takeRing } from './port/doorbell.ts';
export { UNMODELLED } from './rule-ids.ts';
export { nextExpiry } from './synic/expire.ts';
export { fileOf } from './synic/file.ts';
export { ruleOfMessage } from './synic/note-rules.ts';
export { type Offered, offeredInterrupt, pendingInterruption } from './vp/accept.ts';
export { vpOfRef } from './vp/find.ts';

export { hasInjected, injectVector } from './vp/inject.ts';
export { isSettled, keepPageState, pageState } from './vp/page-state.ts';
export { isPageValid, registerPageOf } from './vp/register-page.ts';
export { signalledBy } from './vp/signalled.ts';
export { isWaitingForStart, mayRun } from './vp/suspend.ts';
export { tablesUnseen } from './vp/translate.ts';
export { registerOf, type Wide } from './vp/values.ts';

/** The hypervisor's side of a machine. It has no state of its own: one serves any number of machines. */
export function createHypervisor(): HypervisorSide {
  return {
    initialise,
    msr: answerMsr,
    hypercall: answerHypercall,
    intercept: answerIntercept,
    note(context, event) {
      if (event.kind === 'message') noteMessage(context, event);
    },
    page: notePage,
  };
}
export { hasFlags } from './synic/flags.ts';
