/** Which access a translation is asked to be good for, and whether the guest's level counts (TLFS 2013, HvTranslateVirtualAddress). */
export interface WalkAccess {
  readonly write: boolean;
  readonly execute: boolean;
  /** By code of level 3; rights of supervisor and user pages are not looked at where it is undefined. */
  readonly user: boolean | undefined;
  /** Data of user pages is refused to a supervisor (SMAP). */
  readonly smap: boolean;
}

/** The registers that say how addresses are translated. */
export interface WalkRegisters {
  readonly cr0: bigint;
  readonly cr3: bigint;
  readonly cr4: bigint;
  readonly efer: bigint;
  /** Width of a physical address; the bits above it are reserved (Intel SDM 3, 4.1.4). */
  readonly addressBits: number;
}

/** Where a walk ends: a frame, why there is none, or the address of eight bytes of a table that nobody has shown. */
export type Walked =
  | { readonly frame: bigint }
  | { readonly failed: 'not-present' | 'privilege' | 'flags' }
  | { readonly needs: bigint };

/** Eight bytes of guest memory at an aligned address; undefined where what they hold is not known. */
export type ReadWord = (gpa: bigint) => bigint | undefined;

const CR0_WP = 1n << 16n;
const CR4 = { pse: 1n << 4n, pae: 1n << 5n, la57: 1n << 12n, smep: 1n << 20n };
const EFER = { longModeActive: 1n << 10n, noExecute: 1n << 11n };
const PRESENT = 1n;
const WRITABLE = 2n;
const USER = 4n;
const LARGE = 0x80n;
const NO_EXECUTE = 1n << 63n;
/** Bits 51 down to 12. */
const ADDRESS = 0xf_ffff_ffff_f000n;
/** A page-directory-pointer entry of PAE has no rights (Intel SDM 3, table 4-8). */
const PAE_POINTER_RESERVED = 0xfff0_0000_0000_01e6n;
const PAE_RESERVED = 0x7ff0_0000_0000_0000n;
const PSE_RESERVED = 0x20_0000n;
const PAGE_SHIFT = 12n;

/** Five levels are not followed. */
export function isFollowed({ cr4 }: WalkRegisters): boolean {
  return (cr4 & CR4.la57) === 0n;
}

/** Rights of all levels together against the access (Intel SDM 3, 4.6). */
function isAllowed(
  { write, execute, user, smap }: WalkAccess,
  { cr0, cr4 }: WalkRegisters,
  rights: bigint,
  noExecute: bigint,
): boolean {
  const userPage = (rights & USER) !== 0n;
  if (write && (rights & WRITABLE) === 0n && (user === true || (cr0 & CR0_WP) !== 0n)) return false;
  if (execute && noExecute !== 0n) return false;
  if (user === undefined) return true;
  if (user) return userPage;
  if (!userPage) return true;
  return execute ? (cr4 & CR4.smep) === 0n : !smap;
}

/** Entries of 4 bytes in two levels, with pages of 4 MiB (Intel SDM 3, 4.3). */
function walk32(read: ReadWord, registers: WalkRegisters, page: bigint, access: WalkAccess): Walked {
  let table = registers.cr3 & 0xffff_f000n;
  let rights = WRITABLE | USER;
  for (const shift of [10n, 0n]) {
    const at = table + ((page >> shift) & 0x3ffn) * 4n;
    const word = read(at & ~7n);
    if (word === undefined) return { needs: at & ~7n };
    const entry = (word >> ((at & 4n) * 8n)) & 0xffff_ffffn;
    if ((entry & PRESENT) === 0n) return { failed: 'not-present' };
    const large = shift !== 0n && (entry & LARGE) !== 0n && (registers.cr4 & CR4.pse) !== 0n;
    if (large && (entry & PSE_RESERVED) !== 0n) return { failed: 'flags' };
    rights &= entry;
    if (large || shift === 0n) {
      if (!isAllowed(access, registers, rights, 0n)) return { failed: 'privilege' };
      if (!large) return { frame: entry >> PAGE_SHIFT };
      // Bits 20 to 13 are those of the address above 4 GiB.
      const base = ((entry >> 13n) & 0xffn) << 20n;
      return { frame: base | ((entry & 0xffc0_0000n) >> PAGE_SHIFT) | (page & 0x3ffn) };
    }
    table = entry & 0xffff_f000n;
  }
  throw new Error('two levels have been walked');
}

/** Entries of 8 bytes: PAE with three levels, long mode with four (Intel SDM 3, 4.4 and 4.5). */
function walk64(read: ReadWord, registers: WalkRegisters, page: bigint, access: WalkAccess): Walked {
  const four = (registers.efer & EFER.longModeActive) !== 0n;
  let table = four ? registers.cr3 & ADDRESS : registers.cr3 & 0xffff_ffe0n;
  let rights = WRITABLE | USER;
  let noExecute = 0n;
  const reserved =
    (ADDRESS & ~((1n << BigInt(registers.addressBits)) - 1n)) |
    (four ? 0n : PAE_RESERVED) |
    ((registers.efer & EFER.noExecute) === 0n ? NO_EXECUTE : 0n);
  for (let shift = four ? 27n : 18n; ; shift -= 9n) {
    const at = table + ((page >> shift) & (shift === 18n && !four ? 3n : 0x1ffn)) * 8n;
    const entry = read(at);
    if (entry === undefined) return { needs: at };
    if ((entry & PRESENT) === 0n) return { failed: 'not-present' };
    const isPointer = shift === 18n && !four;
    const large = !isPointer && shift !== 0n && (entry & LARGE) !== 0n;
    // No pages of 512 GiB; of a large page's address only the PAT bit, 12, stands below its size.
    const below = large ? ((1n << (shift + PAGE_SHIFT)) - 1n) & ~0x1fffn : 0n;
    const bad = isPointer ? PAE_POINTER_RESERVED : reserved | below;
    if ((entry & bad) !== 0n || (large && shift === 27n)) return { failed: 'flags' };
    if (!isPointer) {
      rights &= entry;
      noExecute |= entry & NO_EXECUTE;
    }
    if (large || shift === 0n) {
      if (!isAllowed(access, registers, rights, noExecute)) return { failed: 'privilege' };
      const offset = (1n << shift) - 1n;
      return { frame: (((entry & ADDRESS) >> PAGE_SHIFT) & ~offset) | (page & offset) };
    }
    table = entry & ADDRESS;
  }
}

/** The frame behind a page of linear addresses; the guest has paging on. Accessed and dirty bits stay as they are. */
export function walkPages(
  read: ReadWord,
  registers: WalkRegisters,
  page: bigint,
  access: WalkAccess,
): Walked {
  return (registers.cr4 & CR4.pae) === 0n
    ? walk32(read, registers, page & 0xf_ffffn, access)
    : walk64(read, registers, page, access);
}
