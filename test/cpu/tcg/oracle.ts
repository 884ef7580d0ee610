/** Cases out of seeds, run on both sides and compared. */
import { type Piece, piece } from '../instructions/operands.ts';
import { Random } from '../random.ts';
import { runGuest } from './guest.ts';
import { BODY, HANDLERS, Image, RAM_BYTES, SETUP, VECTORS } from './image.ts';
import { instructions } from './kinds/instructions.ts';
import { interrupts, returns } from './kinds/interrupts.ts';
import { type Choices, definesFlags, type Kind, turnedOver } from './kinds/kind.ts';
import { paging } from './kinds/paging.ts';
import { segments, transfers } from './kinds/segments.ts';
import { system } from './kinds/system.ts';
import { tasks } from './kinds/tasks.ts';
import { mendErrorCode, mendMemory } from './known.ts';
import { Qemu, type QemuEnd } from './qemu.ts';
import { type Mode, randomGeneral, type Start, writeSetup } from './setup.ts';
import { stateDifference } from './state.ts';

const KINDS: readonly Kind[] = [
  ...[instructions, paging, segments, transfers, interrupts, returns, system, tasks],
];

export interface GroupName {
  readonly mode: string;
  readonly kind: string;
}

export interface Tally {
  agree: number;
  differ: number;
  /** Of those that agree, how many ended in a handler. */
  faults: number;
  /** Not compared, by reason. */
  readonly apart: Map<string, number>;
}

/** A case that comes to its end takes a millisecond, but the machine may be busy. */
const TIMEOUT_MS = 3000;
const ARITHMETIC = 0x8d5;

export function groupNames(): GroupName[] {
  return KINDS.flatMap((kind) => kind.modes.map((mode) => ({ mode: mode.name, kind: kind.name })));
}

/** The levels that a mode has code for. */
function levelsOf(kind: Kind, mode: Mode): readonly number[] {
  if (mode.virtual8086) return [3];
  if (!mode.protectedMode) return [0];
  const levels = kind.levels ?? [0];
  return mode.bits === 32 ? levels : levels.filter((level) => level === 0 || level === 3);
}

export interface MadeCase {
  readonly image: Buffer;
  readonly pieces: readonly Piece[];
  readonly start: Start;
}

/** In 16-bit code the pieces of 32-bit code are turned over, but for those that are made for it. */
function codeOf(mode: Mode, kind: Kind, pieces: readonly Piece[]): Piece[] {
  return pieces.flatMap((p) => {
    const own = mode.bits === 16 && kind !== instructions ? turnedOver(p) : p;
    return p.undefinedFlags === 0 ? [own] : [own, definesFlags(p.bytes.length)];
  });
}

export function makeCase(kind: Kind, mode: Mode, seed: number): MadeCase {
  const random = new Random(seed);
  const choices: Choices = {
    level: random.pick(levelsOf(kind, mode)),
    flags: (random.u32() & ARITHMETIC) | 2,
    cr0: 0,
    cr4: 0,
    efer: 0,
  };
  kind.choose?.(random, choices, mode);
  const start: Start = { mode, ...choices, general: randomGeneral(random, mode) };
  const image = new Image();
  let at = writeSetup(image, start);
  const body = kind.body({ random, image, mode, level: start.level });
  const pieces = [...codeOf(mode, kind, body), piece('hlt', [0xf4])];
  for (const { bytes } of pieces) at = image.put(at, bytes);
  return { image: image.bytes, pieces, start };
}

const BREAKPOINTS = Array.from({ length: VECTORS }, (_, vector) => HANDLERS + vector);

export class Oracle {
  readonly #qemu: Qemu;
  readonly #breakpoints = new Set(BREAKPOINTS);
  readonly differences: string[] = [];

  constructor(program: string) {
    this.#qemu = new Qemu(program, RAM_BYTES, BREAKPOINTS);
  }

  end(): void {
    this.#qemu.end();
  }

