/** Task switches by JMP, CALL, IRET and gates, to tasks of both sizes whose segments may be wrong. */
import { le16, le32, type Piece, piece } from '../../instructions/operands.ts';
import {
  FREE_ENTRY,
  GDT,
  IDT,
  type Image,
  LANDING,
  OTHER_TSS,
  SELECTORS,
  STACKS,
  TABLES,
  TSS,
  TSS_16,
  VECTORS,
} from '../image.ts';
import { MODES } from '../setup.ts';
import { type Case, type Kind, move } from './kind.ts';
import { randomSelector, randomTables } from './segments.ts';

const TASK_GATE = 5;
const NT = 0x4000;
const VM = 0x20000;

/**
 * Selectors that go together, by level. Those of code, stack and LDT are right: where they are not, TCG raises the exception with the
 * level and without the checks of the task that was left.
 */
const CODE = [SELECTORS.code32, SELECTORS.code1, SELECTORS.code2, SELECTORS.userCode32];
const DATA = [SELECTORS.data, SELECTORS.data1, SELECTORS.data2, SELECTORS.userData];

function segmentsOf({ random }: Case): number[] {
  const level = random.below(4);
  const data = (): number =>
    random.below(12) === 0 ? randomSelector(random) : random.pick([DATA[level]!, 0, SELECTORS.userData]);
  return [data(), CODE[level]!, DATA[level]!, data(), data(), data()];
}

function writeTask32(c: Case, virtual: boolean): void {
  const { image, random } = c;
  const flags = (random.u32() & 0x3cd5) | 2 | (random.below(6) === 0 ? NT : 0) | (virtual ? VM : 0);
  image.bytes.copyWithin(OTHER_TSS + 4, TSS + 4, TSS + 0x1c);
  image.u32(OTHER_TSS + 0x1c, TABLES);
  image.u32(OTHER_TSS + 0x20, LANDING + random.below(64));
  image.u32(OTHER_TSS + 0x24, flags);
  for (let r = 0; r < 8; r += 1)
    image.u32(OTHER_TSS + 0x28 + 4 * r, r === 4 ? STACKS[3] - 0x100 : random.value());
  const segments = virtual ? [1, 0, 0, 2, 3, 4] : segmentsOf(c);
  segments.forEach((selector, n) => {
    image.u16(OTHER_TSS + 0x48 + 4 * n, selector);
  });
  image.u16(OTHER_TSS + 0x60, random.pick([0, SELECTORS.ldt]));
}

function writeTask16(c: Case): void {
  const { image, random } = c;
  for (const level of [0, 1, 2]) {
    image.u16(TSS_16 + 2 + 4 * level, STACKS[level]!);
    image.u16(TSS_16 + 4 + 4 * level, DATA[level]!);
  }
  image.u16(TSS_16 + 0x0e, LANDING + random.below(64));
  image.u16(TSS_16 + 0x10, (random.u32() & 0x3cd5) | 2);
  for (let r = 0; r < 8; r += 1)
    image.u16(TSS_16 + 0x12 + 2 * r, r === 4 ? STACKS[3] - 0x100 : random.value());
  segmentsOf(c)
    .slice(0, 4)
    .forEach((selector, n) => {
      image.u16(TSS_16 + 0x22 + 2 * n, selector);
    });
  image.u16(TSS_16 + 0x2a, random.pick([0, SELECTORS.ldt]));
}

/** A gate at the first free entry, for everybody. */
function writeGate(image: Image, selector: number): void {
  image.gate(GDT + FREE_ENTRY, selector, 0, 0xe0 | TASK_GATE);
}

export const tasks: Kind = {
  name: 'tasks',
  modes: [MODES.protected16, MODES.protected32, MODES.paged32, MODES.virtual8086, MODES.pagedVirtual8086],
  levels: [0, 0, 1, 3],
  choose(_random, choices) {
    choices.flags |= 0x3000;
  },
  body(c) {
    randomTables(c);
    const { image, random, mode } = c;
    writeTask32(c, random.below(8) === 0);
    writeTask16(c);
    const targets = [SELECTORS.otherTss, SELECTORS.otherTss, SELECTORS.tss16, SELECTORS.tss];
    // A 16-bit task has no VM flag; in TCG it stays as it was.
    const target = mode.virtual8086 ? SELECTORS.otherTss : random.pick(targets);
    writeGate(image, target);
    const vector = random.below(VECTORS);
    for (const v of [vector, 0, 6, 13]) image.gate(IDT + 8 * v, target, 0, 0xe0 | TASK_GATE);
    const direct = random.pick([target, target, FREE_ENTRY]) | (random.below(4) * random.below(2));
    const far: readonly Piece[] = [
      piece(`far transfer ${direct.toString(16)}`, [random.pick([0x9a, 0xea]), ...le32(0), ...le16(direct)]),
    ];
    const interrupt: readonly Piece[] = [piece(`int ${vector.toString(16)}`, [0xcd, vector])];
    const fault: readonly Piece[] = random.pick([
      [piece('ud2', [0x0f, 0x0b])],
      [move(1, 0), piece('div ecx', [0xf7, 0xf1])],
      [move(0, 0x1f8), piece('mov ds, ax', [0x8e, 0xd8])],
    ]);
    // IRET with NT: to the task that this one's segment names.
    image.u16(TSS, target);
    const busy = GDT + (target & 0xfff8) + 5;
    const back: readonly Piece[] = [
      piece('push flags', [0x68, ...le32(0x7002)]),
      piece('popf', [0x9d]),
      piece('iret', [0xcf]),
    ];
    // What a task is that returns to itself is nowhere said.
    if (target === SELECTORS.tss) image.u16(TSS, SELECTORS.otherTss);
    const chosen = mode.virtual8086
      ? random.pick([interrupt, fault])
      : random.pick([far, far, interrupt, fault, back]);
    if (chosen === back && target !== SELECTORS.tss && random.below(4) !== 0)
      image.bytes[busy] = image.bytes[busy]! | 2;
    return chosen;
  },
};
