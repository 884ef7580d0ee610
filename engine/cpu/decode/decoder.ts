/** Bytes to one instruction (Intel SDM 2, chapter 2). */

import { inDx, inImm, ins, outDx, outImm, outs } from '../exec/io.ts';
import { undefinedOpcode } from '../exec/system.ts';
import {
  ANY_SIZE,
  BRANCHES,
  LONG_ONLY,
  movRegImm64,
  movRmImm as movRmImm8,
  STACK,
  WIDE,
} from '../exec64/index.ts';
import { markHot } from '../hot/forms.ts';
import {
  type Execute,
  Instruction,
  LONG_ADDRESS,
  MEMORY,
  REP_NONE,
  REPE,
  REPNE,
  RIP_ADDRESS,
} from '../instruction.ts';
import { lockedBy } from '../locked.ts';
import { CS, DS, ES, FS, GP, GS, type Machine, NO_REGISTER, SS } from '../machine.ts';
import { cut, registerIndex } from '../operands.ts';
import { ONE_BYTE_64 } from './long-mode.ts';
import { ONE_BYTE } from './one-byte.ts';
import type { Entry, Form, Immediate, Row } from './rows.ts';
import { THREE_BYTE_3A, THREE_BYTE_38 } from './three-byte.ts';
import { TWO_BYTE } from './two-byte.ts';

/** Intel SDM 2, 2.3.11: a longer instruction raises #GP. */
export const LONGEST_INSTRUCTION = 15;

/** The bytes ended before the instruction did. */
export const INCOMPLETE = 'incomplete';

function tooLong(m: Machine): void {
  m.fault(GP, m.protectedMode ? 0 : undefined);
}

/** Reads code bytes; past the end it gives zeros and remembers that it did. */
class CodeReader {
  readonly bytes: Uint8Array;
  readonly start: number;
  at: number;

  constructor(bytes: Uint8Array, start: number) {
    this.bytes = bytes;
    this.start = start;
    this.at = start;
  }

  get length(): number {
    return this.at - this.start;
  }

  get pastEnd(): boolean {
    return this.at > this.bytes.length;
  }

  byte(): number {
    const value = this.bytes[this.at] ?? 0;
    this.at += 1;
    return value;
  }

  signedByte(): number {
    return (this.byte() << 24) >> 24;
  }

  word(): number {
    const low = this.byte();
    return low | (this.byte() << 8);
  }

  signedWord(): number {
    return (this.word() << 16) >> 16;
  }

  /** Signed. */
  dword(): number {
    const low = this.word();
    return low | (this.word() << 16);
  }
}

/** The kinds of code: by their default operand size, but 64-bit code for which that is 4 bytes. */
export type CodeMode = 16 | 32 | 64;

interface Prefixes {
  readonly mode: CodeMode;
  operandSize: number;
  /** There is a prefix 66. */
  sized: boolean;
  addressSize: number;
  /** The REX prefix of 64-bit code: W 8, R 4, X 2, B 1 above 0x40; 0 for none. */
  rex: number;
  /** -1 without a segment prefix. */
  segment: number;
  rep: number;
  lock: boolean;
}

const FOUR_BYTES: ReadonlySet<Execute> = new Set([inImm, inDx, outImm, outDx, ins, outs]);

const SEGMENT_PREFIXES: ReadonlyMap<number, number> = new Map([
  [0x26, ES],
  [0x2e, CS],
  [0x36, SS],
  [0x3e, DS],
  [0x64, FS],
  [0x65, GS],
]);

/** Takes the prefix that `byte` is; false where it is none. A REX counts only where the opcode follows. */
function takePrefix(p: Prefixes, byte: number): boolean {
  if (p.mode === 64 && (byte & 0xf0) === 0x40) {
    p.rex = byte;
    return true;
  }
  const segment = SEGMENT_PREFIXES.get(byte);
  // Of 64-bit code only FS and GS have a base.
  if (segment !== undefined) {
    if (p.mode !== 64 || segment >= FS) p.segment = segment;
  } else if (byte === 0x66) {
    p.sized = true;
    p.operandSize = p.mode === 16 ? 4 : 2;
  } else if (byte === 0x67) p.addressSize = p.mode === 32 ? 2 : 4;
  else if (byte === 0xf0) p.lock = true;
  else if (byte === 0xf2) p.rep = REPNE;
  else if (byte === 0xf3) p.rep = REPE;
  else return false;
  p.rex = 0;
  return true;
}

/**
 * The instruction at `start` of `bytes`, in code of a kind. INCOMPLETE where it goes on behind the bytes.
 * What is no instruction becomes one that raises #UD.
 */