  /** Runs `cases` cases of a group, with seeds from `seed` on. */
  async group(name: GroupName, seed: number, cases: number): Promise<Tally> {
    const kind = KINDS.find((one) => one.name === name.kind)!;
    const mode = kind.modes.find((one) => one.name === name.mode)!;
    const tally: Tally = { agree: 0, differ: 0, faults: 0, apart: new Map() };
    for (let n = 0; n < cases; n += 1) await this.#case(kind, mode, seed + n, tally);
    return tally;
  }

  async #case(kind: Kind, mode: Mode, seed: number, tally: Tally): Promise<void> {
    const made = makeCase(kind, mode, seed);
    const apart = (reason: string): void => {
      tally.apart.set(reason, (tally.apart.get(reason) ?? 0) + 1);
    };
    const guest = runGuest(made.image, SETUP, this.#breakpoints);
    if (guest.kind === 'unsupported') return apart(guest.what ?? guest.kind);
    if (guest.kind !== 'stopped' && guest.kind !== 'shutdown') return apart(guest.kind);
    const qemu = await this.#qemu.run(
      made.image,
      SETUP,
      guest.kind === 'stopped' ? guest.at : undefined,
      TIMEOUT_MS,
    );
    const wrong = this.#wrong(mode, qemu, guest);
    if (wrong.length === 0) tally.agree += 1;
    else {
      tally.differ += 1;
      this.differences.push(describe(kind, seed, made, wrong));
    }
    if (guest.kind === 'stopped' && guest.at >= HANDLERS && guest.at < HANDLERS + VECTORS) tally.faults += 1;
  }

  #wrong(mode: Mode, qemu: QemuEnd, guest: ReturnType<typeof runGuest>): string[] {
    if (qemu.kind === 'shutdown')
      return guest.kind === 'shutdown'
        ? []
        : [`QEMU shut down, here ${guest.kind} at ${guest.at.toString(16)}`];
    const ignored = new Set<string>();
    // Without protected mode nothing loads these: they are what an earlier case left.
    if (!mode.protectedMode)
      for (const name of ['LDTR', 'TR'])
        for (const part of ['selector', 'base', 'limit', 'attributes']) ignored.add(`${name}.${part}`);
    // As are these without 64-bit code.
    if (mode.bits !== 64) for (let r = 8; r < 16; r += 1) ignored.add(`R${r}`);
    const wrong = stateDifference(qemu.state, guest.state, ignored, 0);
    if (guest.kind === 'shutdown') return ['here shut down', ...wrong];
    if (qemu.kind === 'endless') return ['QEMU does not come to a stop', ...wrong];
    const memory = Buffer.from(qemu.memory);
    mendMemory(mode, guest.kind === 'stopped' && !this.#breakpoints.has(guest.at), memory, guest.memory);
    if (this.#breakpoints.has(guest.at))
      mendErrorCode(mode, guest.at - HANDLERS, Number(guest.state.get('RSP')), memory, guest.memory);
    return [...wrong, ...memoryDifference(memory, guest.memory)];
  }
}

function memoryDifference(qemu: Buffer, guest: Buffer): string[] {
  if (qemu.equals(guest)) return [];
  const found: string[] = [];
  for (let at = 0; at < qemu.length && found.length < 8; at += 4) {
    const [a, b] = [qemu.readUInt32LE(at), guest.readUInt32LE(at)];
    if (a !== b) found.push(`[${at.toString(16)}]: QEMU ${a.toString(16)}, here ${b.toString(16)}`);
  }
  return found;
}

function describe(kind: Kind, seed: number, { pieces, start }: MadeCase, wrong: readonly string[]): string {
  const code = pieces.map(({ name, bytes }) => `  ${Buffer.from(bytes).toString('hex').padEnd(24)} ${name}`);
  const { mode, level, flags, cr0, cr4, efer } = start;
  const how = `level ${level}, flags ${flags.toString(16)}, cr0 ${cr0.toString(16)}, cr4 ${cr4.toString(16)}, efer ${efer.toString(16)}`;
  return [
    `${mode.name}: ${kind.name}, seed ${seed}, ${how}, code from ${BODY.toString(16)}`,
    ...code,
    ...wrong.map((line) => `  ! ${line}`),
  ].join('\n');
}
