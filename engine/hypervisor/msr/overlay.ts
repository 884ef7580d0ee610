import { msrs } from '../../abi/index.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import { guarded, isVp, msrCell, readPlain, row, setOnAllCpus, writePlain, writeShared } from './plain.ts';
import { type Access, type AccessRule, answered, faulted, type MsrRow, refusedUnknown } from './row.ts';

const ENABLE = 1n;
const LOCKED = 2n;
/** Bits 2..11 of HYPERCALL, 1..11 of the other page registers. */
const HYPERCALL_RESERVED = 0xffcn;
const PAGE_RESERVED = 0xffen;
const BASE_SHIFT = 12n;

const GUEST_OS_ID = msrs.number('GUEST_OS_ID');
const HYPERCALL = msrs.number('HYPERCALL');

/** A guest without an identity has no hypercall page (TLFS, establishing the hypercall interface). */
const writeGuestOsId: AccessRule = (context, cpu, access) => {
  const value = access.value ?? 0n;
  setOnAllCpus(context, cpu, GUEST_OS_ID, value);
  if (value === 0n) {
    const page = context.store.get(msrCell(context, cpu, HYPERCALL));
    if ((page & ENABLE) !== 0n) setOnAllCpus(context, cpu, HYPERCALL, page & ~ENABLE);
  }
  return answered(value, 'TLFS.hypercall-page.guest-os-id');
};

/**
 * The hypercall page: once locked it cannot change, reserved bits cannot either (OpenVMM hv1_emulator); without
 * GUEST_OS_ID the enable bit does not stay (TLFS, HV_X64_MSR_HYPERCALL).
 */
const writeHypercall: AccessRule = (context, cpu, access) => {
  const was = context.store.get(msrCell(context, cpu, HYPERCALL));
  const asked = access.value ?? 0n;
  if ((was & LOCKED) !== 0n) return faulted('OpenVMM.hypercall-page.locked');
  if (((was ^ asked) & HYPERCALL_RESERVED) !== 0n) return faulted('OpenVMM.hypercall-page.reserved');
  const identity = msrCell(context, cpu, GUEST_OS_ID);
  const dropped = context.store.known(identity) && context.store.get(identity) === 0n;
  const value = dropped ? asked & ~ENABLE : asked;
  setOnAllCpus(context, cpu, HYPERCALL, value);
  return answered(
    value,
    dropped && value !== asked ? 'TLFS.hypercall-page.no-guest-os-id' : 'TLFS.hypercall-page',
  );
};

function reservedBits(_context: Context, _cpu: ObjectId, access: Access): boolean {
  return ((access.value ?? 0n) & PAGE_RESERVED) !== 0n;
}

/**
 * A root partition cannot move the assist page that the hypervisor gave it: #GP (Linux commit e5d9b714fe40,
 * "x86/hyperv: fix root partition faults when writing to VP assist page MSR").
 */
function moves(context: Context, cpu: ObjectId, access: Access): boolean {
  if (isVp(context, cpu)) return false;
  const { role } = context.profile;
  const cell = msrCell(context, cpu, access.msr);
  if (role !== 'root' && role !== 'nested-root') return false;
  if (!context.store.known(cell)) return refusedUnknown(context, access);
  return (access.value ?? 0n) >> BASE_SHIFT !== context.store.get(cell) >> BASE_SHIFT;
}

/** Registers that place a page over the partition's memory, and the identity that the hypercall page hangs on. */
export const OVERLAY_ROWS: readonly MsrRow[] = [
  row('GUEST_OS_ID', readPlain, writeGuestOsId),
  row('HYPERCALL', readPlain, writeHypercall),
  row('REFERENCE_TSC', readPlain, guarded('OpenVMM.reference-tsc.reserved', reservedBits, writeShared)),
  row(
    'VP_ASSIST_PAGE',
    readPlain,
    guarded(
      'OpenVMM.vp-assist.reserved',
      reservedBits,
      guarded('Linux.vp-assist.root-page-moved', moves, writePlain),
    ),
  ),
];
