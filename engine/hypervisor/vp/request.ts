import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import { SINT_COUNT } from '../cells/cpu.ts';
import { cellAt } from '../cells/place.ts';
import { VP } from '../cells/vp.ts';

const { irr, isr, tmr } = VP.slots.interrupt;
const { cr8 } = VP.slots.reg;
const { sint } = VP.slots.synic;

type Vectors = typeof irr;
const WORD_BITS = 32;
const MASKED = 1 << 16;
const AUTO_EOI = 1 << 17;
const VECTOR_MASK = 0xff;

function has({ store }: Context, vp: ObjectId, vectors: Vectors, vector: number): boolean {
  const word = store.low(cellAt(vp, vectors.first + (vector >>> 5)));
  return ((word >>> (vector % WORD_BITS)) & 1) === 1;
}

function put({ store }: Context, vp: ObjectId, vectors: Vectors, vector: number, on: boolean): void {
  const cell = cellAt(vp, vectors.first + (vector >>> 5));
  const bit = 1 << (vector % WORD_BITS);
  const was = store.low(cell);
  const now = on ? was | bit : was & ~bit;
  if (now !== was) store.set(cell, now >>> 0);
}

function highest({ store }: Context, vp: ObjectId, vectors: Vectors): number | undefined {
  for (let i = vectors.count - 1; i >= 0; i--) {
    const word = store.low(cellAt(vp, vectors.first + i));
    if (word !== 0) return i * WORD_BITS + (WORD_BITS - 1 - Math.clz32(word));
  }
  return undefined;
}

/** Priority class of a vector: its upper four bits (Intel SDM 3, 12.8.3). */
const classOf = (vector: number): number => vector >>> 4;

/** Sets the request bit of a vector; one that is set already stays, and the two are one. */
export function requestInterrupt(context: Context, vp: ObjectId, vector: number, level = false): void {
  put(context, vp, irr, vector, true);
  if (has(context, vp, tmr, vector) !== level) put(context, vp, tmr, vector, level);
}

/**
 * The interrupt that the processor gets when it takes one: the highest requested, if its class is above that of the one
 * in service and above the task priority (Intel SDM 3, 12.8.3.1). Undefined: none.
 */
export function interruptToTake(context: Context, vp: ObjectId): number | undefined {
  const vector = highest(context, vp, irr);
  if (vector === undefined) return undefined;
  return classOf(vector) > classOf(processorPriority(context, vp)) ? vector : undefined;
}

/** Task priority, or the class of what is in service where that is higher (Intel SDM 3, 12.8.3.1). */
export function processorPriority(context: Context, vp: ObjectId): number {
  const served = classOf(highest(context, vp, isr) ?? 0);
  return Math.max(served, context.store.low(cellAt(vp, cr8))) << 4;
}

/** A SINT says of this vector that its interrupts need no end (TLFS, SINT registers, auto-EOI). */
function endsByItself({ store }: Context, vp: ObjectId, vector: number): boolean {
  for (let i = 0; i < SINT_COUNT; i++) {
    const value = store.low(cellAt(vp, sint.first + i));
    if ((value & (MASKED | AUTO_EOI)) === AUTO_EOI && (value & VECTOR_MASK) === vector) return true;
  }
  return false;
}

/** The processor takes the interrupt that {@link interruptToTake} named: it is in service until its end is told. */
export function takeInterrupt(context: Context, vp: ObjectId): number | undefined {
  const vector = interruptToTake(context, vp);
  if (vector === undefined) return undefined;
  put(context, vp, irr, vector, false);
  if (!endsByItself(context, vp, vector)) put(context, vp, isr, vector, true);
  return vector;
}

/** End of interrupt: of the highest in service. Gives it, and whether it was level-triggered. */
export function endInterrupt(
  context: Context,
  vp: ObjectId,
): { readonly vector: number; readonly level: boolean } | undefined {
  const vector = highest(context, vp, isr);
  if (vector === undefined) return undefined;
  put(context, vp, isr, vector, false);
  return { vector, level: has(context, vp, tmr, vector) };
}
