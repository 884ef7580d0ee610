/**
 * Runs random sequences on the host's processor and on engine/cpu, and prints one line of JSON: what was compared, or
 * the first difference with its seed, or why it could not be tried. `node compare.ts SEED SEQUENCES`.
 */
import { registers } from '../../engine/abi/index.ts';
import { EXECUTE, GuestCpu, type GuestPage, PAGE_BYTES, READ, WRITE } from '../../engine/cpu/index.ts';
import { HostProcessor, type HostRegisters, Unavailable, USER_DS, USER32_CS } from './host-processor.ts';
import { nextInstruction, Operands, type Piece, type Window } from './instructions/index.ts';
import { Random } from './random.ts';

/** What the test reads. */
export type Outcome =
  | { readonly kind: 'equal'; readonly sequences: number; readonly steps: number; readonly faults: number }
  | { readonly kind: 'different'; readonly what: string }
  | { readonly kind: 'unavailable'; readonly why: string };

/** Code in the first page, operands around the border of the second and the third. */
const BASE = 0x10000000;
const CODE = BASE;
const DATA = BASE + PAGE_BYTES;
const DATA_BYTES = 2 * PAGE_BYTES;
const WINDOW: Window = { start: DATA + PAGE_BYTES - 256, bytes: 512 };
/** Room below and above for what the stack and strings reach. */
const COMPARED = { start: WINDOW.start - 1024, bytes: WINDOW.bytes + 2048 };
const ARITHMETIC = 0x8d5;
const DF = 0x400;
const IF = 0x200;

/** Exceptions of the guest go to HLTs here, one for each vector, at level 0 on their own stack. */
const HANDLERS = 0x2000;
const IDT = 0x1000;
const GDT = 0x1800;
const TSS = 0x3000;
const SIGNAL_OF_VECTOR: ReadonlyMap<number, number> = new Map([
  [0, 8],
  [6, 4],
  [13, 11],
  [14, 11],
]);

const register = (name: string): number => registers.number(`HV_X64_REGISTER_${name}`);
const GENERAL = register('RAX');
const RIP = register('RIP');
const RFLAGS = register('RFLAGS');
const segment = (selector: number, limit: number, attributes: number): bigint =>
  (BigInt(limit) << 64n) | (BigInt(selector) << 96n) | (BigInt(attributes) << 112n);

