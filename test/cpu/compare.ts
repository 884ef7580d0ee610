/**
 * Runs random sequences on the host's processor and on engine/cpu, and prints one line of JSON: what was compared, or
 * the first difference with its seed, or why it could not be tried. `node compare.ts MODE SEED SEQUENCES`, MODE 32 or 64.
 */
import { PAGE_BYTES } from '../../engine/cpu/index.ts';
import { BASE, CODE, Guest, HANDLERS, register } from './guest.ts';
import {
  HostProcessor,
  type HostRegisters,
  type Mode,
  MXCSR_AFTER_RESET,
  xmmWords,
} from './host-processor.ts';
import {
  nextInstruction,
  nextInstruction64,
  Operands,
  Operands64,
  type Piece,
  type Window,
} from './instructions/index.ts';
import { report } from './outcome.ts';
import { Random } from './random.ts';
import { startUnit, unitOf, hex as unitText } from './unit.ts';

/** Code in the first page, operands around the border of the second and the third. */
const DATA = BASE + PAGE_BYTES;
const DATA_BYTES = 2 * PAGE_BYTES;
const WINDOW: Window = { start: DATA + PAGE_BYTES - 256, bytes: 512 };
/** Room below and above for what the stack and strings reach. */
const COMPARED = { start: WINDOW.start - 1024, bytes: WINDOW.bytes + 2048 };
const ARITHMETIC = 0x8d5;
const DF = 0x400;
const IF = 0x200;

const SIGNAL_OF_VECTOR: ReadonlyMap<number, number> = new Map([
  [0, 8],
  [6, 4],
  [13, 11],
  [14, 11],
  [16, 8],
  [19, 8],
]);

const RFLAGS = register('RFLAGS');
interface Sequence {
  readonly pieces: readonly Piece[];
  readonly code: Uint8Array;
  readonly data: Uint8Array;
  readonly start: HostRegisters;
  readonly unit: Uint8Array;
}

const PIECES = 24;
const HLT = 0xf4;

/** Bits at the ends of single and of double precision: denormal, smallest, largest, infinite, quiet and signaling. */
const SINGLES = [
  0x00000001, 0x007fffff, 0x00800000, 0x00800001, 0x7f7fffff, 0x7f800000, 0x7fc00001, 0x7fa00000, 0,
];
const DOUBLES = [
  0, 0x000fffff, 0x00100000, 0x00100001, 0x7fefffff, 0x7ff00000, 0x7ff80000, 0x7ff40000, 0x38000000,
];

const LETTERS = [0, 1, 1, 2, 2, 3, 0x7f, 0x80, 0x81];

/** MXCSR after reset, or with any rounding, flags and zeros, seldom with exceptions that are not masked. */
function startMxcsr(random: Random): number {
  if (random.below(3) === 0) return MXCSR_AFTER_RESET;
  const masks = random.below(4) === 0 ? (random.u32() & 0x1f80) | 0x1000 : 0x1f80;
  const zeros = random.below(3) === 0 ? random.u32() & 0x8040 : 0;
  return masks | zeros | (random.u32() & 0x6000) | (random.below(2) === 0 ? 0 : random.u32() & 0x3f);
}

/** Numbers of both precisions, some of them none. */
function startXmm(mode: Mode, random: Random): Int32Array {
  const words = new Int32Array(xmmWords(mode));
  const bytes = new Uint8Array(words.buffer);
  const doubles = new Float64Array(words.buffer);
  const singles = new Float32Array(words.buffer);
  for (let r = 0; r < words.length / 4; r += 1) {
    for (let n = 0; n < 4; n += 1) words[4 * r + n] = random.value();
    const small = (random.below(2001) - 1000) / (1 << random.below(12));
    const signed = (from: readonly number[]): number => random.pick(from) | (random.below(2) << 31);
    const kind = random.below(7);
    if (kind < 2) for (let n = 0; n < 4; n += 1) singles[4 * r + n] = small * (n + 1);
    else if (kind < 4) for (let n = 0; n < 2; n += 1) doubles[2 * r + n] = small / (n + 3);
    // Strings of few letters.
    else if (kind === 6) for (let n = 0; n < 16; n += 1) bytes[16 * r + n] = random.pick(LETTERS);
    else if (kind === 4) for (let n = 0; n < 4; n += 1) words[4 * r + n] = signed(SINGLES);
    else for (let n = 1; n < 4; n += 2) words[4 * r + n] = signed(DOUBLES);
  }
  return words;
}

