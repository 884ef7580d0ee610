/** The code before a case: from real mode to its mode, its level and its registers. Both processors run it. */
import type { Random } from '../random.ts';
import {
  BODY,
  GDT,
  GDT_LIMIT,
  IDT,
  type Image,
  SELECTORS,
  SETUP,
  STACKS,
  TABLE_OPERANDS,
  TABLES,
  type Tables,
  VECTORS,
} from './image.ts';

export interface Mode {
  readonly name: string;
  /** Of the body's code. */
  readonly bits: 16 | 32 | 64;
  readonly protectedMode: boolean;
  readonly long: boolean;
  readonly tables: Tables | undefined;
  readonly virtual8086?: true;
  readonly unreal?: true;
}

const mode = (
  name: string,
  bits: 16 | 32 | 64,
  tables?: Tables,
  more: { readonly virtual8086?: true; readonly unreal?: true } = {},
): Mode => ({
  name,
  bits,
  tables,
  protectedMode: name !== 'real' && name !== 'unreal',
  long: tables === '4-level',
  ...more,
});

export const MODES = {
  real: mode('real', 16),
  unreal: mode('unreal', 16, undefined, { unreal: true }),
  protected16: mode('16-bit protected', 16),
  protected32: mode('32-bit protected', 32),
  paged32: mode('32-bit paging', 32, '32-bit'),
  pae: mode('PAE', 32, 'PAE'),
  long64: mode('64-bit', 64, '4-level'),
  compatibility: mode('compatibility', 32, '4-level'),
  virtual8086: mode('virtual-8086', 16, undefined, { virtual8086: true }),
  pagedVirtual8086: mode('virtual-8086 with paging', 16, '32-bit', { virtual8086: true }),
} as const;

/** How a case begins. */
export interface Start {
  readonly mode: Mode;
  readonly level: number;
  /** By number, in order; 16 in 64-bit mode. */
  readonly general: readonly bigint[];
  /** RFLAGS as far as POPF, or IRET to virtual-8086 mode, may set them. */
  readonly flags: number;
  /** More bits of the registers that the mode needs anyway. */
  readonly cr0: number;
  readonly cr4: number;
  readonly efer: number;
}

const le = (value: number | bigint, bytes: number): number[] =>
  Array.from({ length: bytes }, (_, n) => Number((BigInt(value) >> BigInt(8 * n)) & 0xffn));

const CR0_PE = 1;
const CR0_PG = 0x80000000;
const CR4_PAE = 0x20;
const EFER_LME = 0x100;
const EFER_MSR = 0xc0000080;
const VM = 0x20000;
const IOPL_3 = 0x3000;

/** MOV of 32 bits to a general register, in code of any kind. */
const move = (bits: 16 | 32 | 64, register: number, value: number): number[] => [
  ...(bits === 16 ? [0x66] : []),
  0xb8 + register,
  ...le(value >>> 0, 4),
];

/** DS, ES, FS, GS, and SS, with one selector. */
const loadSegments = (bits: 16 | 32 | 64, selector: number, segments: readonly number[]): number[] => [
  ...(bits === 16 ? [] : [0x66]),
  ...[0xb8, ...le(selector, 2)],
  ...segments.flatMap((segment) => [0x8e, 0xc0 | (segment << 3)]),
];
const [ES, SS, DS, FS, GS] = [0, 2, 3, 4, 5];
const EVERY = [DS, ES, FS, GS, SS];

function codeSelector({ bits }: Mode, level: number): number {
  if (level === 1) return SELECTORS.code1;
  if (level === 2) return SELECTORS.code2;
  const user = level === 3;
  if (bits === 16) return user ? SELECTORS.userCode16 : SELECTORS.code16;
  if (bits === 32) return user ? SELECTORS.userCode32 : SELECTORS.code32;
  return user ? SELECTORS.userCode64 : SELECTORS.code64;
}

/** Flat ones in 16-bit code too: limits are not what is asked for here. */
export const dataSelector = (level: number): number =>
  [SELECTORS.data, SELECTORS.data1, SELECTORS.data2, SELECTORS.userData][level]!;

/** In real mode: the table registers, and what an earlier case may have left. */
function first(): number[] {
  return [
    ...[0x0f, 0x01, 0x16, ...le(TABLE_OPERANDS, 2)], // lgdt
    ...[0x0f, 0x01, 0x1e, ...le(TABLE_OPERANDS + 8, 2)], // lidt
    ...move(16, 0, 0),
    ...[0x0f, 0x23, 0xc0], // mov dr0, eax
    ...move(16, 0, 0xffff0ff0),
    ...[0x0f, 0x23, 0xf0], // mov dr6, eax
    ...move(16, 0, 0x400),
    ...[0x0f, 0x23, 0xf8], // mov dr7, eax
  ];
}

const setCr0Bit = [...[0x0f, 0x20, 0xc0], ...[0x0c, 0x01], ...[0x0f, 0x22, 0xc0]];

function intoUnreal(): number[] {
  return [
    ...setCr0Bit,
    ...loadSegments(16, SELECTORS.data, [DS, ES, FS, GS]),
    ...loadSegments(16, SELECTORS.data16, [SS]),
    ...[0x0f, 0x20, 0xc0, 0x24, 0xfe, 0x0f, 0x22, 0xc0], // and al, ~1
    ...loadSegments(16, 0, EVERY),
  ];
}

