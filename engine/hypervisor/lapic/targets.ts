import { registers } from '../../abi/index.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import { cellAt } from '../cells/place.ts';
import { VP } from '../cells/vp.ts';
import { registerOf } from '../vp/values.ts';

const { lapic } = VP.slots;
const { cr8, apicBase } = VP.slots.reg;
const APIC_BASE = registers.number('APIC_BASE');
const ENABLED = 1 << 11;
const X2APIC = 1 << 10;
/** Destination of all processors, as xAPIC and x2APIC write it (Intel SDM 3, 12.6.2). */
const BROADCAST = [0xffn, 0xffff_ffffn];
const FLAT = 0xf;
const ALL_CLUSTERS = 0xf;

/** How the guest reaches the registers of its APIC (Intel SDM 3, 12.12.1). */
export function apicMode({ store }: Context, vp: ObjectId): 'off' | 'xapic' | 'x2apic' {
  const base = store.low(cellAt(vp, apicBase));
  if ((base & ENABLED) === 0) return 'off';
  return (base & X2APIC) === 0 ? 'xapic' : 'x2apic';
}

/** Where the window of the registers is in memory. */
export function apicWindow(context: Context, vp: ObjectId): number {
  return Number((registerOf(context, vp, APIC_BASE).low >> 12n) & 0xff_ffffn);
}

/** Its physical id: the index of the VP unless its parent set another. */
export function apicId({ store }: Context, vp: ObjectId): number {
  return store.low(cellAt(vp, lapic.id)) >>> 0;
}

/** The logical id of an x2APIC follows from the physical one (Intel SDM 3, 12.12.10.2). */
export function logicalId(context: Context, vp: ObjectId): number {
  if (apicMode(context, vp) !== 'x2apic') return context.store.low(cellAt(vp, lapic.ldr)) >>> 0;
  const id = apicId(context, vp);
  return (((id >>> 4) << 16) | (1 << (id & 15))) >>> 0;
}

/** Whether a logical destination names the VP: by cluster, or a bit each (Intel SDM 3, 12.6.2.2, 12.12.10). */
function isNamed(context: Context, vp: ObjectId, destination: number): boolean {
  const { store } = context;
  const own = logicalId(context, vp);
  if (apicMode(context, vp) === 'x2apic')
    return destination >>> 16 === own >>> 16 && (destination & own & 0xffff) !== 0;
  const id = own >>> 24;
  // What a guest did with an APIC that is not in the trace: it is taken to have a bit by its index.
  if (id === 0 && store.low(cellAt(vp, lapic.seen)) === 0)
    return ((destination >>> apicId(context, vp)) & 1) === 1;
  if (store.low(cellAt(vp, lapic.dfr)) >>> 28 === FLAT) return (destination & id) !== 0;
  const cluster = (destination >>> 4) & 0xf;
  return (cluster === ALL_CLUSTERS || cluster === id >>> 4) && (destination & id & 0xf) !== 0;
}

/** VPs of a partition that a destination names, by index. */
export function interruptTargets(
  context: Context,
  partition: ObjectId,
  destination: bigint,
  logical: boolean,
): ObjectId[] {
  const vps = context.store.children(partition, VP);
  if (BROADCAST.includes(destination)) return [...vps];
  const named = Number(destination & 0xffff_ffffn);
  return vps.filter((vp) => (logical ? isNamed(context, vp, named) : apicId(context, vp) === named));
}

/** Of several the one with the lowest task priority gets an interrupt of that mode; of these the first (Intel SDM 3, 12.6.2.4). */
export function lowestPriority({ store }: Context, reached: readonly ObjectId[]): readonly ObjectId[] {
  const priority = (vp: ObjectId) => store.low(cellAt(vp, cr8));
  const least = reached.reduce<ObjectId | undefined>(
    (best, vp) => (best === undefined || priority(vp) < priority(best) ? vp : best),
    undefined,
  );
  return least === undefined ? [] : [least];
}
