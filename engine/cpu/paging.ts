/**
 * Linear to physical addresses (Intel SDM 3, chapter 4): no paging, 32-bit with and without large pages, PAE, 4-level.
 * The tables are read from guest memory, whose accessed and dirty bits are set as the processor sets them. What comes out is
 * remembered in the TLB of memory.ts until INVLPG or a write to a control register, whatever happens to the tables.
 */
import { AC } from './flags.ts';
import { type GuestPage, PAGE_BYTES, READ, WRITE } from './guest-memory.ts';
import { CR0_PG, CR0_WP, type Machine, PAGE_FAULT } from './machine.ts';

export type PageAccess = 'read' | 'write' | 'execute';

export const CR4_PSE = 0x10;
export const CR4_PAE = 0x20;
export const CR4_SMEP = 0x100000;
export const CR4_SMAP = 0x200000;
const EFER_NXE = 0x800;

const PRESENT = 0x1;
const WRITABLE = 0x2;
const USER = 0x4;
const ACCESSED = 0x20;
const DIRTY = 0x40;
const LARGE = 0x80;
/** Bit 63, in the upper half of an entry. */
const NO_EXECUTE = 0x80000000 | 0;

/** Bits of a page-fault error code (Intel SDM 3, 4.7). */
const ERROR_PRESENT = 0x1;
const ERROR_WRITE = 0x2;
const ERROR_USER = 0x4;
const ERROR_RESERVED = 0x8;
const ERROR_FETCH = 0x10;

/** Width of a physical address: 40 bits, as CPUID has it where nothing else is said (Intel SDM 3, 4.1.4). */
const PHYSICAL_HIGH_MASK = 0xff;
/** Bits 51 down to the width are reserved. */
const RESERVED_HIGH = 0xfff00;
/** PAE has no bits that software may use as it likes above them. */
const RESERVED_HIGH_PAE = 0x7fffff00;

const HIGH = 0x1_0000_0000;

/** #PF, with CR2 and the error code. */
function pageFault(m: Machine, linear: number, access: PageAccess, cause: number): never {
  let error = cause;
  if (access === 'write') error |= ERROR_WRITE;
  if (m.user) error |= ERROR_USER;
  const marksFetch = (m.cr4 & CR4_SMEP) !== 0 || ((m.efer & EFER_NXE) !== 0 && (m.cr4 & CR4_PAE) !== 0);
  if (access === 'execute' && marksFetch) error |= ERROR_FETCH;
  m.cr2 = linear;
  return m.fault(PAGE_FAULT, error);
}

/** The page that holds a table; one that memory does not answer is an exit. */
function tablePage(m: Machine, gpa: number, linear: number, access: 'read' | 'write'): GuestPage {
  const page = m.memory.page(Math.floor(gpa / PAGE_BYTES));
  if (page !== undefined && (page.permissions & (access === 'read' ? READ : WRITE)) !== 0) return page;
  return m.leaveForAccess({
    gpa,
    gva: linear,
    size: 4,
    access,
    mapped: page !== undefined,
    value: undefined,
  });
}

/** Tables as words: other VPs see each of them whole, and it is read whole. */
const tables = new WeakMap<GuestPage, Int32Array>();

function wordsOf(page: GuestPage): Int32Array {
  let words = tables.get(page);
  if (words === undefined) {
    const { bytes } = page;
    words = new Int32Array(bytes.buffer, bytes.byteOffset, PAGE_BYTES / 4);
    tables.set(page, words);
  }
  return words;
}

function readTable(m: Machine, gpa: number, linear: number): number {
  return wordsOf(tablePage(m, gpa, linear, 'read'))[(gpa % PAGE_BYTES) >> 2]!;
}

/**
 * Sets accessed and dirty bits, which stand in the low word of an entry: in one step, and only where it is still what was read (Intel SDM
 * 3A, 9.1.2.1: updates of tables are locked). False where another VP has changed it: the walk begins anew.
 */
function mark(m: Machine, gpa: number, low: number, bits: number, linear: number): boolean {
  if ((low & bits) === bits) return true;
  const words = wordsOf(tablePage(m, gpa, linear, 'write'));
  const at = gpa % PAGE_BYTES;
  const gpaPage = Math.floor(gpa / PAGE_BYTES);
  m.memory.written?.(gpaPage);
  if (Atomics.compareExchange(words, at >> 2, low, low | bits) !== low) return false;
  if (m.codePages.get(gpaPage)?.covered[at] === 1) {
    m.dropCode(gpaPage);
    m.leaveBlock = true;
  }
  return true;
}

/** Faults unless the rights that all levels have in common allow the access. */
function check(m: Machine, linear: number, access: PageAccess, rights: number, noExecute: number): void {
  const byUser = m.user;
  const userPage = (rights & USER) !== 0;
  let allowed = userPage || !byUser;
  if (access === 'write' && (rights & WRITABLE) === 0 && (byUser || (m.cr0 & CR0_WP) !== 0)) allowed = false;
  if (access === 'execute') {
    if (noExecute < 0) allowed = false;
    if (userPage && !byUser && (m.cr4 & CR4_SMEP) !== 0) allowed = false;
  } else if (userPage && !byUser && (m.cr4 & CR4_SMAP) !== 0 && (m.implicit || (m.flags & AC) === 0))
    allowed = false;
  if (!allowed) pageFault(m, linear, access, ERROR_PRESENT);
  m.translatedUser = userPage;
}

