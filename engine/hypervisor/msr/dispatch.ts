import { constantNumber, msrs } from '../../abi/index.ts';
import type { MsrAnswer } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import type { VpRef } from '../../trace/handle.ts';
import { CPU } from '../cells/cpu.ts';
import { PROPERTY } from '../cells/partition.ts';
import { cellAt } from '../cells/place.ts';
import { VP } from '../cells/vp.ts';
import { msrAction } from '../intercept/results.ts';
import { APIC } from '../lapic/registers.ts';
import { timeOf } from '../partition/reference.ts';
import { cpuOf } from '../synic/deliver.ts';
import { expireTimers } from '../synic/expire.ts';
import { VP_FILE } from '../synic/file.ts';
import { vpOfRef } from '../vp/find.ts';
import { withSignals } from '../vp/signal.ts';
import { APIC_ROWS, APIC_WINDOW, answerApic } from './apic.ts';
import { CLOCK_ROWS } from './clock.ts';
import { OTHER_ROWS } from './other.ts';
import { OVERLAY_ROWS } from './overlay.ts';
import { type Access, answered, faulted, type MsrRow, unmodelled } from './row.ts';
import { fileRows, SYNIC_ROWS } from './synic.ts';
import { TIMER_ROWS, timerRows } from './timer.ts';

/** Synthetic MSRs lie here; those of the nested register file 0x1000 further (TLFS; Linux 7.2 include/hyperv). */
const BASE = 0x4000_0000;
const SYNTHETIC_END = 0x4000_0200;
const NESTED_OFFSET = 0x1000;
const SCONTROL = msrs.number('SCONTROL');
const LAST_SINT = msrs.number('SINT0') + 15;

/** Every register that the hypervisor answers. */
export const MSR_ROWS: readonly MsrRow[] = [
  ...OVERLAY_ROWS,
  ...CLOCK_ROWS,
  ...APIC_ROWS,
  ...OTHER_ROWS,
  ...SYNIC_ROWS,
  ...TIMER_ROWS,
];

const BY_OFFSET: readonly (MsrRow | undefined)[] = (() => {
  const rows = new Array<MsrRow | undefined>(0x2000).fill(undefined);
  for (const row of MSR_ROWS) {
    if (rows[row.msr - BASE] !== undefined) throw new Error(`two rows for MSR 0x${row.msr.toString(16)}`);
    rows[row.msr - BASE] = row;
  }
  return rows;
})();

/** What a guest finds: no event ring, which only parents have, and no second register file. */
const GUEST_MSR_ROWS: readonly MsrRow[] = [
  ...OVERLAY_ROWS,
  ...CLOCK_ROWS,
  ...APIC_ROWS,
  ...OTHER_ROWS,
  ...fileRows(VP_FILE, ''),
  ...timerRows(VP.slots.synic.timer),
];
const GUEST_BY_ADDRESS: ReadonlyMap<number, MsrRow> = new Map(GUEST_MSR_ROWS.map((row) => [row.msr, row]));

const UNKNOWN_SYNTHETIC = faulted('TLFS.msr.unknown-synthetic');

/** Answers an access: an unknown synthetic register raises #GP, anything outside that range is not modelled. */
export function answerMsr(context: Context, access: Access): MsrAnswer {
  if (access.vp !== undefined) return answerGuest(context, access, access.vp);
  const cpu = cpuOf(context, access.cpu);
  if (cpu === undefined) return unmodelled(access);
  const online = cellAt(cpu, CPU.slots.online);
  if (!context.store.known(online)) context.store.set(online, 1);
  const row = BY_OFFSET[addressOf(access) - BASE];
  if (row !== undefined) return (access.dir === 'read' ? row.read : row.write)(context, cpu, access);
  return access.msr >= BASE && access.msr < SYNTHETIC_END ? UNKNOWN_SYNTHETIC : unmodelled(access);
}

/** What a parent wants of accesses to MSRs that are not there (rust-vmm/mshv, hv-headers). */
const UNIMPLEMENTED_ACTION = constantNumber('HV_PARTITION_PROPERTY_UNIMPLEMENTED_MSR_ACTION');
const IGNORE = constantNumber('HV_UNIMPLEMENTED_MSR_ACTION_IGNORE_WRITE_READ_ZERO');
const REGISTERED = 'HDR.intercept-result.msr';

function ignoresUnknown({ store }: Context, vp: ObjectId): boolean {
  const property = store.find(store.parent(vp), PROPERTY, UNIMPLEMENTED_ACTION);
  return property !== undefined && store.number(cellAt(property, PROPERTY.slots.value)) === IGNORE;
}

/** A write to these lets waiting messages in; timers that have expired come with the next event. */
const LETS_IN: ReadonlySet<number> = new Set([
  ...['SCONTROL', 'SIMP', 'EOM', 'EOI'].map((name) => msrs.number(name)),
  ...[0x80b, APIC_WINDOW + APIC.eoi],
]);

/** An access of a guest: timers that have expired since its last one did so before it. */
function answerGuest(context: Context, access: Access, ref: VpRef): MsrAnswer {
  const vp = vpOfRef(context, ref);
  if (vp === undefined) return unmodelled(access);
  const waits = access.dir === 'write' && LETS_IN.has(access.msr);
  const expired = waits ? [] : expireTimers(context, vp, timeOf(access));
  const answer = guestAnswer(context, access, vp);
  const whole =
    expired.length === 0 ? answer : { ...answer, emitted: [...expired, ...(answer.emitted ?? [])] };
  // What it does to other VPs may be what they wait for.
  return withSignals(context, access.cpu, whole);
}

/** By the same rules as for a CPU, on the registers of the VP. */
function guestAnswer(context: Context, access: Access, vp: ObjectId): MsrAnswer {
  const row = GUEST_BY_ADDRESS.get(access.msr);
  if (row !== undefined) return (access.dir === 'read' ? row.read : row.write)(context, vp, access);
  const isSynthetic = access.msr >= BASE && access.msr < SYNTHETIC_END;
  const apic = isSynthetic ? undefined : answerApic(context, vp, access);
  if (apic !== undefined) return apic;
  const value = access.dir === 'read' ? 0n : (access.value ?? 0n);
  const action = msrAction(context, vp, access.msr, access.dir);
  if (action !== undefined) return action === IGNORE ? answered(value, REGISTERED) : faulted(REGISTERED);
  if (!isSynthetic) return unmodelled(access);
  if (!ignoresUnknown(context, vp)) return UNKNOWN_SYNTHETIC;
  return answered(value, 'HDR.property.unimplemented-msr');
}

/** An event may name the nested register file by the alias or by a flag beside the plain address. */
function addressOf(access: Access): number {
  const { msr } = access;
  return access.nested === true && msr >= SCONTROL && msr <= LAST_SINT ? msr + NESTED_OFFSET : msr;
}