function makeSequence(mode: Mode, seed: number): Sequence {
  const random = new Random(seed);
  const pieces: Piece[] = [];
  if (mode === 64) {
    const operands = new Operands64(random, WINDOW);
    while (pieces.length < PIECES) pieces.push(...nextInstruction64(operands));
  } else {
    const operands = new Operands(random, WINDOW);
    while (pieces.length < PIECES) pieces.push(...nextInstruction(operands));
  }
  const data = Uint8Array.from({ length: COMPARED.bytes }, () => random.value());
  const general = Array.from({ length: mode === 64 ? 16 : 8 }, () =>
    mode === 64 ? random.value64() : BigInt(random.value()),
  );
  general[4] = BigInt(WINDOW.start + WINDOW.bytes / 2);
  const eflags = (random.u32() & ARITHMETIC) | IF | 2;
  return {
    pieces,
    code: Uint8Array.from([...pieces.flatMap((piece) => piece.bytes), HLT]),
    data,
    unit: startUnit(random, random.below(12) === 0),
    start: { general, xmm: startXmm(mode, random), mxcsr: startMxcsr(random), eip: CODE, eflags },
  };
}

const hex = (value: number | bigint): string => value.toString(16);

const hexAll = ({ general, xmm, mxcsr, eip, eflags }: HostRegisters): string =>
  [...general, ...xmm, mxcsr, eip, eflags].map(hex).join(' ');

/** The registers in which the two differ, or undefined. */
function difference(host: HostRegisters, guest: HostRegisters, ignoredFlags: number): string | undefined {
  const names = ['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di'];
  const wrong = host.general.flatMap((value, r) =>
    value === guest.general[r]
      ? []
      : `${names[r] ?? `r${r}`} host ${hex(value)} guest ${hex(guest.general[r]!)}`,
  );
  host.xmm.forEach((word, n) => {
    if (word !== guest.xmm[n])
      wrong.push(`xmm${n >> 2}[${n & 3}] host ${hex(word >>> 0)} guest ${hex(guest.xmm[n]! >>> 0)}`);
  });
  if (host.mxcsr !== guest.mxcsr) wrong.push(`mxcsr host ${hex(host.mxcsr)} guest ${hex(guest.mxcsr)}`);
  if (host.eip !== guest.eip) wrong.push(`eip host ${hex(host.eip)} guest ${hex(guest.eip)}`);
  const mask = (ARITHMETIC | DF) & ~ignoredFlags;
  if (((host.eflags ^ guest.eflags) & mask) !== 0)
    wrong.push(`eflags host ${hex(host.eflags & mask)} guest ${hex(guest.eflags & mask)}`);
  return wrong.length === 0 ? undefined : wrong.join(', ');
}

class Comparison {
  readonly #mode: Mode;
  readonly host: HostProcessor;
  readonly guest: Guest;
  steps = 0;
  faults = 0;
  readonly results = 0;
  readonly exact = 0;

  constructor(mode: Mode) {
    this.#mode = mode;
    this.host = new HostProcessor(mode, BASE, PAGE_BYTES + DATA_BYTES);
    this.guest = new Guest(mode);
  }