function walk32(m: Machine, linear: number, access: PageAccess): number {
  const top = (m.cr3 & 0xfffff000) >>> 0;
  const directoryAt = top + (linear >>> 22) * 4;
  const directory = readTable(m, directoryAt, linear);
  if ((directory & PRESENT) === 0) pageFault(m, linear, access, 0);
  const dirty = access === 'write' ? ACCESSED | DIRTY : ACCESSED;
  if ((directory & LARGE) !== 0 && (m.cr4 & CR4_PSE) !== 0) {
    // Bits 20..13 are those of the address above 4 GiB (PSE-36), as far as the width goes; bit 21 is reserved.
    if ((directory & 0x200000) !== 0) pageFault(m, linear, access, ERROR_PRESENT | ERROR_RESERVED);
    check(m, linear, access, directory, 0);
    if (!mark(m, directoryAt, directory, dirty, linear)) return walk32(m, linear, access);
    m.translatedLarge = true;
    return ((directory >>> 13) & 0xff) * HIGH + ((directory & 0xffc00000) >>> 0) + (linear & 0x3fffff);
  }
  if (!mark(m, directoryAt, directory, ACCESSED, linear)) return walk32(m, linear, access);
  const at = ((directory & 0xfffff000) >>> 0) + ((linear >>> 12) & 0x3ff) * 4;
  const entry = readTable(m, at, linear);
  if ((entry & PRESENT) === 0) pageFault(m, linear, access, 0);
  check(m, linear, access, directory & entry, 0);
  if (!mark(m, at, entry, dirty, linear)) return walk32(m, linear, access);
  return ((entry & 0xfffff000) >>> 0) + (linear & 0xfff);
}

/** The page-directory-pointer entry of PAE: the processor keeps all four from when CR3 was written. */
function pointerEntry(m: Machine, linear: number): number {
  if (!m.pointersLoaded) {
    for (let n = 0; n < 8; n += 1) m.pointers[n] = readTable(m, ((m.cr3 & 0xffffffe0) >>> 0) + 4 * n, linear);
    m.pointersLoaded = true;
  }
  return (linear >>> 30) * 2;
}

/** Bits of a present page-directory-pointer entry that are reserved with PAE (Intel SDM 3, table 4-8). */
export const POINTER_RESERVED = 0x1e6;

/** The entries have 8 bytes, with the right to execute in the topmost bit. */
function walkWide(m: Machine, linear: number, access: PageAccess): number {
  const four = m.longMode;
  const reservedHigh = four ? RESERVED_HIGH : RESERVED_HIGH_PAE;
  const reserved = reservedHigh | ((m.efer & EFER_NXE) !== 0 ? 0 : NO_EXECUTE);
  const high = Math.floor(linear / HIGH) & 0xffff;
  let table: number;
  let shift: number;
  if (four) {
    table = Math.floor(m.cr3 / PAGE_BYTES) * PAGE_BYTES;
    shift = 39;
  } else {
    const n = pointerEntry(m, linear);
    const low = m.pointers[n]!;
    if ((low & PRESENT) === 0) pageFault(m, linear, access, 0);
    table = (m.pointers[n + 1]! & PHYSICAL_HIGH_MASK) * HIGH + ((low & 0xfffff000) >>> 0);
    shift = 21;
  }
  let rights = WRITABLE | USER;
  let noExecute = 0;
  for (; ; shift -= 9) {
    const index = shift >= 32 ? (high >>> (shift - 32)) & 0x1ff : indexBelow32(linear, high, shift);
    const at = table + index * 8;
    const low = readTable(m, at, linear);
    if ((low & PRESENT) === 0) pageFault(m, linear, access, 0);
    const upper = readTable(m, at + 4, linear);
    const large = shift !== 12 && (low & LARGE) !== 0;
    // No pages of 512 GiB; a large page's address has no bits below its size but the PAT bit, 12.
    const below = shift === 30 ? 0x3fffe000 : 0x1fe000;
    const wrong = (upper & reserved) !== 0 || (large && (shift === 39 || (low & below) !== 0));
    if (wrong) pageFault(m, linear, access, ERROR_PRESENT | ERROR_RESERVED);
    rights &= low;
    noExecute |= upper;
    const physicalHigh = (upper & PHYSICAL_HIGH_MASK) * HIGH;
    if (large || shift === 12) {
      check(m, linear, access, rights, noExecute);
      const bits = access === 'write' ? ACCESSED | DIRTY : ACCESSED;
      if (!mark(m, at, low, bits, linear)) return walkWide(m, linear, access);
      m.translatedLarge = m.translatedLarge || large;
      const offset = shift === 12 ? 0xfff : shift === 21 ? 0x1fffff : 0x3fffffff;
      return physicalHigh + ((low & ~offset) >>> 0) + (linear & offset);
    }
    if (!mark(m, at, low, ACCESSED, linear)) return walkWide(m, linear, access);
    table = physicalHigh + ((low & 0xfffff000) >>> 0);
  }
}

/** Nine bits of the address from `shift` on; those of 30 to 38 cross its halves. */
function indexBelow32(linear: number, high: number, shift: number): number {
  const low = (linear & 0xffffffff) >>> shift;
  return (shift === 30 ? low | (high << 2) : low) & 0x1ff;
}

/** The physical address behind a linear one, for an access of the current level; #PF where there is none. */
export function physicalAddress(m: Machine, linear: number, access: PageAccess): number {
  m.translatedUser = false;
  if ((m.cr0 & CR0_PG) === 0) return linear;
  return (m.cr4 & CR4_PAE) === 0 ? walk32(m, linear, access) : walkWide(m, linear, access);
}
