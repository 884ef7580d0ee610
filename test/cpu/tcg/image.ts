/** The memory of a case: where what stands, and descriptors, gates and page tables as bytes. */

export const RAM_BYTES = 0x200000;

/** Vector table of real mode, then that of the other modes. */
export const IDT = 0x800;
export const GDT = 0x1000;
export const GDT_LIMIT = 0x1ff;
export const LDT = 0x1400;
export const LDT_LIMIT = 0xff;
export const TSS = 0x1800;
export const TSS_BYTES = 0x68;
export const OTHER_TSS = 0x1a00;
export const TSS_16 = 0x1c00;
/** One HLT a vector: every case stops where it arrives. */
export const HANDLERS = 0x2000;
export const VECTORS = 64;
/** Tops of the stacks of levels 0, 1 and 2, and of the body. */
export const STACKS = [0x4000, 0x5000, 0x6000, 0x6ff0] as const;
/** Code that makes the mode, and the operands of LGDT and LIDT. */
export const SETUP = 0x7000;
export const TABLE_OPERANDS = 0x7f00;
export const BODY = 0x8000;
/** HLTs for far transfers to go to, in the page of the body. */
export const LANDING = 0x8e00;
/** Data around a page border. */
export const DATA = 0xb000;
export const DATA_BYTES = 512;
/** Page tables; the playground of cases about paging, by linear address, and the frames that it may map. */
export const TABLES = 0x10000;
export const PLAYGROUND = 0x40000;
export const PLAYGROUND_PAGES = 8;
export const FRAMES = 0x30000;
/** Above the reach of real mode. */
export const HIGH_DATA = 0x110000;

export const SELECTORS = {
  code32: 0x08,
  data: 0x10,
  code64: 0x18,
  code16: 0x20,
  data16: 0x28,
  userCode32: 0x33,
  userData: 0x3b,
  userCode64: 0x43,
  userCode16: 0x4b,
  userData16: 0x53,
  ldt: 0x60,
  tss: 0x70,
  code1: 0x81,
  data1: 0x89,
  code2: 0x92,
  data2: 0x9a,
  conforming: 0xa0,
  otherTss: 0xb0,
  tss16: 0xc0,
} as const;
/** The first entry of the GDT that a case may do with as it likes. */
export const FREE_ENTRY = 0xd0;

/** Attributes as hv_x64_segment_register has them: access byte below, G, D, L, AVL from bit 12 on. */
const FLAT_CODE_32 = 0xc09b;
const FLAT_DATA = 0xc093;
const LEVEL_1 = 0x20;
const LEVEL_2 = 0x40;
const LEVEL_3 = 0x60;

export class Image {
  readonly bytes = Buffer.alloc(RAM_BYTES);

  constructor() {
    // What is no code stops.
    this.bytes.fill(0xf4, HANDLERS, HANDLERS + 0x200);
    this.bytes.fill(0xf4, SETUP, 0xa000);
  }

  put(at: number, bytes: ArrayLike<number>): number {
    this.bytes.set(bytes, at);
    return at + bytes.length;
  }

  u16(at: number, value: number): void {
    this.bytes.writeUInt16LE(value & 0xffff, at);
  }

  u32(at: number, value: number): void {
    this.bytes.writeUInt32LE(value >>> 0, at);
  }

  u64(at: number, value: bigint): void {
    this.bytes.writeBigUInt64LE(BigInt.asUintN(64, value), at);
  }

  /** `limit` has 20 bits. */
  descriptor(at: number, base: number, limit: number, attributes: number): void {
    this.u32(at, (limit & 0xffff) | (base << 16));
    this.u32(
      at + 4,
      ((base >>> 16) & 0xff) | ((attributes & 0xf0ff) << 8) | (limit & 0xf0000) | (base & 0xff000000),
    );
  }

  /** A gate of the GDT, or of a table of vectors but that of long mode. */
  gate(at: number, selector: number, offset: number, access: number, count = 0): void {
    this.u32(at, (offset & 0xffff) | (selector << 16));
    this.u32(at + 4, (offset & 0xffff0000) | (access << 8) | count);
  }

  longGate(at: number, selector: number, offset: number, access: number, stack = 0): void {
    this.gate(at, selector, offset, access, stack);
    this.u64(at + 8, 0n);
  }

  realVectors(): void {
    for (let vector = 0; vector < VECTORS; vector += 1) this.u32(4 * vector, HANDLERS + vector);
  }