class Guest {
  readonly #pages = new Map<number, GuestPage>();
  readonly cpu = new GuestCpu({ page: (gpaPage) => this.#pages.get(gpaPage) });

  constructor() {
    for (const page of [0, 1, 2, 3, ...[0, 1, 2].map((n) => CODE / PAGE_BYTES + n)])
      this.#pages.set(page, { bytes: new Uint8Array(PAGE_BYTES), permissions: READ | WRITE | EXECUTE });
    for (let vector = 0; vector < 32; vector += 1) {
      const handler = HANDLERS + vector;
      // Interrupt gate, DPL 0, code selector 8.
      this.write(IDT + vector * 8, [handler & 0xff, handler >> 8, 8, 0, 0, 0x8e, 0, 0]);
      this.write(handler, [0xf4]);
    }
    const flat = (access: number): number[] => [0xff, 0xff, 0, 0, 0, access, 0xcf, 0];
    this.write(GDT + 8, [...flat(0x9b), ...flat(0x93)]);
    // SS0:ESP0 of the TSS.
    this.write(TSS + 4, [0, 0x1c, 0, 0, 16, 0, 0, 0]);
    this.cpu.setRegister(register('CR0'), 0x11n);
    this.cpu.setRegister(register('GDTR'), (BigInt(GDT) << 64n) | (0xffn << 48n));
    this.cpu.setRegister(register('IDTR'), (BigInt(IDT) << 64n) | (0xffn << 48n));
    this.cpu.setRegister(register('TR'), BigInt(TSS) | segment(0x28, 0x67, 0x8b));
  }

  write(gpa: number, bytes: ArrayLike<number>): void {
    for (let i = 0; i < bytes.length; i += 1)
      this.#pages.get(Math.floor((gpa + i) / PAGE_BYTES))!.bytes[(gpa + i) % PAGE_BYTES] = bytes[i]!;
  }

  read(gpa: number, length: number): Uint8Array {
    return Uint8Array.from(
      { length },
      (_, i) => this.#pages.get(Math.floor((gpa + i) / PAGE_BYTES))!.bytes[(gpa + i) % PAGE_BYTES]!,
    );
  }

  /** User mode, with the selectors that the host's process has. */
  start(at: HostRegisters): void {
    this.cpu.setRegister(register('CS'), segment(USER32_CS, 0xffffffff, 0xc0fb));
    for (const name of ['DS', 'ES', 'SS'])
      this.cpu.setRegister(register(name), segment(USER_DS, 0xffffffff, 0xc0f3));
    at.general.forEach((value, r) => {
      this.cpu.setRegister(GENERAL + r, BigInt(value));
    });
    this.cpu.setRegister(RIP, BigInt(at.eip));
    this.cpu.setRegister(RFLAGS, BigInt(at.eflags));
  }

  get(): HostRegisters {
    return {
      general: Array.from({ length: 8 }, (_, r) => Number(this.cpu.getRegister(GENERAL + r))),
      eip: Number(this.cpu.getRegister(RIP)),
      eflags: Number(this.cpu.getRegister(RFLAGS)),
    };
  }
}

interface Sequence {
  readonly pieces: readonly Piece[];
  readonly code: Uint8Array;
  readonly data: Uint8Array;
  readonly start: HostRegisters;
}

const PIECES = 24;
const HLT = 0xf4;

function makeSequence(seed: number): Sequence {
  const random = new Random(seed);
  const operands = new Operands(random, WINDOW);
  const pieces: Piece[] = [];
  while (pieces.length < PIECES) pieces.push(...nextInstruction(operands));
  const data = Uint8Array.from({ length: COMPARED.bytes }, () => random.value());
  const general = Array.from({ length: 8 }, () => random.value());
  general[4] = WINDOW.start + WINDOW.bytes / 2;
  const eflags = (random.u32() & ARITHMETIC) | IF | 2;
  return {
    pieces,
    code: Uint8Array.from([...pieces.flatMap((piece) => piece.bytes), HLT]),
    data,
    start: { general, eip: CODE, eflags },
  };
}

const hex = (value: number): string => (value >>> 0).toString(16);

/** The registers in which the two differ, or undefined. */
function difference(host: HostRegisters, guest: HostRegisters, ignoredFlags: number): string | undefined {
  const names = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi'];
  const wrong = names.flatMap((name, r) =>
    host.general[r] === guest.general[r]
      ? []
      : `${name} host ${hex(host.general[r]!)} guest ${hex(guest.general[r]!)}`,
  );
  if (host.eip !== guest.eip) wrong.push(`eip host ${hex(host.eip)} guest ${hex(guest.eip)}`);
  const mask = (ARITHMETIC | DF) & ~ignoredFlags;
  if (((host.eflags ^ guest.eflags) & mask) !== 0)
    wrong.push(`eflags host ${hex(host.eflags & mask)} guest ${hex(guest.eflags & mask)}`);
  return wrong.length === 0 ? undefined : wrong.join(', ');
}

class Comparison {
  readonly host = new HostProcessor(BASE, PAGE_BYTES + DATA_BYTES);
  readonly guest = new Guest();
  steps = 0;
  faults = 0;

  /** The first difference in the sequence of this seed. */
  run(seed: number): string | undefined {
    const sequence = makeSequence(seed);
    this.host.write(CODE, sequence.code);
    this.guest.write(CODE, sequence.code);
    this.host.write(COMPARED.start, sequence.data);
    this.guest.write(COMPARED.start, sequence.data);
    this.host.set(sequence.start);
    this.guest.start(sequence.start);
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
      const where = `seed ${seed}, ${piece.name} [${Buffer.from(piece.bytes).toString('hex')}] from ${JSON.stringify(
        before.general.map(hex),
      )} flags ${hex(before.eflags)}`;
      const signal = this.#stepHost(before.eip);
      const exit = this.guest.cpu.run(1);
      this.steps += 1;
      const guest = this.guest.get();
      if (guest.eip >= HANDLERS && guest.eip < HANDLERS + 32) {
        this.faults += 1;
        const vector = guest.eip - HANDLERS;
        if (SIGNAL_OF_VECTOR.get(vector) !== signal)
          return `${where}: guest vector ${vector}, host signal ${signal}`;
        break;
      }
      if (signal !== 0) return `${where}: host signal ${signal}, guest none`;
      if (exit.kind !== 'budget') return `${where}: guest exit ${exit.kind}`;
      const host = this.host.get();
      const wrong = difference(host, guest, piece.undefinedFlags);
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
      const before = this.guest.cpu.executed;
      let exit = this.guest.cpu.run(budget);
      while (exit.kind === 'budget') exit = this.guest.cpu.run(budget);
      return JSON.stringify({
        exit: exit.kind,
        ...this.guest.get(),
        executed: this.guest.cpu.executed - before,
        memory: Buffer.from(this.guest.read(COMPARED.start, COMPARED.bytes)).toString('hex'),
      });
    });
    return ends[0] === ends[1] ? undefined : `seed ${seed}: by instructions ${ends[0]}, by blocks ${ends[1]}`;
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

function compare(seed: number, sequences: number): Outcome {
  let comparison: Comparison | undefined;
  try {
    comparison = new Comparison();
    for (let n = 0; n < sequences; n += 1) {
      const what = comparison.run(seed + n);
      if (what !== undefined) return { kind: 'different', what };
    }
    return { kind: 'equal', sequences, steps: comparison.steps, faults: comparison.faults };
  } catch (error) {
    if (error instanceof Unavailable) return { kind: 'unavailable', why: error.message };
    throw error;
  } finally {
    comparison?.host.end();
  }
}

console.log(JSON.stringify(compare(Number(process.argv[2]), Number(process.argv[3]))));
