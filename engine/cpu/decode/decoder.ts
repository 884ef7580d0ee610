/** Bytes to one instruction (Intel SDM 2, chapter 2). */
import { undefinedOpcode } from '../exec/system.ts';
import { markHot } from '../hot.ts';
import { type Execute, Instruction, MEMORY, REP_NONE, REPE, REPNE } from '../instruction.ts';
import { lockedBy } from '../locked.ts';
import { CS, DS, ES, FS, GP, GS, type Machine, NO_REGISTER, SS } from '../machine.ts';
import { cut, registerIndex } from '../operands.ts';
import { ONE_BYTE } from './one-byte.ts';
import type { Entry, Form, Immediate, Row } from './rows.ts';
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

interface Prefixes {
  operandSize: number;
  addressSize: number;
  /** -1 without a segment prefix. */
  segment: number;
  rep: number;
  lock: boolean;
}

const SEGMENT_PREFIXES: ReadonlyMap<number, number> = new Map([
  [0x26, ES],
  [0x2e, CS],
  [0x36, SS],
  [0x3e, DS],
  [0x64, FS],
  [0x65, GS],
]);

/** Takes the prefix that `byte` is; false where it is none. */
function takePrefix(p: Prefixes, byte: number, code32: boolean): boolean {
  const segment = SEGMENT_PREFIXES.get(byte);
  if (segment !== undefined) p.segment = segment;
  else if (byte === 0x66) p.operandSize = code32 ? 2 : 4;
  else if (byte === 0x67) p.addressSize = code32 ? 2 : 4;
  else if (byte === 0xf0) p.lock = true;
  else if (byte === 0xf2) p.rep = REPNE;
  else if (byte === 0xf3) p.rep = REPE;
  else return false;
  return true;
}

/**
 * The instruction at `start` of `bytes`, in 16-bit or 32-bit code. INCOMPLETE where it goes on behind the bytes.
 * What is no instruction becomes one that raises #UD.
 */
export function decode(bytes: Uint8Array, start: number, code32: boolean): Instruction | typeof INCOMPLETE {
  const reader = new CodeReader(bytes, start);
  const size = code32 ? 4 : 2;
  const prefixes: Prefixes = {
    operandSize: size,
    addressSize: size,
    segment: -1,
    rep: REP_NONE,
    lock: false,
  };
  let opcode = reader.byte();
  while (takePrefix(prefixes, opcode, code32) && reader.length < LONGEST_INSTRUCTION) opcode = reader.byte();
  let table = ONE_BYTE;
  if (opcode === 0x0f) {
    table = TWO_BYTE;
    opcode = reader.byte();
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

function decodeEntry(reader: CodeReader, entry: Entry, opcode: number, p: Prefixes): Instruction {
  let row: Row | undefined;
  if (entry === undefined || !('choose' in entry)) row = entry;
  else {
    row = entry.choose(reader.byte());
    reader.at -= 1;
  }
  const invalid = (): Instruction => finish(new Instruction(undefinedOpcode), reader, true);
  if (row === undefined) return invalid();
  const i = new Instruction(row.execute);
  const form = row.form;
  i.kind = row.kind;
  i.size = form.size === 0 ? p.operandSize : form.size;
  i.addressMask = p.addressSize === 4 ? -1 : 0xffff;
  i.segment = p.segment === -1 ? DS : p.segment;
  i.rep = p.rep;
  if (form.opcodeRegister) i.rm = registerIndex(opcode & 7, i.size);
  if (form.modrm) {
    const modrm = reader.byte();
    if (form.rm === 'memory' && modrm >= 0xc0) return invalid();
    decodeModrm(reader, i, form, modrm, p);
  }
  if (form.absolute) i.disp = p.addressSize === 4 ? reader.dword() : reader.word();
  let second = false;
  for (const immediate of form.immediates) {
    const value = readImmediate(reader, i, immediate);
    if (second) i.imm2 = value;
    else i.imm = value;
    second = true;
  }
  if (p.lock && !(row.lockable && i.rm === MEMORY)) return invalid();
  if ((p.lock || row.locks) && i.rm === MEMORY) i.execute = lockedForm(row.execute);
  markHot(i);
  return finish(i, reader, row.ends);
}

function readImmediate(reader: CodeReader, i: Instruction, immediate: Immediate): number {
  switch (immediate) {
    case 'b':
      return reader.byte();
    case 'w':
      return reader.word();
    case 's':
      return cut(reader.signedByte(), i.size);
    case 'Jb':
      return reader.signedByte();
    case 'Jz':
      return i.size === 4 ? reader.dword() : reader.signedWord();
    case 'A': {
      const offset = i.size === 4 ? reader.dword() : reader.word();
      i.imm2 = reader.word();
      return offset;
    }
    case 'z':
      return i.size === 4 ? reader.dword() : reader.word();
  }
}

function decodeModrm(reader: CodeReader, i: Instruction, form: Form, modrm: number, p: Prefixes): void {
  const reg = (modrm >> 3) & 7;
  if (form.reg === 'general') i.reg = registerIndex(reg, i.size);
  else i.reg = reg;
  if (form.narrow !== 0) i.kind = form.narrow;
  if (form.rm === 'none') return;
  const rm = modrm & 7;
  if (modrm >= 0xc0 || form.rm === 'register') {
    i.rm = registerIndex(rm, i.size);
    if (form.narrow !== 0) i.imm = registerIndex(rm, form.narrow);
    return;
  }
  const stackBased =
    p.addressSize === 4
      ? decodeAddress32(reader, i, modrm >> 6, rm)
      : decodeAddress16(reader, i, modrm >> 6, rm);
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

function decodeAddress32(reader: CodeReader, i: Instruction, mod: number, rm: number): boolean {
  let base = rm;
  if (rm === 4) {
    const sib = reader.byte();
    base = sib & 7;
    const index = (sib >> 3) & 7;
    i.scale = sib >> 6;
    i.index = index === 4 ? NONE : 2 * index;
  }
  if (mod === 0 && base === 5) {
    i.disp = reader.dword();
    return false;
  }
  i.base = 2 * base;
  i.disp = mod === 0 ? 0 : mod === 1 ? reader.signedByte() : reader.dword();
  return base === 4 || base === 5;
}
