import { cellAt, knownOr } from '../../hypervisor/index.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import type { Profile } from '../../trace/profile.ts';
import { MSHV } from '../cells/driver.ts';
import { VTL, VTL_HVCALL } from '../cells/vtl.ts';
import { driverOf, driverState } from '../kernel/objects.ts';

/** Files of the driver besides the device. */
export type VtlFileKind = 'vtl' | 'sint' | 'hvcall' | 'vtl-low';

/** An open one, numbered from 1. */
export interface VtlFile {
  readonly kind: VtlFileKind;
  readonly open: number;
}

const OPENS = {
  vtl: VTL.slots.vtls,
  sint: VTL.slots.sints,
  hvcall: VTL.slots.hvcalls,
  'vtl-low': VTL.slots.lows,
} as const;

/** The devices beside /dev/mshv (Linux 7.2 drivers/hv/mshv_vtl_main.c, mshv_vtl_init). */
export const VTL_DEVICES: ReadonlyMap<string, VtlFileKind> = new Map([
  ['/dev/mshv_sint', 'sint'],
  ['/dev/mshv_hvcall', 'hvcall'],
  ['/dev/mshv_vtl_low', 'vtl-low'],
]);

export function isVtlFileKind(kind: string): kind is VtlFileKind {
  return Object.hasOwn(OPENS, kind);
}

/** Whether the kernel has these devices; undefined where it is not known. */
export function hasVtlDevices({ kernel }: Profile): boolean | undefined {
  return kernel === 'unknown' ? undefined : kernel === 'vtl';
}

/** The driver's own object. It is made when it is first needed, so that other kernels have none. */
export function vtlOf(context: Context): ObjectId {
  const { store, profile } = context;
  const mshv = driverOf(context, MSHV);
  const isSeen = profile.initial === 'reset' || driverState(context, MSHV) !== 'unseen';
  const own = store.find(mshv, VTL, 0);
  return own ?? (isSeen ? store.create(mshv, VTL, 0) : store.createUnknown(mshv, VTL, 0));
}

/** One more is open: its number. */
export function openVtlFile(context: Context, kind: VtlFileKind): number {
  const { store } = context;
  const vtl = vtlOf(context);
  const opens = cellAt(vtl, OPENS[kind]);
  const open = Number(knownOr(context, opens, 0n)) + 1;
  store.set(opens, open);
  if (kind === 'hvcall' && store.find(vtl, VTL_HVCALL, open) === undefined)
    store.create(vtl, VTL_HVCALL, open);
  return open;
}

/** The number that the next one gets. */
export function nextVtlFile(context: Context, kind: VtlFileKind): number {
  const vtl = context.store.find(driverOf(context, MSHV), VTL, 0);
  return vtl === undefined ? 1 : Number(knownOr(context, cellAt(vtl, OPENS[kind]), 0n)) + 1;
}

/** What an open /dev/mshv_hvcall lets through; undefined for one that the trace does not show being opened. */
export function hvcallOf(context: Context, open: number): ObjectId | undefined {
  const vtl = context.store.find(driverOf(context, MSHV), VTL, 0);
  return vtl === undefined ? undefined : context.store.find(vtl, VTL_HVCALL, open);
}

/** Whether what a file has been told is known: only that of /dev/mshv_hvcall counts. */
export function isVtlFileKnown(context: Context, { kind, open }: VtlFile): boolean {
  return kind !== 'hvcall' || context.profile.initial === 'reset' || hvcallOf(context, open) !== undefined;
}

/** Another descriptor stands for the file. */
export function shareVtlFile(context: Context, { kind, open }: VtlFile): void {
  const id = kind === 'hvcall' ? hvcallOf(context, open) : undefined;
  if (id === undefined) return;
  const files = cellAt(id, VTL_HVCALL.slots.files);
  context.store.set(files, context.store.number(files) + 1);
}

/** One descriptor less. What /dev/mshv_hvcall was told goes with the last; the rest is the driver's and stays. */
export function closeVtlFile(context: Context, { kind, open }: VtlFile): void {
  const id = kind === 'hvcall' ? hvcallOf(context, open) : undefined;
  if (id === undefined) return;
  const files = cellAt(id, VTL_HVCALL.slots.files);
  const left = context.store.number(files) - 1;
  if (left > 0) context.store.set(files, left);
  else context.store.destroy(id);
}
