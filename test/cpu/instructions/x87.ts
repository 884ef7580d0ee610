/** Random numbers and instructions for the x87 unit. */
import type { Mode } from '../host-processor.ts';
import type { Random } from '../random.ts';
import { le32, type Piece, piece } from './operands.ts';

const FRACTION = 1n << 63n;

/** A significand's bits at whose edges rounding goes wrong, or any. */
function significand(random: Random): bigint {
  const bit = 1n << BigInt(random.below(64));
  switch (random.below(6)) {
    case 0:
      return 0n;
    case 1:
      return bit;
    case 2:
      return (FRACTION << 1n) - bit;
    case 3:
      return (BigInt(random.u32()) << 32n) & ~((1n << 40n) - 1n);
    default:
      return (BigInt(random.u32()) << 32n) | BigInt(random.u32());
  }
}

/** Exponents of 80 bits: near 1, at the ends of all three formats, or any. */
function exponent(random: Random): number {
  switch (random.below(8)) {
    case 0:
      return random.pick([0, 0, 1, 2, 0x7ffe, 0x7ffd, 0x7fff, 0x7fff]);
    case 1:
      return random.pick([0x3fff - 127, 0x3fff - 1023, 0x3fff + 127, 0x3fff + 1023]) + random.below(60) - 30;
    case 2:
      return random.below(0x8000);
    default:
      return 0x3fff + random.below(80) - 20;
  }
}

/** The 80 bits of a number; a few are none of the formats that have a meaning. */
export function extended(random: Random): bigint {
  const power = exponent(random);
  const sign = random.below(2) << 15;
  const integer = random.below(20) === 0 ? random.below(2) === 0 : power !== 0;
  const bits = (significand(random) & (FRACTION - 1n)) | (integer ? FRACTION : 0n);
  return (BigInt(sign | power) << 64n) | bits;
}

const FORMATS = [
  { bits: 32, fraction: 23, bias: 127, exponents: 255 },
  { bits: 64, fraction: 52, bias: 1023, exponents: 2047 },
] as const;

function narrow(random: Random, { bits, fraction, bias, exponents }: (typeof FORMATS)[number]): bigint {
  const power = [0, 1, exponents - 1, exponents, bias, bias + random.below(70) - 20, random.below(exponents)];
  const top = BigInt(random.pick(power) & exponents) << BigInt(fraction);
  const part = BigInt.asUintN(fraction, significand(random) >> BigInt(random.below(12)));
  return top | part | (BigInt(random.below(2)) << BigInt(bits - 1));
}

function decimal(random: Random): bigint {
  let value = BigInt(random.below(2)) << 79n;
  for (let digit = 0n; digit < 18n; digit += 1n) value |= BigInt(random.below(10)) << (4n * digit);
  return value;
}

export const controlWord = (random: Random): number =>
  (random.below(4) === 0 ? random.below(64) : 0x3f) |
  0x40 |
  (random.pick([0, 2, 3, 3]) << 8) |
  (random.below(4) << 10);

/** Slots of 16 bytes, one sort after the other; whole numbers and control words are any bytes of them. */
export const SLOTS = 24;
const DECIMALS = 18;
const SLOT_BYTES = 16;
/** Behind the slots: what FNSTENV and FNSAVE write and FLDENV and FRSTOR read. */
export const AREA = SLOTS * SLOT_BYTES;
/** And what XSAVE writes. */
const XSAVE_AREA = AREA + 128;
export const DATA_BYTES = XSAVE_AREA + 576;

/** What a slot holds at the beginning. */
export function slot(random: Random, n: number): bigint {
  if (n >= DECIMALS) return decimal(random);
  if (n % 3 === 2) return extended(random);
  return narrow(random, FORMATS[n % 3 === 0 ? 0 : 1]);
}

const CONTROL_FORMS = [0xd92, 0xd93, 0xdd2, 0xdd3, 0xdb2, 0xdb3, 0xdf2, 0xdf3, 0xdf7, 0xdb7, 0xdf6, 0xdb5];
const EVERY_MEMORY_FORM: readonly number[] = [
  ...[0xd8, 0xda, 0xdc, 0xde].flatMap((opcode) => [0, 1, 2, 3, 4, 5, 6, 7].map((reg) => (opcode << 4) | reg)),
  ...[0xd90, 0xdd0, 0xdb0, 0xdf0, 0xdf4, 0xdf5, 0xd97, 0xdd7, 0xd95],
  // FISTTP.
  ...[0xdb1, 0xdd1, 0xdf1],
  ...CONTROL_FORMS,
  ...CONTROL_FORMS,
  ...[0xd96, 0xd94, 0xdd6, 0xdd4],
];
const FBLD = 0xdf4;
const FLDCW = 0xd95;
const STATE_FORMS: ReadonlySet<number> = new Set([0xd96, 0xd94, 0xdd6, 0xdd4]);

