import { readPlain, row, writePlain, writeShared } from './plain.ts';
import { type AccessRule, answered, leaveUnmodelled, type MsrRow, refuse } from './row.ts';

const READ_ONLY = 'TLFS.msr.read-only';

/** What the host takes of a crash: that the guest tells of it at all (TLFS, HV_X64_MSR_CRASH_CTL, CrashNotify). */
const CRASH_NOTIFY = 1n << 63n;

/** Not what was written last: a read tells what the host supports of crash notification. */
const readCrashSupport: AccessRule = (context, _cpu, { value }) =>
  answered(context.bind('told', value, CRASH_NOTIFY), 'TLFS.crash.support');

/** Reads 0. A write of 1 resets the machine, which is a step of its life and stands in the trace as one. */
const RESET_RULE = 'TLFS.reset';
const readReset: AccessRule = () => answered(0n, RESET_RULE);
const writeReset: AccessRule = (_context, _cpu, { value = 0n }) => answered(value, RESET_RULE);

/** Registers that are a value and nothing else, or of which nothing is public (TLFS, MSR list). */
export const OTHER_ROWS: readonly MsrRow[] = [
  row('VP_INDEX', readPlain, refuse(READ_ONLY)),
  row('RESET', readReset, writeReset),
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
  row('CRASH_CTL', readCrashSupport, writeShared),
  row('REENLIGHTENMENT_CONTROL', readPlain, writeShared),
  row('TSC_EMULATION_CONTROL', readPlain, writeShared),
  row('TSC_EMULATION_STATUS', readPlain, writeShared),
  row('TSC_INVARIANT_CONTROL', readPlain, writePlain),
];
