/**
 * An operand in the upper half of the address space, where kernels have everything, is the one in the lower half that stands
 * for the same memory: every instruction of 64-bit code with an operand in memory does the same with both.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reg, segmentValue } from './cpu.testing.ts';
import { PAGE_BYTES } from './index.ts';
import { LongGuest, le, UPPER } from './long-mode.testing.ts';

const CODE = 0x8000;
const DATA = 0x6000;
const OPERAND = DATA + 0x800;
const STACK = 0x5000;
const PATTERN = Uint8Array.from({ length: PAGE_BYTES }, (_, at) => (at * 7 + (at >> 8)) & 0x3f);
/** What follows an instruction: its immediates. */
const FILLER = 5;
/** Tables for the upper half alone, where the lower 32 bits of an address are nobody's. */
const PML4 = 0x10000;
const POINTERS = 0x14000;
const DIRECTORY = 0x12000;
const BASE = UPPER + 0xc000_0000n;
/** PUSH and XCHG of R11, and LEA: the operand is the address itself. */
const OF_ADDRESS = [0x53, 0x8d, 0x93];
/** MOV to and from control and debug registers, BSWAP: the operand is R11 itself. */
const OF_REGISTERS = [0x20, 0x21, 0x22, 0x23, 0xcb];
const STRINGS = [0x6c, 0x6d, 0x6e, 0x6f, 0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf];

interface OpcodeMap {
  readonly map: readonly number[];
  readonly not: readonly number[];
  readonly strings: readonly number[];
  /** Those that eight instructions share. */
  readonly groups: readonly number[];
}

/** Small ones: what bit offsets they are stay in the page. */
const VALUES: readonly (readonly [string, bigint])[] = [
  ['RAX', 0x41n],
  ['RCX', 0x13n],
  ['RDX', 0xffff_ffff_ffff_ffdfn],
  ['RBX', 0x7bn],
  ['RSP', 0x5808n],
  ['RBP', 0x5900n],
  ['RSI', 0x105n],
  ['RDI', 0x222n],
  ['CR2', 0n],
];
const SEEN: readonly number[] = [
  ...['RAX', 'RCX', 'RDX', 'RBX', 'RSP', 'RBP', 'RSI', 'RDI', 'R11', 'RIP', 'RFLAGS', 'CR0', 'CR2', 'CR4'],
  ...['ES', 'CS', 'SS', 'DS', 'FS', 'GS', 'LDTR', 'TR', 'GDTR', 'IDTR', 'XMM_CONTROL_STATUS'],
  ...['XMM0', 'XMM1', 'XMM2', 'XMM3', 'XMM4', 'XMM5', 'XMM6', 'XMM7', 'FP_CONTROL_STATUS'],
  ...['FP_MMX0', 'FP_MMX1', 'FP_MMX7'],
].map(reg);

class Half {
  readonly guest = new LongGuest().long('');
  /** What it may write: the operand's page, and the stack's. */
  readonly pages = [DATA, STACK].map((gpa) => this.guest.memory.page(gpa / PAGE_BYTES)!.bytes);
  readonly #base: bigint;
  readonly #tables: readonly (readonly [string, bigint])[];

  constructor(base: bigint) {
    this.#base = base;
    this.guest.memory.write(PML4 + 256 * 8, le(POINTERS | 7, 8));
    this.guest.memory.write(POINTERS + 3 * 8, le(DIRECTORY | 7, 8));
    this.#tables = ['GDTR', 'IDTR', 'CR0', 'CR4', 'CS', 'SS', 'TR', 'LDTR', 'XMM_CONTROL_STATUS'].map(
      (name) => [name, this.guest.value(name)],
    );
  }

  /** What one instruction does, as text. */
  does(code: readonly number[], isString: boolean): string {
    const { guest } = this;
    for (const [name, value] of this.#tables) if (guest.value(name) !== value) guest.set(name, value);
    for (const name of ['DS', 'ES', 'FS', 'GS']) guest.set(name, segmentValue(0x20, 0, 0xffffffff, 0xc093));
    for (const [name, value] of VALUES) guest.set(name, value);
    if (isString) for (const name of ['RSI', 'RDI']) guest.set(name, this.#base + BigInt(OPERAND + 0x100));
    guest.set('R11', this.#base + BigInt(OPERAND));
    guest.set('RFLAGS', 2);
    guest.set('RIP', CODE);
    for (const page of this.pages) page.set(PATTERN);
    guest.memory.write(CODE, [...code, ...new Array<number>(10).fill(FILLER)]);
    const exit = guest.cpu.run(1);
    return [exit.kind, ...SEEN.map((name) => this.#relative(guest.cpu.getRegister(name)))].join(' ');
  }

  /** An address in this half, as one in the lower one. */
  #relative(value: bigint): string {
    return (value >> 20n === this.#base >> 20n ? value - this.#base : value).toString(16);
  }
}

/** Operand sizes of 2, 4 and 8 bytes, and LOCK; all with the base R11. */
const PREFIXES = [[0x66, 0x41], [0x41], [0x49], [0xf0, 0x41]];

const isSame = (one: Half, other: Half, code: readonly number[], isString: boolean): boolean =>
  one.does(code, isString) === other.does(code, isString) &&
  one.pages.every((page, index) => Buffer.compare(page, other.pages[index]!) === 0);

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, n) => from + n);
const MAPS: Readonly<Record<string, OpcodeMap>> = {
  'one byte': {
    map: [],
    not: OF_ADDRESS,
    strings: STRINGS,
    groups: [...range(0x80, 0x83), 0x8f, 0xc0, 0xc1, ...range(0xd0, 0xdf), 0xf6, 0xf7, 0xfe, 0xff],
  },
  '0F': {
    map: [0x0f],
    not: OF_REGISTERS,
    strings: [],
    groups: [0, 1, ...range(0x71, 0x73), 0xae, 0xba, 0xc7],
  },
};
const ALL_FIELDS = range(0, 7);
const SOME_FIELDS = [1, 5];

for (const [name, { map, not, strings, groups }] of Object.entries(MAPS)) {
  test(`opcodes of ${name}`, () => {
    const [lower, upper] = [new Half(0n), new Half(BASE)];
    const different: string[] = [];
    for (const opcode of new Uint8Array(0x100).keys()) {
      if (not.includes(opcode)) continue;
      for (const field of groups.includes(opcode) ? ALL_FIELDS : SOME_FIELDS) {
        for (const prefixes of PREFIXES) {
          const code = [...prefixes, ...map, opcode, (field << 3) | 3];
          if (!isSame(lower, upper, code, strings.includes(opcode)))
            different.push(Buffer.from(code).toString('hex'));
        }
      }
    }
    assert.deepEqual(different, []);
  });
}
