/** Exceptions and INT through gates of all sorts, with stacks that may be wrong; and IRET with frames of all sorts. */
import { le16, type Piece, piece } from '../../instructions/operands.ts';
import {
  DATA,
  FREE_ENTRY,
  GDT,
  GDT_LIMIT,
  HANDLERS,
  IDT,
  LANDING,
  OTHER_TSS,
  SELECTORS,
  STACKS,
  TSS,
  VECTORS,
} from '../image.ts';
import { MODES } from '../setup.ts';
import { type Case, type Kind, move, push } from './kind.ts';
import { randomSelector, randomTables } from './segments.ts';

const everyMode = Object.values(MODES);

/** What raises an exception or is a software interrupt. */
function event(c: Case): readonly Piece[] {
  c.image.put(DATA, [...le16(GDT_LIMIT), ...le16(GDT)]);
  const { random, mode } = c;
  const vector = random.below(8) === 0 ? random.below(256) : random.below(VECTORS);
  const events: (readonly Piece[])[] = [
    [piece(`int ${vector.toString(16)}`, [0xcd, vector])],
    [piece(`int ${vector.toString(16)}`, [0xcd, vector])],
    [piece('int3', [0xcc])],
    [piece('ud2', [0x0f, 0x0b])],
    [piece('xor ecx, ecx', [0x31, 0xc9]), piece('div ecx', [0xf7, 0xf1])],
    [move(0, 0x80), move(1, 0), piece('idiv cl', [0xf6, 0xf9])],
    [piece('aam 0', mode.bits === 64 ? [0x0f, 0x0b] : [0xd4, 0])],
    [piece('hlt', [0xf4])],
    [piece('cli', [0xfa]), piece('sti', [0xfb])],
    [move(0, randomSelector(random)), piece('mov ds, ax', [0x8e, 0xd8])],
    [piece('mov eax, cr0', [0x0f, 0x20, 0xc0])],
    [move(3, DATA), piece('lgdt', [0x0f, 0x01, 0x13])],
    [piece('icebp', [0xf1])],
    [piece('mov eax, cr1', [0x0f, 0x20, 0xc8])],
    [piece('lock nop', [0xf0, 0x90])],
    [piece('pushf', [0x9c]), piece('popf', [0x9d])],
    [piece('pushf 16', [0x66, 0x9c]), piece('popf 16', [0x66, 0x9d])],
  ];
  if (mode.bits !== 64)
    events.push(
      [move(3, 0x7fffffff), piece('add ebx, ebx', [0x01, 0xdb]), piece('into', [0xce])],
      [move(3, IDT), move(0, random.value()), piece('bound eax, [ebx]', [0x62, 0x03])],
    );
  // Beyond the limit of segments of virtual-8086 mode.
  if (mode.tables !== undefined && !mode.virtual8086)
    events.push([move(3, 0x600000 + random.below(0x1000)), piece('inc [ebx]', [0xff, 0x03])]);
  return random.pick(events);
}

function randomGates({ image, random, mode }: Case): void {
  if (!mode.protectedMode) return;
  const free = (): number => FREE_ENTRY + 8 * random.below((GDT_LIMIT + 1 - FREE_ENTRY) / 8);
  for (let vector = 0; vector < VECTORS; vector += 1) {
    // After INT1, TCG names the next instruction in the frame of a fault that its delivery meets.
    if (random.below(3) !== 0 || vector === 1) continue;
    const at = IDT + (mode.long ? 16 : 8) * vector;
    // Out of virtual-8086 mode TCG goes to levels 1 and 2 too.
    const selector = mode.virtual8086
      ? random.pick([SELECTORS.code32, SELECTORS.code32, SELECTORS.conforming, SELECTORS.userCode32])
      : random.below(4) === 0
        ? free() | random.below(4)
        : random.pick([
            ...[SELECTORS.code32, SELECTORS.code32, SELECTORS.code64, SELECTORS.code16],
            ...[SELECTORS.code1, SELECTORS.code2, SELECTORS.conforming, SELECTORS.userCode32],
          ]);
    const type = random.below(10) === 0 ? random.below(32) : random.pick([6, 7, 14, 14, 14, 15]);
    // Gates to tasks are of another kind of case.
    const access = (type === 5 ? 14 : type) | (random.below(4) << 5) | (random.below(10) === 0 ? 0 : 0x80);
    const offset = HANDLERS + vector;
    if (mode.long) image.longGate(at, selector, offset, access, random.below(3) === 0 ? random.below(3) : 0);
    else image.gate(at, selector, offset, access);
  }
  for (const level of [0, 1, 2]) {
    if (random.below(4) !== 0) continue;
    if (mode.long) {
      const top = BigInt(STACKS[level]! - random.below(32));
      image.u64(TSS + 4 + 8 * level, random.below(8) === 0 ? top | (1n << 47n) : top);
    } else {
      image.u32(TSS + 4 + 8 * level, STACKS[level]! - random.below(32));
      if (random.below(2) === 0) image.u16(TSS + 8 + 8 * level, free() | random.below(4));
    }
  }
}

