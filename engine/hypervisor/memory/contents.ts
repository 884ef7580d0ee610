import type { Context } from '../../machine/context.ts';
import { keyOf, type ObjectId } from '../../state/store.ts';
import type { PageEvent } from '../../trace/event.ts';
import { MEMORY } from '../cells/gpa.ts';
import { cellAt } from '../cells/place.ts';
import { vpOfRef } from '../vp/find.ts';
import { noteSynicPage } from '../vp/page-state.ts';

/** The rule by which a `page` event changes what is known of a guest's memory. */
export const MEMORY_SHOWN = 'choice.memory.shown';

const PAGE_BYTES = 4096;
const WORD_BYTES = 8;
const { content } = MEMORY.slots;

/** What a page holds, and behind it a byte for each of its bytes that is 1 where that is known. */
function contentOf({ store }: Context, partition: ObjectId, frame: bigint): Uint8Array | undefined {
  const id = store.find(partition, MEMORY, keyOf(frame));
  return id === undefined ? undefined : store.blob(store.number(cellAt(id, content)));
}

function keep(context: Context, partition: ObjectId, gpa: bigint, bytes: Uint8Array): void {
  const { store } = context;
  for (let done = 0; done < bytes.length; ) {
    const at = gpa + BigInt(done);
    const offset = Number(at % BigInt(PAGE_BYTES));
    const part = bytes.subarray(done, done + PAGE_BYTES - offset);
    const frame = at / BigInt(PAGE_BYTES);
    const all = Uint8Array.from(contentOf(context, partition, frame) ?? new Uint8Array(2 * PAGE_BYTES));
    all.set(part, offset);
    all.fill(1, PAGE_BYTES + offset, PAGE_BYTES + offset + part.length);
    const key = keyOf(frame);
    const id = store.find(partition, MEMORY, key) ?? store.create(partition, MEMORY, key);
    store.set(cellAt(id, content), store.intern(all));
    done += part.length;
  }
}

/** What a `page` event shows is of a guest: its memory, or a page that the SynIC of its VP lays over it. */
export function showsGuest({ page, vp }: PageEvent): boolean {
  return vp !== undefined && (page === 'ram' || page === 'simp' || page === 'siefp');
}

/**
 * Takes over what a `page` event shows of a guest's memory (`ram`, of the partition of its VP, from its address on), which
 * counts until a VP of the partition may have run, or something else is mapped there; or of the message and event flag page of a VP.
 */
export function notePage(context: Context, { vp: ref, gpa, bytes = [], page, t }: PageEvent): void {
  const vp = ref === undefined ? undefined : vpOfRef(context, ref);
  if (vp === undefined) return;
  if (page === 'simp' || page === 'siefp') noteSynicPage(context, vp, page, bytes, t);
  if (page !== 'ram' || gpa === undefined) return;
  const partition = context.store.parent(vp);
  for (const { offset, bytes: part } of bytes) keep(context, partition, gpa + BigInt(offset), part);
}

/** Eight bytes of a partition's memory at an aligned address; undefined where the trace does not show them. */
export function memoryWord(context: Context, partition: ObjectId, gpa: bigint): bigint | undefined {
  const page = contentOf(context, partition, gpa / BigInt(PAGE_BYTES));
  if (page === undefined) return undefined;
  const at = Number(gpa % BigInt(PAGE_BYTES));
  const known = page.subarray(PAGE_BYTES + at, PAGE_BYTES + at + WORD_BYTES);
  if (known.includes(0)) return undefined;
  return new DataView(page.buffer, page.byteOffset).getBigUint64(at, true);
}

/** Nothing is known any more of these frames of a partition, or of all that it has. */
export function forgetMemory(
  { store }: Context,
  partition: ObjectId,
  frames?: { readonly first: bigint; readonly pages: bigint },
): void {
  for (const id of store.children(partition, MEMORY)) {
    const frame = BigInt(store.key(id));
    const isMeant = frames === undefined || (frame >= frames.first && frame < frames.first + frames.pages);
    if (isMeant) store.destroy(id);
  }
}