export function decode(bytes: Uint8Array, start: number, mode: CodeMode): Instruction | typeof INCOMPLETE {
  const reader = new CodeReader(bytes, start);
  const prefixes: Prefixes = {
    mode,
    operandSize: mode === 16 ? 2 : 4,
    sized: false,
    addressSize: mode / 8,
    rex: 0,
    segment: -1,
    rep: REP_NONE,
    lock: false,
  };
  let opcode = reader.byte();
  while (takePrefix(prefixes, opcode) && reader.length < LONGEST_INSTRUCTION) opcode = reader.byte();
  let table = mode === 64 ? ONE_BYTE_64 : ONE_BYTE;
  if (opcode === 0x0f) {
    table = TWO_BYTE;
    opcode = reader.byte();
    if (opcode === 0x38 || opcode === 0x3a) {
      table = opcode === 0x38 ? THREE_BYTE_38 : THREE_BYTE_3A;
      opcode = reader.byte();
    }
  }
  const instruction = decodeEntry(reader, table[opcode], opcode, prefixes);
  if (reader.length > LONGEST_INSTRUCTION) return finish(new Instruction(tooLong), reader, true);
  if (reader.pastEnd) return INCOMPLETE;
  return instruction;
}

/** One function for each that can be locked. */
const lockedForms = new Map<Execute, Execute>();

function lockedForm(execute: Execute): Execute {
  let form = lockedForms.get(execute);
  if (form === undefined) {
    form = lockedBy(execute);
    lockedForms.set(execute, form);
  }
  return form;
}

function finish(i: Instruction, reader: CodeReader, ends: boolean): Instruction {
  i.length = Math.min(reader.length, LONGEST_INSTRUCTION);
  i.endsBlock = ends;
  return i;
}

/** The row of an entry that the prefixes, or the ModRM byte, choose. */
function rowOf(reader: CodeReader, entry: Entry, p: Prefixes): Row | undefined {
  if (entry === undefined) return undefined;
  if ('none' in entry) {
    // There is no size but that of its own.
    p.operandSize = 4;
    const chosen = p.rep === REPE ? entry.f3 : p.rep === REPNE ? entry.f2 : p.sized ? entry.p66 : entry.none;
    return rowOf(reader, chosen, p);
  }
  if ('plain' in entry)
    return rowOf(reader, p.rep === REPE ? entry.rep : p.rep === REPNE ? entry.repne : entry.plain, p);
  if (!('choose' in entry)) return entry;
  const row = entry.choose(reader.byte());
  // Where it makes the instruction undefined, it is one of its bytes: another one there is another instruction.
  if (row !== undefined) reader.at -= 1;
  return row;
}

function decodeEntry(reader: CodeReader, entry: Entry, opcode: number, p: Prefixes): Instruction {
  const row = rowOf(reader, entry, p);
  const invalid = (): Instruction => finish(new Instruction(undefinedOpcode), reader, true);
  if (row === undefined) return invalid();
  const i = new Instruction(row.execute);
  const form = row.form;
  i.kind = row.kind;
  i.size = form.size === 0 ? p.operandSize : form.size;
  if (p.mode === 64 && !chooseWide(i, row, p)) return invalid();
  i.addressMask = p.addressSize === 2 ? 0xffff : -1;
  if (p.addressSize === 8) i.long = LONG_ADDRESS;
  i.segment = p.segment === -1 ? DS : p.segment;
  i.rep = p.rep;
  if (form.opcodeRegister) i.rm = registerIndex((opcode & 7) | ((p.rex & 1) << 3), i.size, p.rex !== 0);
  if (form.modrm) {
    const modrm = reader.byte();
    if (form.rm === 'memory' && modrm >= 0xc0) return invalid();
    decodeModrm(reader, i, form, modrm, p);
  }
  if (form.absolute) readAbsolute(reader, i, p.addressSize);
  let second = false;
  for (const immediate of form.immediates) {
    const value = readImmediate(reader, i, form, immediate);
    if (second) i.imm2 = value;
    else i.imm = value;
    second = true;
  }
  if (p.lock && !(row.lockable && i.rm === MEMORY)) return invalid();
  if ((p.lock || row.locks) && i.rm === MEMORY) i.execute = lockedForm(i.execute);
  markHot(i);
  return finish(i, reader, row.ends);
}

/**
 * What becomes of an instruction in 64-bit code: with an operand size of 8 bytes, or because of what it does. False where
 * there is nothing for it.
 */
