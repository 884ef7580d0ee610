import { readPlain, row, writePlain, writeShared } from './plain.ts';
import { type AccessRule, answered, leaveUnmodelled, type MsrRow, refuse } from './row.ts';

const READ_ONLY = 'TLFS.msr.read-only';

/** The APIC is not modelled: an end of interrupt is taken, nothing follows. Reading it is refused as KVM does. */
const acceptEoi: AccessRule = (_context, _cpu, access) => answered(access.value ?? 0n, 'TLFS.apic.eoi');

/** Registers that are a value and nothing else, or whose value only the real hypervisor knows (TLFS, MSR list). */
export const OTHER_ROWS: readonly MsrRow[] = [
  row('VP_INDEX', readPlain, refuse(READ_ONLY)),
  row('RESET', leaveUnmodelled, leaveUnmodelled),
  row('VP_RUNTIME', leaveUnmodelled, refuse(READ_ONLY)),
  row('TIME_REF_COUNT', leaveUnmodelled, refuse(READ_ONLY)),
  row('TSC_FREQUENCY', leaveUnmodelled, refuse(READ_ONLY)),
  row('APIC_FREQUENCY', leaveUnmodelled, refuse(READ_ONLY)),
  row('EOI', refuse('KVM.apic.eoi-write-only'), acceptEoi),
  row('ICR', leaveUnmodelled, leaveUnmodelled),
  row('TPR', leaveUnmodelled, leaveUnmodelled),
  row('GUEST_IDLE', leaveUnmodelled, refuse(READ_ONLY)),
  row('SYNDBG_CONTROL', leaveUnmodelled, leaveUnmodelled),
  row('SYNDBG_STATUS', leaveUnmodelled, leaveUnmodelled),
  row('SYNDBG_SEND_BUFFER', leaveUnmodelled, leaveUnmodelled),
  row('SYNDBG_RECV_BUFFER', leaveUnmodelled, leaveUnmodelled),
  row('SYNDBG_PENDING_BUFFER', leaveUnmodelled, leaveUnmodelled),
  row('SYNDBG_OPTIONS', leaveUnmodelled, leaveUnmodelled),
  row('CRASH_P0', readPlain, writeShared),
  row('CRASH_P1', readPlain, writeShared),
  row('CRASH_P2', readPlain, writeShared),
  row('CRASH_P3', readPlain, writeShared),
  row('CRASH_P4', readPlain, writeShared),
  // Reading it tells what the host supports of crash notification: not known.
  row('CRASH_CTL', leaveUnmodelled, writeShared),
  row('REENLIGHTENMENT_CONTROL', readPlain, writeShared),
  row('TSC_EMULATION_CONTROL', readPlain, writeShared),
  row('TSC_EMULATION_STATUS', readPlain, writeShared),
  row('TSC_INVARIANT_CONTROL', readPlain, writePlain),
];