/** In 32-bit code: paging, and into 64-bit code at `next` where that is wanted. */
function paging(start: Start, at: number): number[] {
  const { long, tables } = start.mode;
  const cr4 = start.cr4 | (tables === '32-bit' ? 0 : CR4_PAE);
  const efer = start.efer | (long ? EFER_LME : 0);
  const code = [
    ...[...move(32, 0, TABLES), 0x0f, 0x22, 0xd8], // mov cr3, eax
    ...[...move(32, 0, cr4), 0x0f, 0x22, 0xe0], // mov cr4, eax
    ...[...move(32, 1, EFER_MSR), ...move(32, 2, 0), ...move(32, 0, efer), 0x0f, 0x30],
    ...[...move(32, 0, (start.cr0 | CR0_PE | CR0_PG | 0x10) >>> 0), 0x0f, 0x22, 0xc0],
  ];
  if (long) code.push(0xea, ...le(at + code.length + 7, 4), ...le(SELECTORS.code64, 2));
  return code;
}

/** IRET to the body; what it needs of a frame is pushed. */
function enter({ mode, level, flags }: Start): number[] {
  const push = (value: number): number[] => [0x68, ...le(value >>> 0, 4)];
  if (mode.virtual8086) {
    return [...[0, 0, 0, 0, 0, STACKS[3], flags | VM | 2, 0, BODY].flatMap(push), 0xcf];
  }
  // IOPL is settled here: a body at level 3 cannot.
  const image = (flags & IOPL_3) | 2;
  const code = codeSelector(mode, level);
  return [
    ...[dataSelector(level), STACKS[3], image, code, BODY].flatMap(push),
    ...(mode.long ? [0x48] : []),
    0xcf,
  ];
}

/** Segments, flags and general registers, in the body's own code. */
function ownRegisters({ mode, level, general, flags }: Start): number[] {
  const { bits } = mode;
  const size = bits === 16 ? [0x66] : [];
  const segments = !mode.protectedMode
    ? []
    : mode.virtual8086
      ? []
      : loadSegments(bits, dataSelector(level), EVERY);
  return [
    ...segments,
    ...move(bits, 4, STACKS[3]),
    ...(mode.virtual8086 ? [] : [...size, 0x68, ...le(flags >>> 0, 4), ...size, 0x9d]),
    ...general.flatMap((value, r) => {
      if (r === 4) return [];
      if (bits === 64) return [0x48 | (r >> 3), 0xb8 | (r & 7), ...le(value, 8)];
      return move(bits, r, Number(BigInt.asUintN(32, value)));
    }),
  ];
}

/** Writes the code into the image; gives the address of what comes next: the case's own instructions. */
export function writeSetup(image: Image, start: Start): number {
  const { mode } = start;
  const { long } = mode;
  image.descriptors(long);
  image.realVectors();
  if (mode.protectedMode) image.vectors(long);
  if (mode.tables !== undefined) image.tables(mode.tables, start.level === 3 || mode.virtual8086 === true);
  image.u16(TABLE_OPERANDS, GDT_LIMIT);
  image.u32(TABLE_OPERANDS + 2, GDT);
  image.u16(TABLE_OPERANDS + 8, mode.protectedMode ? VECTORS * (long ? 16 : 8) - 1 : 4 * VECTORS - 1);
  image.u32(TABLE_OPERANDS + 10, mode.protectedMode ? IDT : 0);
  let at = image.put(SETUP, first());
  if (!mode.protectedMode) {
    if (mode.unreal) at = image.put(at, intoUnreal());
    image.put(at, [0xe9, ...le((BODY - at - 3) & 0xffff, 2)]);
    return image.put(BODY, ownRegisters(start));
  }
  at = image.put(at, setCr0Bit);
  at = image.put(at, [0x66, 0xea, ...le(at + 8, 4), ...le(SELECTORS.code32, 2)]);
  at = image.put(at, [...loadSegments(32, SELECTORS.data, EVERY), ...move(32, 4, STACKS[0])]);
  if (mode.tables === undefined) {
    if (start.cr4 !== 0) at = image.put(at, [...move(32, 0, start.cr4), 0x0f, 0x22, 0xe0]);
    if (start.cr0 !== 0) at = image.put(at, [...move(32, 0, start.cr0 | 0x11), 0x0f, 0x22, 0xc0]);
  } else at = image.put(at, paging(start, at));
  at = image.put(at, [0x66, 0xb8, ...le(SELECTORS.ldt, 2), 0x0f, 0x00, 0xd0]); // lldt
  at = image.put(at, [0x66, 0xb8, ...le(SELECTORS.tss, 2), 0x0f, 0x00, 0xd8]); // ltr
  image.put(at, enter(start));
  return image.put(BODY, ownRegisters(start));
}

/** General registers for a case. */
export function randomGeneral(random: Random, { bits }: Mode): bigint[] {
  return Array.from({ length: bits === 64 ? 16 : 8 }, () =>
    bits === 64 ? random.value64() : BigInt(random.value()),
  );
}
