/**
 * Decoded code by physical page. A block is straight-line code within one page: it ends with a jump, with what changes
 * the mode, at the page's end or when it is long enough.
 *
 * Stale code is seen in three ways. The guest's own stores to a page with code come by memory.ts, which drops the page's
 * blocks. Whoever writes to guest memory while the guest runs calls `drop`. Writes between two runs need no call: the
 * first time that a block is used in a run, its bytes are compared with those that it was made of.
 */

import { PAGE_BYTES } from '../guest-memory.ts';
import { markLast } from '../hot/forms.ts';
import type { Instruction } from '../instruction.ts';
import { type CodePage, GP, type Machine, NO_TAG } from '../machine.ts';
import { codePageAt, flushWriteTranslations, further } from '../memory.ts';
import { highHalf, lowHalf } from '../wide-operands.ts';
import { type CodeMode, decode, INCOMPLETE, LONGEST_INSTRUCTION } from './decoder.ts';

export interface Block {
  readonly instructions: readonly Instruction[];
  /** The bytes that it was decoded from. */
  readonly bytes: Uint8Array;
  /** The run in which its bytes were last compared. */
  run: number;
}

/** Long enough that the loop around blocks costs little, short enough that comparing its bytes does too. */
const LONGEST_BLOCK = 32;

/** Code pages at hand: 256 are 1 MiB of code before the first collision. */
const SLOTS = 256;

class CachedPage implements CodePage {
  readonly gpaPage: number;
  readonly page: CodePage['page'];
  readonly covered = new Uint8Array(PAGE_BYTES);
  /** By offset in the page, for each kind of code once there is some. */
  readonly #blocks = new Map<CodeMode, (Block | undefined)[]>();
  #mode: CodeMode | undefined;
  #current: (Block | undefined)[] = [];

  constructor(gpaPage: number, page: CodePage['page']) {
    this.gpaPage = gpaPage;
    this.page = page;
  }

  blocks(mode: CodeMode): (Block | undefined)[] {
    if (this.#mode === mode) return this.#current;
    let blocks = this.#blocks.get(mode);
    if (blocks === undefined) {
      blocks = new Array<Block | undefined>(PAGE_BYTES).fill(undefined);
      this.#blocks.set(mode, blocks);
    }
    this.#mode = mode;
    this.#current = blocks;
    return blocks;
  }
}

/** The code pages that one privilege used last, direct mapped by linear address. */
class Addresses {
  readonly tags = new Float64Array(SLOTS).fill(NO_TAG);
  readonly pages: (CachedPage | undefined)[] = new Array<CachedPage | undefined>(SLOTS).fill(undefined);
}

const linearOf = (m: Machine): number => (m.codeBase === 0 ? m.ip : (m.codeBase + m.ip) >>> 0);

/** The block at CS:RIP is going to run. */
function enter(m: Machine, at: number, blocks: readonly (Block | undefined)[]): void {
  m.blocks = blocks;
  m.blockAt = at;
  m.pageIp = m.ip - at;
  m.pageLow = lowHalf(m.pageIp);
  m.pageHigh = highHalf(m.pageIp);
}

/** True where every offset of the page is one of the code segment: a jump within it needs no check. */
export function mayChain(m: Machine): boolean {
  if (m.code64) return true;
  const last = m.pageIp + PAGE_BYTES - 1;
  return m.pageIp >= 0 && last <= m.codeLimit && (m.code32 || last <= 0xffff);
}

export class CodeCache {
  readonly #m: Machine;
  readonly #pages = new Map<number, CachedPage>();
  #run = 0;
  /** Of levels 0 to 2, and of level 3. */
  readonly #addresses = [new Addresses(), new Addresses()] as const;

  constructor(m: Machine) {
    this.#m = m;
    m.dropCode = (gpaPage) => this.drop(gpaPage);
    m.forgetCodeAddresses = () => this.#forgetAddresses();
  }

  /** From here on every block's bytes are compared again before it is used. */
  beginRun(): void {
    this.#run += 1;
  }

  drop(gpaPage: number): void {
    this.#pages.delete(gpaPage);
    this.#m.codePages.delete(gpaPage);
    this.#forgetAddresses();
  }

  dropAll(): void {
    this.#pages.clear();
    this.#m.codePages.clear();
    this.#forgetAddresses();
  }

  #forgetAddresses(): void {
    for (const { tags } of this.#addresses) tags.fill(NO_TAG);
  }

