import { highHalf, lowHalf } from '../../abi/index.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import { cellAt } from '../cells/place.ts';
import { VP } from '../cells/vp.ts';
import { requestInterrupt } from './request.ts';

/** Room for vectors on the register page (Linux 7.2 include/hyperv: HV_VP_REGISTER_PAGE_MAX_VECTOR_COUNT). */
const MOST = 7;
const BYTE_BITS = 8n;
const BYTE = 0xffn;
const FIRST_VECTOR = 16;
const { injected } = VP.slots;

function vectorsOn({ store }: Context, vp: ObjectId): number[] {
  const word = store.get(cellAt(vp, injected));
  const count = Math.min(Number(word & BYTE), MOST);
  return Array.from({ length: count }, (_, i) => Number((word >> (BYTE_BITS * BigInt(i + 1))) & BYTE));
}

/** The parent of a VP puts a vector on its register page; false where that is full. One that is there already is enough. */
export function injectVector(context: Context, vp: ObjectId, vector: number): boolean {
  const vectors = vectorsOn(context, vp);
  if (vectors.includes(vector)) return true;
  if (vectors.length >= MOST) return false;
  vectors.push(vector);
  const word = vectors.reduce(
    (all, each, i) => all | (BigInt(each) << (BYTE_BITS * BigInt(i + 1))),
    BigInt(vectors.length),
  );
  context.store.setWords(cellAt(vp, injected), lowHalf(word), highHalf(word));
  return true;
}

/** Vectors wait on the register page. */
export function hasInjected({ store }: Context, vp: ObjectId): boolean {
  const cell = cellAt(vp, injected);
  return (store.low(cell) | store.high(cell)) !== 0;
}

/** A dispatch looks at the register page: what is there is requested, each as an edge, and the page empty. */
export function takeInjected(context: Context, vp: ObjectId): void {
  if (!hasInjected(context, vp)) return;
  for (const vector of vectorsOn(context, vp))
    if (vector >= FIRST_VECTOR) requestInterrupt(context, vp, vector);
  context.store.set(cellAt(vp, injected), 0);
}
