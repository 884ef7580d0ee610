/**
 * As compare.ts, for the x87 unit: all registers, tags, control and status word after every instruction, memory at the end.
 * `node compare-x87.ts MODE SEED SEQUENCES`.
 */
import { readFileSync } from 'node:fs';
import { PAGE_BYTES } from '../../engine/cpu/index.ts';
import { BASE, CODE, Guest, HANDLERS, readNumber, register, writeNumber } from './guest.ts';
import { HostProcessor, type HostRegisters, type Mode, MXCSR_AFTER_RESET } from './host-processor.ts';
import type { Piece } from './instructions/index.ts';
import { AREA, DATA_BYTES, nextX87, SLOTS, slot, TRANSCENDENTAL } from './instructions/x87.ts';
import { report } from './outcome.ts';
import { Random } from './random.ts';
import { hex, startUnit, unitOf } from './unit.ts';

const DATA = BASE + PAGE_BYTES;
const PIECES = 24;
const HLT = 0xf4;
const CF_PF_ZF = 0x45;
const ARITHMETIC = 0x8d5;

/** Signals of #UD and #MF. */
const SIGNAL_OF_VECTOR: ReadonlyMap<number, number> = new Map([
  [6, 4],
  [16, 8],
]);

interface Sequence {
  readonly pieces: readonly Piece[];
  readonly code: Uint8Array;
  readonly data: Uint8Array;
  readonly unit: Uint8Array;
  readonly start: HostRegisters;
}

function makeSequence(mode: Mode, seed: number): Sequence {
  const random = new Random(seed);
  const unit = startUnit(random);
  const data = new Uint8Array(DATA_BYTES);
  for (let n = 0; n < SLOTS; n += 1) writeNumber(data, 16 * n, slot(random, n), 16);
  data.set(unit.subarray(0, 2), AREA);
  const pieces: Piece[] = [];
  while (pieces.length < PIECES) pieces.push(...nextX87(random, mode, DATA));
  return {
    pieces,
    code: Uint8Array.from([...pieces.flatMap(({ bytes }) => bytes), HLT]),
    data,
    unit,
    start: {
      general: Array.from({ length: mode === 64 ? 16 : 8 }, () => BigInt(random.value())),
      xmm: new Int32Array(),
      mxcsr: MXCSR_AFTER_RESET,
      eip: CODE,
      eflags: (random.u32() & CF_PF_ZF) | 0x202,
    },
  };
}

const FRACTION = (1n << 63n) - 1n;
const C1 = 2;

/** A register's magnitude as a whole number, whose neighbours are those of the number. */
const magnitudeOf = (bits: bigint): bigint => (((bits >> 64n) & 0x7fffn) << 63n) | (bits & FRACTION);

/** The guest's unit as the host's has it where they differ in the last bit of a result, and in C1 by that. */
function mended(host: Uint8Array, guest: Uint8Array): Uint8Array {
  const area = guest.slice();
  for (const at of [32, 48]) {
    const [h, g] = [host, guest].map((unit) => readNumber(unit, at, 10)) as [bigint, bigint];
    const apart = magnitudeOf(h) - magnitudeOf(g);
    if (h >> 79n === g >> 79n && apart <= 1n && apart >= -1n) area.set(host.subarray(at, at + 10), at);
  }
  area[3] = (area[3]! & ~C1) | (host[3]! & C1);
  return area;
}

const transcendentalOf = ({ bytes: [opcode, modrm] }: Piece): number | undefined =>
  opcode === 0xd9 && TRANSCENDENTAL.includes(modrm!) ? modrm : undefined;

/** Only Intel's processors say how they reduce angles, and how exact they are (SDM 1, 8.3.8 and 8.3.10). */
const IS_INTEL = readFileSync('/proc/cpuinfo', 'utf8').includes('GenuineIntel');

/** Operands of which F2XM1 (beyond 1) and FYL2XP1 (from 1 - sqrt(1/2) on, here a quarter) say nothing. */
function isUndefined(unit: Uint8Array, modrm: number | undefined): boolean {
  const exponent = Number((readNumber(unit, 32, 10) >> 64n) & 0x7fffn);
  if (modrm !== undefined && !IS_INTEL) return true;
  return (modrm === 0xf0 && exponent >= 0x3fff) || (modrm === 0xf9 && exponent >= 0x3ffd);
}

class Comparison {
  readonly host: HostProcessor;
  readonly guest: Guest;
  readonly #mode: Mode;
  steps = 0;
  faults = 0;
  /** Transcendental functions, and those that agree in every bit. */
  results = 0;
  exact = 0;

  constructor(mode: Mode) {
    this.#mode = mode;
    this.host = new HostProcessor(mode, BASE, 3 * PAGE_BYTES);
    this.guest = new Guest(mode);
  }

  /** The first difference in the sequence of this seed. */
  run(seed: number): string | undefined {
    const { pieces, code, data, unit, start } = makeSequence(this.#mode, seed);
    for (const side of [this.host, this.guest]) {
      side.write(CODE, code);
      side.write(DATA, data);
    }
    this.host.set(start);
    this.guest.start(start);
    this.host.setX87(unit);
    this.guest.setX87(unit);
    let before = unit;
    for (const piece of pieces) {
      const modrm = transcendentalOf(piece);
      if (isUndefined(before, modrm)) return undefined;
      const signal = this.host.step();
      this.guest.cpu.run(1);
      this.steps += 1;
      const where = `seed ${seed}, ${piece.name} [${Buffer.from(piece.bytes).toString('hex')}]\n from  ${hex(before)}`;
      const vector = Number(this.guest.cpu.getRegister(register('RIP'))) - HANDLERS;
      if (vector >= 0 && vector < 32) {
        this.faults += 1;
        return SIGNAL_OF_VECTOR.get(vector) === signal
          ? undefined
          : `${where}: guest vector ${vector}, host signal ${signal}`;
      }
      const [host, guest] = [this.host.get(), this.guest.get()];
      const hostUnit = unitOf(this.host.getX87());
      let guestUnit = this.guest.getX87();
      if (modrm !== undefined) {
        this.results += 1;
        if (hex(hostUnit) === hex(guestUnit)) this.exact += 1;
        guestUnit = mended(hostUnit, guestUnit);
        this.guest.setX87(guestUnit);
      }
      const same =
        signal === 0 &&
        host.eip === guest.eip &&
        host.general[0] === guest.general[0] &&
        ((host.eflags ^ guest.eflags) & ARITHMETIC) === 0 &&
        hex(hostUnit) === hex(guestUnit);
      if (!same)
        return `${where}\n host  ${hex(hostUnit)} signal ${signal} eip ${host.eip.toString(16)} flags ${host.eflags.toString(16)}\n guest ${hex(guestUnit)} eip ${guest.eip.toString(16)} flags ${guest.eflags.toString(16)}`;
      before = hostUnit;
    }
    const [hostData, guestData] = [this.host.read(DATA, DATA_BYTES), this.guest.read(DATA, DATA_BYTES)];
    const at = hostData.findIndex((byte, n) => byte !== guestData[n]);
    if (at < 0) return undefined;
    const names = pieces.map(({ name }) => name).join('; ');
    return `seed ${seed}, memory at ${at}: host ${Buffer.from(hostData.subarray(at & ~15, (at & ~15) + 16)).toString('hex')} guest ${Buffer.from(guestData.subarray(at & ~15, (at & ~15) + 16)).toString('hex')} after ${names}`;
  }
}

report((mode) => new Comparison(mode));
