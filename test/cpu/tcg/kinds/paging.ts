/** Accesses of all sorts in pages with random entries: rights, reserved bits, large pages, accessed and dirty bits, CR2. */
import { le32, type Piece, piece } from '../../instructions/operands.ts';
import type { Random } from '../../random.ts';
import { FRAMES, type Image, lowestTable, PLAYGROUND, PLAYGROUND_PAGES, STACKS } from '../image.ts';
import { MODES, type Mode } from '../setup.ts';
import { type Case, type Kind, move } from './kind.ts';

const CR0_WP = 0x10000;
const CR4_OSFXSR = 0x200;
const CR4_PSE = 0x10;
const CR4_PGE = 0x80;
const CR4_SMEP = 0x100000;
const CR4_SMAP = 0x200000;
const EFER_NXE = 0x800;
const AC = 0x40000;
const NO_EXECUTE = 1n << 63n;

/** A second part of the playground, which a table of its own or a large page maps. */
const SECOND = (mode: Mode): number => (mode.tables === '32-bit' ? 0x400000 : 0x200000);
export const SECOND_TABLE = 0x20000;

function entry(random: Random, frame: number, wide: boolean): bigint {
  let value = BigInt(frame) | 1n;
  if (random.below(12) === 0) value &= ~1n;
  if (random.below(4) !== 0) value |= 2n;
  if (random.below(3) !== 0) value |= 4n;
  value |= BigInt(random.below(8) << 9) | BigInt(random.below(4) << 3);
  if (random.below(3) === 0) value |= BigInt(random.below(4) << 5);
  if (random.below(6) === 0) value |= 0x100n;
  if (random.below(6) === 0) value |= 0x80n;
  if (wide && random.below(8) === 0) value |= NO_EXECUTE;
  if (wide && random.below(16) === 0) value |= 1n << BigInt(40 + random.below(22));
  return value;
}

function writeEntry(image: Image, wide: boolean, at: number, value: bigint): void {
  if (wide) image.u64(at, value);
  else image.u32(at, Number(BigInt.asUintN(32, value)));
}

function writePlayground({ image, random, mode }: Case): void {
  const wide = mode.tables !== '32-bit';
  const size = wide ? 8 : 4;
  const lowest = lowestTable(mode.tables!);
  const frame = (): number => FRAMES + 0x1000 * random.below(8);
  for (let n = 0; n < PLAYGROUND_PAGES; n += 1) {
    const page = PLAYGROUND / 0x1000 + n;
    writeEntry(image, wide, lowest + size * page, entry(random, frame(), wide));
    writeEntry(image, wide, SECOND_TABLE + size * n, entry(random, frame(), wide));
  }
  const above = entry(random, SECOND_TABLE, wide);
  const large = random.below(2) === 0;
  const directory = large ? (above & ~0xff000n) | 0x80n : above & ~0x80n;
  writeEntry(image, wide, lowest - 0x1000 + size, random.below(16) === 0 ? above | 0x80n : directory);
  for (let at = FRAMES; at < FRAMES + 0x8000; at += 4)
    image.u32(at, random.below(4) === 0 ? 0xf4f4f4f4 : random.value());
}

/** A linear address in the playground, often at a page's end. */
function somewhere({ random, mode }: Case): number {
  const start = random.below(3) === 0 ? SECOND(mode) : PLAYGROUND;
  const page = start + 0x1000 * random.below(PLAYGROUND_PAGES);
  return page + (random.below(4) === 0 ? 0xffd + random.below(3) : random.below(0xff0));
}

/** [EBX] is the operand. */
const accesses: readonly (readonly [string, readonly number[]])[] = [
  ['mov eax, [ebx]', [0x8b, 0x03]],
  ['mov [ebx], eax', [0x89, 0x03]],
  ['mov [ebx], al', [0x88, 0x03]],
  ['mov [ebx], imm', [0xc7, 0x03, 1, 2, 3, 4]],
  ['add [ebx], eax', [0x01, 0x03]],
  ['cmp [ebx], eax', [0x39, 0x03]],
  ['xchg [ebx], eax', [0x87, 0x03]],
  ['lock inc [ebx]', [0xf0, 0xff, 0x03]],
  ['not [ebx]', [0xf7, 0x13]],
  ['cmpxchg [ebx], ecx', [0x0f, 0xb1, 0x0b]],
  ['cmpxchg8b [ebx]', [0x0f, 0xc7, 0x0b]],
  ['xadd [ebx], ecx', [0x0f, 0xc1, 0x0b]],
  ['bts [ebx], 3', [0x0f, 0xba, 0x2b, 3]],
  ['setz [ebx]', [0x0f, 0x94, 0x03]],
  ['push [ebx]', [0xff, 0x33]],
  ['pop [ebx]', [0x8f, 0x03]],
  ['sidt [ebx]', [0x0f, 0x01, 0x0b]],
  ['smsw [ebx]', [0x0f, 0x01, 0x23]],
  ['mov [ebx], ds', [0x8c, 0x1b]],
  ['sub ecx, [ebx]', [0x2b, 0x0b]],
  ['movzx ecx, [ebx]', [0x0f, 0xb6, 0x0b]],
  ['imul ecx, [ebx]', [0x0f, 0xaf, 0x0b]],
  ['call [ebx]', [0xff, 0x13]],
  ['jmp [ebx]', [0xff, 0x23]],
];