export const interrupts: Kind = {
  name: 'interrupts',
  modes: everyMode,
  levels: [0, 1, 2, 3],
  choose(random, choices) {
    choices.flags |= random.pick([0, 0x3000, 0x1000]);
    if (random.below(4) === 0) choices.flags |= 0x4000;
  },
  body(c) {
    randomTables(c);
    if (c.random.below(2) === 0) randomGates(c);
    return event(c);
  },
};

/** Without VIP and VIF, which TCG's IRET does not load at level 0. */
const FLAGS = [0x2, 0x202, 0x3202, 0x4002, 0x10002, 0x20002, 0x23202, 0x40ad7, 0x246];

export const returns: Kind = {
  name: 'returns',
  modes: everyMode,
  levels: [0, 1, 2, 3],
  choose(random, choices) {
    choices.flags |= random.pick([0, 0x3000, 0x1000]);
  },
  body(c) {
    randomTables(c);
    const { random, mode } = c;
    const offset = LANDING + random.below(64);
    const known = (): number =>
      random.pick([
        ...[SELECTORS.code32, SELECTORS.code64, SELECTORS.code16, SELECTORS.userCode32, SELECTORS.userCode64],
        ...[SELECTORS.userCode16, SELECTORS.code1, SELECTORS.code2, SELECTORS.conforming | random.below(4)],
      ]);
    const stacks = [SELECTORS.data, SELECTORS.data1, SELECTORS.data2, SELECTORS.userData, 0, 3];
    const code =
      mode.virtual8086 || !mode.protectedMode ? 0 : random.below(3) === 0 ? randomSelector(random) : known();
    const picked = random.below(4) === 0 ? randomSelector(random) : random.pick(stacks);
    // Without a segment for the stack TCG returns to any code, not to 64-bit code alone.
    const stack = picked < 4 ? (code === SELECTORS.code64 ? 0 : SELECTORS.data) : picked;
    // Where the flags say virtual-8086 mode, four more segments follow.
    const frame = [0x100, 0x200, 0x300, 0x400, stack, 0x6e00, random.pick(FLAGS), code, offset];
    const size = random.pick([[], [], [0x66], mode.bits === 64 ? [0x48] : []]);
    const pushed =
      size[0] === 0x66
        ? frame.map((value) => piece(`push ${value.toString(16)}`, [0x66, 0x68, ...le16(value & 0xffff)]))
        : size[0] === 0x48
          ? frame.map(push)
          : mode.bits === 64
            ? [move(4, OTHER_TSS), ...words(c, frame)]
            : frame.map(push);
    return [...pushed, piece(`iret to ${code.toString(16)} ${stack.toString(16)}`, [...size, 0xcf])];
  },
};

/** A frame of 4-byte words where nothing pushes them. */
function words({ image }: Case, frame: readonly number[]): Piece[] {
  [...frame].reverse().forEach((value, n) => {
    image.u32(OTHER_TSS + 4 * n, value);
  });
  return [];
}
