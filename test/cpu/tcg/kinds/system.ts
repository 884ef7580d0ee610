/** System registers and instructions, at every level. Ports, CPUID and time are not asked for: they end outside the processor. */
import { le16, le32, type Piece, piece } from '../../instructions/operands.ts';
import { DATA, LANDING, TABLES } from '../image.ts';
import { MODES } from '../setup.ts';
import { type Case, type Kind, modrm, move } from './kind.ts';

const EFER = 0xc0000080;
const FS_BASE = 0xc0000100;
const SYSENTER_CS = 0x174;
const SYSENTER_ESP = 0x175;
const SYSENTER_EIP = 0x176;

function one(c: Case): readonly Piece[] {
  const { random, mode, image, level } = c;
  const size = random.pick([[], [0x66]]);
  const register = random.below(3);
  const keep = (mode.tables === undefined ? 0 : 0x80000000) + (mode.protectedMode ? 1 : 0);
  const cr4 = mode.tables === undefined || mode.tables === '32-bit' ? 0 : 0x20;
  // TCG looks neither at reserved bits of EFER nor at whether paging is on.
  const efer = mode.long ? [0x500, 0x501, 0xd00, 0xd01] : mode.tables ? [0, 1, 0x800] : [0, 1, 0x100, 0x900];
  const operand = random.pick([
    [modrm(4, register)],
    [0x23], // [ebx]
  ]);
  const sysenter: Readonly<Record<number, readonly number[]>> = {
    // TCG takes any but 0 for a selector.
    [SYSENTER_CS]: [0, 8, 0x10, 0x33],
    [SYSENTER_ESP]: [0x7000, 0x12345678],
    [SYSENTER_EIP]: [LANDING],
  };
  // Without PAE in long mode TCG goes on for a while: its bit stays.
  const some: (() => readonly Piece[])[] = [
    () => [move(3, DATA), piece('sgdt', [...size, 0x0f, 0x01, 0x03])],
    () => [move(3, DATA), piece('sidt', [...size, 0x0f, 0x01, 0x0b])],
    () => {
      image.put(DATA, [...le16(random.below(0x10000)), ...le32(random.u32()), 0, 0, 0, 0]);
      // In 64-bit code TCG takes the prefix for a base of 24 bits.
      const prefix = mode.bits === 64 ? [] : size;
      return [move(3, DATA), piece('lgdt', [...prefix, 0x0f, 0x01, 0x13])];
    },
    () => [move(3, DATA), piece('smsw', [...size, 0x0f, 0x01, ...operand])],
    () => [move(0, random.below(16)), piece('lmsw', [0x0f, 0x01, modrm(6, 0)])],
    () => [move(0, random.pick([0, random.u32()])), piece('lmsw', [0x0f, 0x01, modrm(6, 0)])],
    () => [piece('clts', [0x0f, 0x06])],
    () => [piece(`mov eax, cr`, [0x0f, 0x20, modrm(random.pick([0, 2, 3, 4]), register)])],
    () => [move(0, (random.u32() & 0x4005003e) + keep), piece('mov cr0, eax', [0x0f, 0x22, 0xc0])],
    () => [
      move(0, random.pick([0x60000010 + keep, 0x10 + keep, keep])),
      piece('mov cr0, eax', [0x0f, 0x22, 0xc0]),
    ],
    () => [move(0, random.value()), piece('mov cr2, eax', [0x0f, 0x22, 0xd0])],
    () => [move(0, TABLES | random.below(0x20)), piece('mov cr3, eax', [0x0f, 0x22, 0xd8])],
    () => [
      move(
        0,
        random.pick([
          (random.u32() & 0x3007dc) | cr4,
          (random.below(0x400) & ~3) | cr4,
          (1 << (2 + random.below(30))) | cr4,
          cr4,
        ]),
      ),
      piece('mov cr4, eax', [0x0f, 0x22, 0xe0]),
    ],
    () => [piece('mov eax, dr', [0x0f, 0x21, modrm(random.below(8), register)])],
    () => [move(0, random.below(0x20)), piece('mov dr6, eax', [0x0f, 0x23, modrm(6, 0)])],
    () => [move(0, random.value() & ~0xf0ff), piece('mov dr7, eax', [0x0f, 0x23, modrm(7, 0)])],
    () => [move(3, DATA), piece('invlpg', [0x0f, 0x01, 0x3b])],
    () => [piece('invlpg register', [0x0f, 0x01, modrm(7, 0)])],
    // TCG asks for no level here.
    () => (level === 0 ? [piece('wbinvd', [0x0f, random.pick([8, 9])])] : []),
    () => [piece('clac/stac', [0x0f, 0x01, random.pick([0xca, 0xcb])])],
    () => [move(1, random.pick([EFER, FS_BASE])), piece('rdmsr', [0x0f, 0x32])],
    () => [...[move(1, EFER), move(2, 0)], ...[move(0, random.pick(efer)), piece('wrmsr', [0x0f, 0x30])]],
    () => [
      ...[move(1, FS_BASE), move(0, random.value()), move(2, random.pick([0, 1, -1, 0x7fff]))],
      piece('wrmsr', [0x0f, 0x30]),
    ],
    () => [
      ...[SYSENTER_CS, SYSENTER_ESP, SYSENTER_EIP].flatMap((msr) => [
        ...[move(1, msr), move(2, 0), move(0, random.pick(sysenter[msr]!))],
        piece('wrmsr', [0x0f, 0x30]),
      ]),
      ...[move(2, LANDING), move(1, random.u32() & 0x7fffffff)],
      // In real mode TCG raises #UD, not #GP; into 64-bit code it goes with D set.
      ...(mode.protectedMode
        ? [
            piece('sysenter/sysexit', [
              ...random.pick([[], [0x48]]),
              0x0f,
              mode.long ? 0x35 : random.pick([0x34, 0x35]),
            ]),
          ]
        : []),
    ],
    () => [piece('swapgs', [0x0f, 0x01, 0xf8])],
    () => [piece('pushf', [0x9c]), piece('pop eax', [0x58])],
    () => [
      piece('push imm', [0x68, ...le32(random.u32() & 0x3c7cd7)]),
      piece('popf', [...size.slice(1), 0x9d]),
    ],
    () => [piece('cli/sti', [random.pick([0xfa, 0xfb])]), piece('nop', [0x90])],
    () => [piece('lock', [0xf0, 0x0f, 0x01, 0x3b])],
    // A case of real mode that sets PE sees what another one has left of LDTR and TR.
    () => (mode.protectedMode ? [piece('sldt', [...size, 0x0f, 0x00, modrm(0, 2)])] : []),
    () => (mode.protectedMode ? [piece('str', [...size, 0x0f, 0x00, modrm(1, 2)])] : []),
    () => [move(0, 8), piece('lar', [0x0f, 0x02, modrm(2, 0)])],
    () => [move(0, 8), piece('verr', [0x0f, 0x00, modrm(4, 0)])],
    () => [move(0, 0x60), piece('lldt', [0x0f, 0x00, modrm(2, 0)])],
    () => [move(0, 0xb0), piece('ltr', [0x0f, 0x00, modrm(3, 0)])],
    () => [piece('mov cs, ax', [0x8e, modrm(1, 0)])],
    () => [
      piece('ud', [0x0f, random.pick([0x04, 0x0a, 0x0c, 0x24, 0x26, 0x36, 0x39, 0x3b, 0x7a, 0xa6, 0xa7])]),
    ],
    () => [piece('mov dr8', [0x44, 0x0f, 0x23, 0xc0])],
  ];
  return random.pick(some)();
}

export const system: Kind = {
  name: 'system',
  modes: Object.values(MODES),
  levels: [0, 0, 0, 3],
  choose(random, choices) {
    choices.flags |= random.pick([0, 0x3000]);
  },
  body: (c) => [one(c), one(c), one(c)].flat(),
};
