import type { Context } from '../../machine/context.ts';
import { keyOf, type ObjectId } from '../../state/store.ts';
import { MEMORY } from '../cells/gpa.ts';
import { cellAt } from '../cells/place.ts';

const PAGE_BYTES = 4096;
const WORD_BYTES = 8;
const { content } = MEMORY.slots;

/** What a page holds, and behind it a byte for each of its bytes that is 1 where that is known. */
function contentOf({ store }: Context, partition: ObjectId, frame: bigint): Uint8Array | undefined {
  const id = store.find(partition, MEMORY, keyOf(frame));
  return id === undefined ? undefined : store.blob(store.number(cellAt(id, content)));
}

/** Memory of a partition holds these bytes from an address on. */
export function showMemory(context: Context, partition: ObjectId, gpa: bigint, bytes: Uint8Array): void {
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