  /** The block at CS:RIP, which is entered; leaves the machine where no code can be fetched there. */
  find(): Block {
    const m = this.#m;
    const linear = linearOf(m);
    const at = linear & (PAGE_BYTES - 1);
    const slot = (linear >>> 12) & (SLOTS - 1);
    const addresses = this.#addresses[m.user ? 1 : 0];
    if (addresses.tags[slot] !== linear - at) this.#enterPage(addresses, linear, slot);
    const page = addresses.pages[slot]!;
    const mode = m.code64 ? 64 : m.code32 ? 32 : 16;
    const blocks = page.blocks(mode);
    const block = blocks[at];
    if (block !== undefined) {
      if (block.run === this.#run || sameBytes(page.page.bytes, at, block.bytes)) {
        block.run = this.#run;
        enter(m, at, blocks);
        return block;
      }
      this.drop(page.gpaPage);
      this.#enterPage(addresses, linear, slot);
    }
    const entered = addresses.pages[slot]!;
    const decoded = this.#decodeBlock(entered, linear, mode);
    enter(m, at, entered.blocks(mode));
    return decoded;
  }

  /** The block at CS:RIP, entered, where it is at hand and its bytes were compared; of the same kind of code as the last one. */
  follow(): Block | undefined {
    const m = this.#m;
    const linear = linearOf(m);
    const at = linear & (PAGE_BYTES - 1);
    const slot = (linear >>> 12) & (SLOTS - 1);
    const addresses = this.#addresses[m.user ? 1 : 0];
    if (addresses.tags[slot] !== linear - at) return undefined;
    const blocks = addresses.pages[slot]!.blocks(m.code64 ? 64 : m.code32 ? 32 : 16);
    const block = blocks[at];
    if (block === undefined || block.run !== this.#run) return undefined;
    enter(m, at, blocks);
    return mayChain(m) ? block : undefined;
  }

  #enterPage(addresses: Addresses, linear: number, slot: number): void {
    const { page, gpaPage } = codePageAt(this.#m, linear);
    let cached = this.#pages.get(gpaPage);
    if (cached === undefined) {
      cached = new CachedPage(gpaPage, page);
      this.#pages.set(gpaPage, cached);
      this.#m.codePages.set(gpaPage, cached);
      flushWriteTranslations(this.#m);
    }
    addresses.pages[slot] = cached;
    addresses.tags[slot] = linear - (linear & (PAGE_BYTES - 1));
  }

  #decodeBlock(page: CachedPage, linear: number, mode: CodeMode): Block {
    const start = linear & (PAGE_BYTES - 1);
    const instructions: Instruction[] = [];
    let at = start;
    while (at < PAGE_BYTES && instructions.length < LONGEST_BLOCK) {
      const instruction = decode(page.page.bytes, at, mode);
      if (instruction === INCOMPLETE) break;
      instruction.offset = at - start;
      instructions.push(instruction);
      at += instruction.length;
      if (instruction.endsBlock) {
        markLast(instruction, at, mode / 8);
        break;
      }
    }
    if (instructions.length === 0) return this.#decodeAcross(page, linear, mode);
    const block = { instructions, bytes: page.page.bytes.slice(start, at), run: this.#run };
    page.covered.fill(1, start, at);
    page.blocks(mode)[start] = block;
    return block;
  }

  /** An instruction that lies in two pages is decoded each time: its pages may change apart from each other. */
  #decodeAcross(page: CachedPage, linear: number, mode: CodeMode): Block {
    const tail = page.page.bytes.subarray(linear & (PAGE_BYTES - 1));
    const next = codePageAt(this.#m, further(this.#m, linear, tail.length));
    const bytes = new Uint8Array(tail.length + LONGEST_INSTRUCTION);
    bytes.set(tail);
    bytes.set(next.page.bytes.subarray(0, LONGEST_INSTRUCTION), tail.length);
    const instruction = decode(bytes, 0, mode);
    if (instruction === INCOMPLETE) return this.#m.fault(GP, this.#m.protectedMode ? 0 : undefined);
    return { instructions: [instruction], bytes, run: this.#run };
  }
}

function sameBytes(page: Uint8Array, at: number, bytes: Uint8Array): boolean {
  for (let n = 0; n < bytes.length; n += 1) if (page[at + n] !== bytes[n]) return false;
  return true;
}