  /** The first difference in the sequence of this seed. */
  run(seed: number): string | undefined {
    const sequence = makeSequence(this.#mode, seed);
    this.host.write(CODE, sequence.code);
    this.guest.write(CODE, sequence.code);
    this.host.write(COMPARED.start, sequence.data);
    this.guest.write(COMPARED.start, sequence.data);
    this.host.set(sequence.start);
    this.guest.start(sequence.start);
    this.host.setX87(sequence.unit);
    this.guest.setX87(sequence.unit);
    const pieceAt = new Map<number, Piece>();
    let at = CODE;
    for (const piece of sequence.pieces) {
      pieceAt.set(at, piece);
      at += piece.bytes.length;
    }

    let before = sequence.start;
    for (;;) {
      const piece = pieceAt.get(before.eip);
      if (piece === undefined) break;
      const where = `seed ${seed}, ${piece.name} [${Buffer.from(piece.bytes).toString('hex')}] from ${before.general.map(hex).join(' ')} flags ${hex(before.eflags)} mxcsr ${hex(before.mxcsr)}`;
      const signal = this.#stepHost(before.eip);
      const exit = this.guest.cpu.run(1);
      this.steps += 1;
      const guest = this.guest.get();
      if (guest.eip >= HANDLERS && guest.eip < HANDLERS + 32) {
        this.faults += 1;
        const vector = guest.eip - HANDLERS;
        if (SIGNAL_OF_VECTOR.get(vector) !== signal)
          return `${where}: guest vector ${vector}, host signal ${signal}`;
        const { mxcsr } = this.host.get();
        if (mxcsr !== guest.mxcsr) return `${where}: mxcsr host ${hex(mxcsr)} guest ${hex(guest.mxcsr)}`;
        const wrong = this.#unitDifference();
        if (wrong !== undefined) return `${where}: ${wrong}`;
        break;
      }
      if (signal !== 0) return `${where}: host signal ${signal}, guest none`;
      if (exit.kind !== 'budget') return `${where}: guest exit ${exit.kind}`;
      const host = this.host.get();
      const wrong = difference(host, guest, piece.undefinedFlags) ?? this.#unitDifference();
      if (wrong !== undefined) return `${where}: ${wrong}`;
      // What is undefined goes on as the host has it.
      this.guest.cpu.setRegister(RFLAGS, BigInt((host.eflags & (ARITHMETIC | DF)) | IF | 2));
      before = host;
    }
    return this.#memoryDifference(seed, sequence.pieces) ?? this.#blockDifference(seed, sequence);
  }

  /**
   * The comparison above runs one instruction at a time. A run of whole blocks, up to the HLT behind the sequence or a
   * fault, must end in the state that single instructions end in.
   */
  #blockDifference(seed: number, sequence: Sequence): string | undefined {
    const ends = [1, 1_000_000].map((budget) => {
      this.guest.write(CODE, sequence.code);
      this.guest.write(COMPARED.start, sequence.data);
      this.guest.start(sequence.start);
      this.guest.setX87(sequence.unit);
      const before = this.guest.cpu.executed;
      let exit = this.guest.cpu.run(budget);
      while (exit.kind === 'budget') exit = this.guest.cpu.run(budget);
      return JSON.stringify({
        exit: exit.kind,
        registers: hexAll(this.guest.get()),
        unit: unitText(unitOf(this.guest.getX87())),
        executed: this.guest.cpu.executed - before,
        memory: Buffer.from(this.guest.read(COMPARED.start, COMPARED.bytes)).toString('hex'),
      });
    });
    return ends[0] === ends[1] ? undefined : `seed ${seed}: by instructions ${ends[0]}, by blocks ${ends[1]}`;
  }

  /** The x87 unit, and with it MMX. */
  #unitDifference(): string | undefined {
    const [host, guest] = [unitOf(this.host.getX87()), unitOf(this.guest.getX87())];
    if (host.every((byte, n) => byte === guest[n])) return undefined;
    return `host ${unitText(host)} guest ${unitText(guest)}`;
  }

  /** One instruction; a repeated one stops after each element with EIP still on it. */
  #stepHost(eip: number): number {
    for (;;) {
      const signal = this.host.step();
      if (signal !== 0 || this.host.get().eip !== eip) return signal;
    }
  }

  #memoryDifference(seed: number, pieces: readonly Piece[]): string | undefined {
    const host = this.host.read(COMPARED.start, COMPARED.bytes);
    const guest = this.guest.read(COMPARED.start, COMPARED.bytes);
    const at = host.findIndex((byte, i) => byte !== guest[i]);
    if (at < 0) return undefined;
    const names = pieces.map((piece) => piece.name).join('; ');
    return `seed ${seed}, memory at ${hex(COMPARED.start + at)}: host ${hex(host[at]!)} guest ${hex(guest[at]!)} after ${names}`;
  }
}

report((mode) => new Comparison(mode));