/** Loads of a vector register from [EBX], and stores of it, wider than a general register. */
const copies: readonly (readonly [string, readonly number[], readonly number[]])[] = [
  ['movq mm1', [0x0f, 0x6f, 0x0b], [0x0f, 0x7f, 0x0b]],
  ['movups xmm1', [0x0f, 0x10, 0x0b], [0x0f, 0x11, 0x0b]],
  ['pmovzxbw xmm1', [0x66, 0x0f, 0x38, 0x30, 0x0b], [0x0f, 0x11, 0x0b]],
  ['lddqu xmm1', [0xf2, 0x0f, 0xf0, 0x0b], [0x66, 0x0f, 0xd6, 0x0b]],
  ['movbe ecx', [0x0f, 0x38, 0xf0, 0x0b], [0x0f, 0x38, 0xf1, 0x0b]],
];

function access(c: Case): readonly Piece[] {
  const { random, mode, level } = c;
  const at = somewhere(c);
  switch (random.below(11)) {
    case 0:
      return [move(4, at), piece('push eax', [0x50]), piece('pop ecx', [0x59])];
    case 1:
      return [
        move(4, at),
        random.pick([piece('pop ecx', [0x59]), piece('enter', [0xc8, 8, 0, 1]), piece('pushf', [0x9c])]),
      ];
    case 2: {
      const opcode = random.pick([0xa4, 0xa5, 0xa6, 0xaa, 0xab, 0xad, 0xaf]);
      // Which of its two operands CMPS reads first, and so finds missing first, is nowhere said.
      const other = opcode === 0xa6 ? STACKS[3] : somewhere(c);
      return [
        ...[move(6, at), move(7, other), move(1, random.below(3000))],
        piece('cld/std', [random.pick([0xfc, 0xfd])]),
        piece('rep string', [random.pick([0xf2, 0xf3]), opcode]),
      ];
    }
    case 3:
      return [move(0, at), random.pick([piece('jmp eax', [0xff, 0xe0]), piece('call eax', [0xff, 0xd0])])];
    case 4: {
      // One entry of the tables changes, and its translation is forgotten. The tables are the kernel's.
      if (level === 3) return [];
      const wide = mode.tables !== '32-bit';
      const page = PLAYGROUND + 0x1000 * random.below(PLAYGROUND_PAGES);
      const where = lowestTable(mode.tables!) + (wide ? 8 : 4) * (page / 0x1000);
      const value = Number(BigInt.asUintN(32, entry(random, FRAMES + 0x1000 * random.below(8), wide)));
      return [
        ...[move(3, where), piece('mov [ebx], imm', [0xc7, 0x03, ...le32(value)]), move(3, page)],
        piece('invlpg', [0x0f, 0x01, 0x3b]),
      ];
    }
    case 5:
      if (level === 3) return [];
      return [piece('mov eax, cr3', [0x0f, 0x20, 0xd8]), piece('mov cr3, eax', [0x0f, 0x22, 0xd8])];
    case 6: {
      const [name, load, store] = random.pick(copies);
      return [move(3, at), piece(name, load), move(3, somewhere(c)), piece(`${name} back`, store)];
    }
    default: {
      const [name, bytes] = random.pick(accesses);
      // Of what SIDT stores, TCG writes what there is a page for.
      if (name.startsWith('sidt') && at % 0x1000 > 0xff6) return [];
      // TCG jumps to addresses that are none, and faults there.
      if (mode.bits === 64 && /^(?:call|jmp)/.test(name)) return [];
      return [move(3, at), piece(name, bytes)];
    }
  }
}

export const paging: Kind = {
  name: 'paging',
  modes: [MODES.paged32, MODES.pae, MODES.long64, MODES.compatibility],
  levels: [0, 3],
  choose(random, choices) {
    if (random.below(2) === 0) choices.cr0 |= CR0_WP;
    for (const bit of [CR4_PSE, CR4_PGE, CR4_SMEP, CR4_SMAP]) if (random.below(2) === 0) choices.cr4 |= bit;
    if (random.below(2) === 0) choices.efer |= EFER_NXE;
    if (random.below(2) === 0) choices.flags |= AC;
    choices.cr4 |= CR4_OSFXSR;
  },
  body(c) {
    writePlayground(c);
    return Array.from({ length: 8 }, () => access(c)).flat();
  },
};