function chooseWide(i: Instruction, { form, anySize }: Row, p: Prefixes): boolean {
  const narrow = i.execute;
  if (form.size === 0 && form.sized) {
    if ((p.rex & 8) !== 0 || BRANCHES.has(narrow) || (STACK.has(narrow) && i.size === 4)) i.size = 8;
  }
  const always = LONG_ONLY.get(narrow);
  if (always !== undefined) {
    i.execute = always;
    return true;
  }
  if (i.size !== 8) return true;
  const wide = WIDE.get(narrow);
  if (wide !== undefined) i.execute = wide;
  else if (!anySize && !ANY_SIZE.has(narrow)) {
    // Ports have no more than 4 bytes.
    if (!FOUR_BYTES.has(narrow)) return false;
    i.size = 4;
  }
  return true;
}

/** An absolute offset is as wide as an address. */
function readAbsolute(reader: CodeReader, i: Instruction, addressSize: number): void {
  if (addressSize === 2) {
    i.disp = reader.word();
    return;
  }
  i.disp = reader.dword();
  if (addressSize === 4) return;
  // The offset is signed: what is taken away with its sign goes to the upper half.
  i.dispHigh = (reader.dword() + (i.disp < 0 ? 1 : 0)) | 0;
}

function readImmediate(reader: CodeReader, i: Instruction, form: Form, immediate: Immediate): number {
  switch (immediate) {
    case 'b':
      return reader.byte();
    case 'w':
      return reader.word();
    case 's':
      return i.size === 8 ? reader.signedByte() : cut(reader.signedByte(), i.size);
    case 'Jb':
      return reader.signedByte();
    case 'Jz':
      return i.size === 2 ? reader.signedWord() : reader.dword();
    case 'A': {
      const offset = i.size === 4 ? reader.dword() : reader.word();
      i.imm2 = reader.word();
      return offset;
    }
    case 'z':
      if (i.size === 2) return reader.word();
      if (i.execute === movRmImm8 && i.rm !== MEMORY && form.opcodeRegister) {
        i.execute = movRegImm64;
        const low = reader.dword();
        i.imm2 = reader.dword();
        return low;
      }
      return reader.dword();
  }
}

function decodeModrm(reader: CodeReader, i: Instruction, form: Form, modrm: number, p: Prefixes): void {
  const reg = ((modrm >> 3) & 7) | ((p.rex & 4) << 1);
  const extended = p.rex !== 0;
  if (form.reg === 'general') i.reg = registerIndex(reg, i.size, extended);
  // There are no more segment registers.
  else i.reg = form.reg === 'segment' ? reg & 7 : reg;
  if (form.narrow !== 0) i.kind = form.narrow;
  if (form.rm === 'none') return;
  const rm = modrm & 7;
  if (modrm >= 0xc0 || form.rm === 'register') {
    const r = rm | ((p.rex & 1) << 3);
    i.rm = registerIndex(r, i.size, extended);
    if (form.narrow !== 0) i.imm = registerIndex(r, form.narrow, extended);
    return;
  }
  const stackBased =
    p.addressSize === 2
      ? decodeAddress16(reader, i, modrm >> 6, rm)
      : decodeAddress32(reader, i, modrm >> 6, rm, p);
  if (p.segment === -1 && stackBased) i.segment = SS;
}

const NONE = 2 * NO_REGISTER;
/** Base and index of the eight 16-bit forms (Intel SDM 2, table 2-1): BX 3, BP 5, SI 6, DI 7. */
const BASES_16 = [3, 3, 5, 5, 6, 7, 5, 3];
const INDEXES_16 = [6, 7, 6, 7];

/** True where the stack segment is the default. */
function decodeAddress16(reader: CodeReader, i: Instruction, mod: number, rm: number): boolean {
  if (mod === 0 && rm === 6) {
    i.disp = reader.word();
    return false;
  }
  const base = BASES_16[rm]!;
  i.base = 2 * base;
  i.index = rm < 4 ? 2 * INDEXES_16[rm]! : NONE;
  i.disp = mod === 0 ? 0 : mod === 1 ? reader.signedByte() : reader.signedWord();
  return base === 5;
}

function decodeAddress32(reader: CodeReader, i: Instruction, mod: number, rm: number, p: Prefixes): boolean {
  let base = rm;
  if (rm === 4) {
    const sib = reader.byte();
    base = sib & 7;
    const index = ((sib >> 3) & 7) | ((p.rex & 2) << 2);
    i.scale = sib >> 6;
    i.index = index === 4 ? NONE : 2 * index;
  }
  if (mod === 0 && base === 5) {
    i.disp = reader.dword();
    // Without an index byte, 64-bit code counts from its own place.
    if (p.mode === 64 && rm === 5) i.long = RIP_ADDRESS;
    return false;
  }
  i.base = 2 * (base | ((p.rex & 1) << 3));
  i.disp = mod === 0 ? 0 : mod === 1 ? reader.signedByte() : reader.dword();
  return (p.rex & 1) === 0 && (base === 4 || base === 5);
}