  /** Handlers at level 0; vectors from 30h on are everybody's. */
  vectors(long: boolean): void {
    for (let vector = 0; vector < VECTORS; vector += 1) {
      const access = vector < 0x30 ? 0x8e : 0xee;
      if (long) this.longGate(IDT + 16 * vector, SELECTORS.code64, HANDLERS + vector, access);
      else this.gate(IDT + 8 * vector, SELECTORS.code32, HANDLERS + vector, access);
    }
  }

  descriptors(long: boolean): void {
    const flat = 0xfffff;
    const at = (selector: number): number => GDT + (selector & 0xfff8);
    this.descriptor(at(SELECTORS.code32), 0, flat, FLAT_CODE_32);
    this.descriptor(at(SELECTORS.data), 0, flat, FLAT_DATA);
    this.descriptor(at(SELECTORS.code64), 0, flat, 0xa09b);
    this.descriptor(at(SELECTORS.code16), 0, 0xffff, 0x9b);
    // A stack whose pointer has 16 bits, and no limit to run into.
    this.descriptor(at(SELECTORS.data16), 0, flat, 0x8093);
    this.descriptor(at(SELECTORS.userCode32), 0, flat, FLAT_CODE_32 | LEVEL_3);
    this.descriptor(at(SELECTORS.userData), 0, flat, FLAT_DATA | LEVEL_3);
    this.descriptor(at(SELECTORS.userCode64), 0, flat, 0xa09b | LEVEL_3);
    this.descriptor(at(SELECTORS.userCode16), 0, 0xffff, 0x9b | LEVEL_3);
    this.descriptor(at(SELECTORS.userData16), 0, flat, 0x8093 | LEVEL_3);
    this.descriptor(at(SELECTORS.ldt), LDT, LDT_LIMIT, 0x82);
    this.descriptor(at(SELECTORS.tss), TSS, TSS_BYTES - 1, 0x89);
    this.descriptor(at(SELECTORS.code1), 0, flat, FLAT_CODE_32 | LEVEL_1);
    this.descriptor(at(SELECTORS.data1), 0, flat, FLAT_DATA | LEVEL_1);
    this.descriptor(at(SELECTORS.code2), 0, flat, FLAT_CODE_32 | LEVEL_2);
    this.descriptor(at(SELECTORS.data2), 0, flat, FLAT_DATA | LEVEL_2);
    this.descriptor(at(SELECTORS.conforming), 0, flat, FLAT_CODE_32 | 4);
    this.descriptor(at(SELECTORS.otherTss), OTHER_TSS, TSS_BYTES - 1, 0x89);
    this.descriptor(at(SELECTORS.tss16), TSS_16, 0x2b, 0x81);
    for (const level of [0, 1, 2]) {
      const stack = STACKS[level]!;
      if (long) this.u64(TSS + 4 + 8 * level, BigInt(stack));
      else {
        this.u32(TSS + 4 + 8 * level, stack);
        this.u16(TSS + 8 + 8 * level, [SELECTORS.data, SELECTORS.data1, SELECTORS.data2][level]!);
      }
    }
    if (long) this.u64(TSS + 36, BigInt(STACKS[0] - 0x200));
    // No bitmap of ports.
    this.u16(TSS + 0x66, TSS_BYTES);
  }

  /** Each linear address below 2 MiB is its own physical one; level 3 has its code, data and stack alone. */
  tables(kind: Tables, user: boolean): void {
    const wide = kind !== '32-bit';
    const entry = (at: number, value: number): void => {
      if (wide) this.u64(at, BigInt(value));
      else this.u32(at, value);
    };
    let table = TABLES;
    // The entries of PAE's first table have no rights.
    if (kind === 'PAE') entry(table, (table + 0x1000) | 1);
    else entry(table, (table + 0x1000) | 7);
    for (let levels = kind === '32-bit' ? 0 : kind === 'PAE' ? 1 : 2; levels > 0; levels -= 1) {
      table += 0x1000;
      entry(table, (table + 0x1000) | 7);
    }
    table += 0x1000;
    for (let page = 0; page < RAM_BYTES / 0x1000; page += 1) {
      const users = user && page >= 6 && page < 0x10 && page !== SETUP / 0x1000;
      entry(table + (wide ? 8 : 4) * page, (page << 12) | (users ? 7 : 3));
    }
  }
}

export type Tables = '32-bit' | 'PAE' | '4-level';

/** Where the lowest table is, which maps single pages, and the one above it. */
export const lowestTable = (kind: Tables): number =>
  TABLES + (kind === '32-bit' ? 0x1000 : kind === 'PAE' ? 0x2000 : 0x3000);