/** F2XM1, FYL2X, FPTAN, FPATAN, FYL2XP1, FSINCOS, FSIN, FCOS: the processor's results may differ in the last bit. */
export const TRANSCENDENTAL: readonly number[] = [0xf0, 0xf1, 0xf2, 0xf3, 0xf9, 0xfb, 0xfe, 0xff];

const absolute = (mode: Mode, reg: number, address: number): number[] =>
  mode === 64 ? [(reg << 3) | 4, 0x25, ...le32(address)] : [(reg << 3) | 5, ...le32(address)];

function withMemory(random: Random, mode: Mode, data: number): readonly Piece[] {
  const form = random.pick(EVERY_MEMORY_FORM);
  const [opcode, reg] = [form >> 4, form & 15];
  const name = `x87 ${opcode.toString(16)}/${reg}`;
  const at = (address: number, prefix: readonly number[] = []): Piece =>
    piece(name, [...prefix, opcode, ...absolute(mode, reg, address)]);
  if (!STATE_FORMS.has(form)) {
    const n = form === FBLD ? DECIMALS + random.below(SLOTS - DECIMALS) : random.below(DECIMALS);
    const address = data + SLOT_BYTES * n;
    if (form !== FLDCW) return [at(address)];
    return [
      piece('mov', [0x66, 0xc7, ...absolute(mode, 0, address), ...le32(controlWord(random)).slice(0, 2)]),
      at(address),
    ];
  }
  const area = data + AREA;
  const narrowArea = random.below(2) === 0;
  const instruction = at(area, narrowArea ? [0x66] : []);
  if (reg === 4) return [instruction];
  // Where the last instruction and its operand were is not compared.
  const fields = narrowArea ? [6, 10] : [12, 16, 20, 24];
  return [
    instruction,
    ...fields.map((field) => piece('mov', [0xc7, ...absolute(mode, 0, area + field), 0, 0, 0, 0])),
  ];
}

/** XSAVE of the x87 state, and mostly XRSTOR of it, with a header that says so or not. */
function extendedState(random: Random, mode: Mode, data: number): readonly Piece[] {
  const area = data + XSAVE_AREA;
  const put = (at: number, value: number): Piece =>
    piece('mov', [0xc7, ...absolute(mode, 0, at), value, 0, 0, 0]);
  const zero = (at: number): Piece => put(at, 0);
  // Of a state that is as after reset a processor may say that it is there, or not.
  const there = [put(area + 512, random.below(4) === 0 ? 0 : 1)];
  const select = [piece('mov eax, 1', [0xb8, 1, 0, 0, 0]), piece('xor edx, edx', [0x31, 0xd2])];
  const mask = random.below(3) === 0 ? [piece('mov eax, 0', [0xb8, 0, 0, 0, 0])] : [];
  return [
    ...[...select, piece('xsave', [0x0f, 0xae, ...absolute(mode, 4, area)])],
    // Where the last instruction and its operand were is not compared.
    ...[4, 8, 12, 16, 20].map((at) =>
      at === 4 ? piece('mov', [0x66, 0xc7, ...absolute(mode, 0, area + 6), 0, 0]) : zero(area + at),
    ),
    ...[...there, ...mask],
    ...(random.below(3) === 0 ? [] : [piece('xrstor', [0x0f, 0xae, ...absolute(mode, 5, area)])]),
  ];
}

/** The pieces of one instruction, with its operand among the slots at `data`. */
export function nextX87(random: Random, mode: Mode, data: number): readonly Piece[] {
  if (random.below(5) < 2) return withMemory(random, mode, data);
  if (random.below(3) === 0)
    return [
      piece('x87 special', [0xd9, random.pick([0xe0, 0xe1, 0xe4, 0xe5, 0xf4, 0xf5, 0xf8, 0xfa, 0xfc, 0xfd])]),
    ];
  if (random.below(10) === 0) return [piece('wait', [0x9b])];
  if (random.below(8) === 0) return [piece('transcendental', [0xd9, random.pick(TRANSCENDENTAL)])];
  if (random.below(20) === 0) return extendedState(random, mode, data);
  const [opcode, modrm] = [0xd8 + random.below(8), 0xc0 + random.below(64)];
  return [piece(`x87 ${opcode.toString(16)} ${modrm.toString(16)}`, [opcode, modrm])];
}
