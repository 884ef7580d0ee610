import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import { cellAt } from '../cells/place.ts';
import { VP } from '../cells/vp.ts';
import { acceptInterrupts, MODE } from './accept.ts';
import { APIC_ERROR, apicError } from './error.ts';
import { interruptTargets } from './targets.ts';

/** Fields of the interrupt command register (Intel SDM 3, 12.6.1). */
const VECTOR_MASK = 0xff;
const MODE_SHIFT = 8;
const MODE_MASK = 7;
const LOGICAL = 1 << 11;
const ASSERT = 1 << 14;
const LEVEL = 1 << 15;
const SHORTHAND_SHIFT = 18;
const SELF = 1;
const ALL = 2;
const OTHERS = 3;
const FIRST_VECTOR = 16;
const WITHOUT_VECTOR: ReadonlySet<number> = new Set([MODE.nmi, MODE.init]);
const SENT: ReadonlySet<number> = new Set([
  ...[MODE.fixed, MODE.lowestPriority, MODE.nmi, MODE.init, MODE.sipi],
]);

function reachedBy(
  context: Context,
  vp: ObjectId,
  command: number,
  destination: bigint,
): readonly ObjectId[] {
  const { store } = context;
  const partition = store.parent(vp);
  const all = store.children(partition, VP);
  switch ((command >>> SHORTHAND_SHIFT) & 3) {
    case SELF:
      return [vp];
    case ALL:
      return all;
    case OTHERS:
      return all.filter((other) => other !== vp);
    default:
      return interruptTargets(context, partition, destination, (command & LOGICAL) !== 0);
  }
}

/**
 * A VP sends an interrupt to others, or itself. What has no vector, or may not have that one, is an error of the APIC; an
 * INIT that is taken back (the level de-assert of old processors) does nothing.
 */
export function sendCommand(context: Context, vp: ObjectId, command: number, destination: bigint): void {
  const mode = (command >>> MODE_SHIFT) & MODE_MASK;
  const vector = command & VECTOR_MASK;
  if (!SENT.has(mode)) return;
  if (mode === MODE.init && (command & (LEVEL | ASSERT)) === LEVEL) return;
  const needsVector = mode === MODE.fixed || mode === MODE.lowestPriority;
  if (needsVector && vector < FIRST_VECTOR) {
    apicError(context, vp, APIC_ERROR.sentVector);
    return;
  }
  acceptInterrupts(context, reachedBy(context, vp, command, destination), {
    mode,
    vector: WITHOUT_VECTOR.has(mode) ? 0 : vector,
    level: false,
  });
}

/** The register as it is read: the destination above, delivered at once. */
export function keepCommand(
  { store }: Context,
  vp: ObjectId,
  low: number | undefined,
  high: number | undefined,
): void {
  const { icrLow, icrHigh } = VP.slots.lapic;
  if (high !== undefined) store.set(cellAt(vp, icrHigh), high >>> 0);
  if (low !== undefined) store.set(cellAt(vp, icrLow), (low & ~DELIVERY_STATUS) >>> 0);
}
const DELIVERY_STATUS = 1 << 12;
