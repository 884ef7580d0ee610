import { fieldOf, structOf } from '../../../engine/abi/index.ts';
import { cellAt, isPageValid, registerPageOf, VP } from '../../../engine/hypervisor/index.ts';
import type { Context } from '../../../engine/machine/context.ts';
import type { ObjectId } from '../../../engine/state/store.ts';
import type { PageBytes } from '../../../engine/trace/event.ts';

const STRUCT = 'hv_vp_register_page';
const WORD_BYTES = 4;
const WORDS = structOf(STRUCT).size / WORD_BYTES;
const VALID = fieldOf(STRUCT, 'isvalid').offset;
const DIRTY = fieldOf(STRUCT, 'dirty').offset / WORD_BYTES;
const VECTORS = fieldOf(STRUCT, 'interrupt_vectors').offset / WORD_BYTES;
/** Changes are recorded by 8 bytes: most registers have as many. */
const STEP = 2;

/**
 * The register page of a VP as its program has it mapped. What the hypervisor has written there last is kept beside it, so that
 * it shows what the program has changed since.
 */
export class RegisterPage {
  readonly #bytes: Uint8Array;
  readonly #words: Uint32Array;
  readonly #known = new Uint32Array(WORDS);
  /** The program has mapped it: before that nobody sees what stands there. */
  isMapped = false;

  constructor(pages: Uint8Array) {
    this.#bytes = pages.subarray(0, WORDS * WORD_BYTES);
    this.#words = new Uint32Array(pages.buffer, pages.byteOffset, WORDS);
  }

  /** Writes it as the VP stands now: all of it, or what has changed and leaves alone what the program may be putting there. */
  show(context: Context, vp: ObjectId, what: 'all' | 'changed'): void {
    if (!this.isMapped) return;
    const page = new Uint32Array(registerPageOf(context, vp).buffer);
    for (let i = 0; i < WORDS; i++) {
      const word = page[i] as number;
      if (what === 'changed' && word === this.#known[i]) continue;
      this.#words[i] = word;
      this.#known[i] = word;
    }
  }

  /** The VP goes on, and has taken what it was to take. */
  runs(context: Context, vp: ObjectId): void {
    if (!this.isMapped) return;
    this.#bytes[VALID] = Number(isPageValid(context, vp));
    this.#words[DIRTY] = 0;
    this.#known[0] = this.#words[0] as number;
    this.#known[DIRTY] = 0;
  }

  /** The driver puts vectors there, and the hypervisor takes them. */
  showVectors({ store }: Context, vp: ObjectId): void {
    if (!this.isMapped) return;
    const cell = cellAt(vp, VP.slots.injected);
    for (const words of [this.#words, this.#known]) {
      words[VECTORS] = store.low(cell);
      words[VECTORS + 1] = store.high(cell);
    }
  }

  /** The program has marked something as changed. */
  get isMarked(): boolean {
    return this.isMapped && this.#words[DIRTY] !== 0;
  }

  /** What the program has changed since this was last asked, behind the head of the page; undefined: nothing. */
  changes(): readonly PageBytes[] | undefined {
    if (!this.isMapped) return undefined;
    const [words, known] = [this.#words, this.#known];
    const parts: PageBytes[] = [];
    let changed = false;
    for (let from = 0, to = 0; from < WORDS; from = to) {
      while (to < WORDS && (words[to] !== known[to] || words[to + 1] !== known[to + 1])) to += STEP;
      changed ||= to > from;
      const isPart = to > from || from === 0;
      if (to === from) to += STEP;
      if (!isPart) continue;
      const offset = from * WORD_BYTES;
      parts.push({ offset, bytes: this.#bytes.slice(offset, to * WORD_BYTES) });
    }
    if (!changed) return undefined;
    known.set(words);
    return parts;
  }
}
