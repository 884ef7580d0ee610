/** Flags, control registers, descriptor-table registers, and what the hypervisor answers. */
import { AC, CF, carry, DF, IF, IOPL, setCarry } from '../flags.ts';
import { PAGE_BYTES } from '../guest-memory.ts';
import { type Instruction, MEMORY } from '../instruction.ts';
import {
  CR0_ET,
  CR0_PE,
  CR0_PG,
  CR0_TS,
  CR0_WP,
  CS,
  GP,
  type Machine,
  RAX,
  RCX,
  RDX,
  UD,
} from '../machine.ts';
import { flushTranslation, flushTranslations, further, load, probeStore, store } from '../memory.ts';
import { effectiveAddress, offsetFrom, readRm, registerIndex, writeRegister, writeRm } from '../operands.ts';
import { CR4_PAE, CR4_PSE, CR4_SMAP, CR4_SMEP, POINTER_RESERVED } from '../paging.ts';
import { LONG, segmentWritten } from '../segment-state.ts';
import { type TableRegister, tableInstructions } from './tables.ts';

export function undefinedOpcode(m: Machine): void {
  m.fault(UD);
}

export function needLevel0(m: Machine): void {
  if (m.cpl !== 0) m.fault(GP, 0);
}

export function clc(m: Machine): void {
  setCarry(m, 0);
}

export function stc(m: Machine): void {
  setCarry(m, CF);
}

export function cmc(m: Machine): void {
  setCarry(m, carry(m) ^ 1);
}

export function cld(m: Machine): void {
  m.flags &= ~DF;
}

export function std(m: Machine): void {
  m.flags |= DF;
}

function needInterruptFlag(m: Machine): void {
  if (m.cpl > (m.flags & IOPL) >> 12) m.fault(GP, 0);
}

export function cli(m: Machine): void {
  needInterruptFlag(m);
  m.flags &= ~IF;
}

/** The instruction after STI is not interrupted where interrupts were off before. */
export function sti(m: Machine): void {
  needInterruptFlag(m);
  if ((m.flags & IF) === 0) m.interruptShadow = true;
  m.flags |= IF;
}

export function hlt(m: Machine, i: Instruction): void {
  needLevel0(m);
  m.stop({ kind: 'halt', instructionLength: i.length });
}

export function cpuid(m: Machine, i: Instruction): void {
  m.stop({
    kind: 'cpuid',
    leaf: m.g32[2 * RAX]! >>> 0,
    subleaf: m.g32[2 * RCX]! >>> 0,
    instructionLength: i.length,
  });
}

export function rdmsr(m: Machine, i: Instruction): void {
  needLevel0(m);
  m.stop({ kind: 'rdmsr', msr: m.g32[2 * RCX]! >>> 0, instructionLength: i.length });
}

export function wrmsr(m: Machine, i: Instruction): void {
  needLevel0(m);
  const value = (BigInt(m.g32[2 * RDX]! >>> 0) << 32n) | BigInt(m.g32[2 * RAX]! >>> 0);
  m.stop({ kind: 'wrmsr', msr: m.g32[2 * RCX]! >>> 0, value, instructionLength: i.length });
}

/** Real mode and outer levels may not call (TLFS, hypercall interface, legal hypercall environments). */
export function vmcall(m: Machine, i: Instruction): void {
  if (!m.protectedMode || m.cpl !== 0) m.fault(UD);
  m.stop({ kind: 'hypercall', instructionLength: i.length });
}

const CR4_TSD = 4;

/** Without a clock of the host the time is the number of executed instructions, so that a run can be repeated. */
export function rdtsc(m: Machine): void {
  if ((m.cr4 & CR4_TSD) !== 0) needLevel0(m);
  const tsc = m.timeStamp;
  writeRegister(m, 2 * RAX, 4, Number(BigInt.asIntN(32, tsc)));
  writeRegister(m, 2 * RDX, 4, Number(BigInt.asIntN(32, tsc >> 32n)));
}

/** RDTSC, and in ECX the number that the guest gave this processor. */
export function rdtscp(m: Machine): void {
  rdtsc(m);
  writeRegister(m, 2 * RCX, 4, m.tscAux);
}

/** WBINVD, INVD: there are no caches. */
export function cacheControl(m: Machine): void {
  needLevel0(m);
}

export function invlpg(m: Machine, i: Instruction): void {
  needLevel0(m);
  const offset = effectiveAddress(m, i);
  flushTranslation(m, m.flat[i.segment] === 1 ? offset : further(m, m.bases[i.segment]!, offset));
}

/** Bits of CR0 that exist (Intel SDM 3, 2.5). */
const CR0_BITS = 0xe005003f;

/** Not write-through without caches disabled is no combination (Intel SDM 2, MOV to control registers). */
const CR0_NW = 0x20000000;
const CR0_CD = 0x40000000;

const EFER_LME = 0x100;
const EFER_LMA = 0x400;

/** Works out whether long mode is active (Intel SDM 3, 9.8.5): EFER.LMA follows LME and paging. */
function longModeWritten(m: Machine): void {
  m.longMode = (m.efer & EFER_LME) !== 0 && (m.cr0 & CR0_PG) !== 0;
  m.efer = m.longMode ? m.efer | EFER_LMA : m.efer & ~EFER_LMA;
  segmentWritten(m, CS);
}

/** Writes EFER. */
export function setEfer(m: Machine, value: number): void {
  m.efer = value;
  longModeWritten(m);
  flushTranslations(m);
}

/** Writes CR0; false where the combination is not allowed. */
export function setCr0(m: Machine, value: number): boolean {
  const next = ((value & CR0_BITS) | CR0_ET) >>> 0;
  if ((next & CR0_PG) !== 0 && (next & CR0_PE) === 0) return false;
  const changed = (next ^ m.cr0) >>> 0;
  m.cr0 = next;
  if ((changed & CR0_PE) !== 0) for (let segment = 0; segment < 8; segment += 1) segmentWritten(m, segment);
  if ((changed & (CR0_PE | CR0_PG | CR0_WP)) !== 0) {
    longModeWritten(m);
    flushTranslations(m);
  }
  return true;
}

function writeCr0(m: Machine, value: number): void {
  if ((value & (CR0_NW | CR0_CD)) === CR0_NW) m.fault(GP, 0);
  const starts = (value & CR0_PG) !== 0 && (m.cr0 & CR0_PG) === 0;
  if (starts && (m.efer & EFER_LME) !== 0) {
    // Into long mode: not without PAE, and not from a segment that would be 64-bit code at once.
    if ((m.cr4 & CR4_PAE) === 0 || (m.attributes[CS]! & LONG) !== 0) m.fault(GP, 0);
  } else if (starts && (m.cr4 & CR4_PAE) !== 0) checkPointers(m, m.cr3);
  if (m.code64 && (value & CR0_PG) === 0) m.fault(GP, 0);
  if (!setCr0(m, value)) m.fault(GP, 0);
}

/** PAE: the four page-directory-pointer entries are read with CR3, and a reserved bit in one of them is #GP. */
function checkPointers(m: Machine, cr3: number): void {
  const table = (cr3 & 0xffffffe0) >>> 0;
  for (let n = 0; n < 4; n += 1) {
    const page = m.memory.page(Math.floor((table + 8 * n) / PAGE_BYTES));
    if (page === undefined) continue;
    const low = page.bytes[(table + 8 * n) % PAGE_BYTES]!;
    const next = page.bytes[((table + 8 * n) % PAGE_BYTES) + 1]!;
    if ((low & 1) !== 0 && (((next << 8) | low) & POINTER_RESERVED) !== 0) m.fault(GP, 0);
  }
}

function writeCr3(m: Machine, value: number): void {
  if ((m.cr0 & CR0_PG) !== 0 && (m.cr4 & CR4_PAE) !== 0 && !m.longMode) checkPointers(m, value);
  m.cr3 = value;
  flushTranslations(m);
}

/** Bits of CR4 that this processor has: TSD, DE, PSE, PAE, MCE, PGE, PCE, OSFXSR, OSXMMEXCPT, OSXSAVE, SMEP, SMAP. */
const CR4_BITS = 0x3407fc;
/** What changes translations (Intel SDM 3, 4.10.4.1); 0x80 is PGE. */
const CR4_PAGING = CR4_PSE | CR4_PAE | 0x80 | CR4_SMEP | CR4_SMAP;

function writeCr4(m: Machine, value: number): void {
  if ((value & ~CR4_BITS) !== 0) m.fault(GP, 0);
  const changed = value ^ m.cr4;
  if (m.longMode && (value & CR4_PAE) === 0) m.fault(GP, 0);
  const startsPae = (changed & value & CR4_PAE) !== 0 && (m.cr0 & CR0_PG) !== 0;
  if (startsPae) checkPointers(m, m.cr3);
  m.cr4 = value;
  if ((changed & CR4_PAGING) !== 0) flushTranslations(m);
}

/** One that does not exist is no instruction, whatever the level. */
export function needControl(m: Machine, number: number): void {
  if (number !== 0 && number !== 2 && number !== 3 && number !== 4 && number !== 8) m.fault(UD);
  needLevel0(m);
}

export function movFromCr(m: Machine, i: Instruction): void {
  needControl(m, i.reg);
  writeRegister(m, i.rm, 4, readControl(m, i.reg));
}

export function readControl(m: Machine, number: number): number {
  switch (number) {
    case 0:
      return m.cr0;
    case 2:
      return m.cr2;
    case 3:
      return m.cr3;
    case 4:
      return m.cr4;
    default:
      return m.cr8;
  }
}

export function movToCr(m: Machine, i: Instruction): void {
  needControl(m, i.reg);
  writeControl(m, i.reg, m.g32[i.rm]! >>> 0);
}

/** A whole number of any sign; what a register has no bits for is #GP. */
export function writeControl(m: Machine, number: number, value: number): void {
  switch (number) {
    case 0:
      if (value < 0 || value > 0xffffffff) m.fault(GP, 0);
      writeCr0(m, value);
      return;
    case 2:
      m.cr2 = value;
      return;
    case 3:
      if (value < 0 || value >= CR3_END) m.fault(GP, 0);
      writeCr3(m, value);
      return;
    case 4:
      if (value < 0 || value > 0xffffffff) m.fault(GP, 0);
      writeCr4(m, value);
      return;
    default:
      if (value < 0 || value > 15) m.fault(GP, 0);
      m.cr8 = value;
  }
}

/** Above the width of a physical address. */
const CR3_END = 0x100_0000_0000;

const CR4_DE = 8;

/** As {@link needControl}. */
export function needDebug(m: Machine, number: number): void {
  if (number > 7) m.fault(UD);
  needLevel0(m);
}

/** DR4 and DR5 are names of DR6 and DR7 (Intel SDM 3, 17.2.2). */
export function debugRegister(m: Machine, number: number): number {
  if (number !== 4 && number !== 5) return number;
  if ((m.cr4 & CR4_DE) !== 0) m.fault(UD);
  return number + 2;
}

export function movFromDr(m: Machine, i: Instruction): void {
  needDebug(m, i.reg);
  writeRegister(m, i.rm, 4, m.dr[debugRegister(m, i.reg)]!);
}

export function movToDr(m: Machine, i: Instruction): void {
  needDebug(m, i.reg);
  writeDebug(m, debugRegister(m, i.reg), m.g32[i.rm]! >>> 0);
}

/** Of DR6 and DR7 some bits always read as 1 or 0 (Intel SDM 3, figure 17-1). */
export function writeDebug(m: Machine, number: number, value: number): void {
  if (number === 6) m.dr[6] = ((value & 0x1e00f) | 0xffff0ff0) >>> 0;
  else if (number === 7) m.dr[7] = ((value & ~0xd000) | 0x400) >>> 0;
  else m.dr[number] = value;
}

/** LMSW changes the low four bits of CR0, and cannot clear PE. */
export function lmsw(m: Machine, i: Instruction): void {
  needLevel0(m);
  const value = (readRm(m, i) & 15) | (m.cr0 & CR0_PE);
  setCr0(m, (m.cr0 & ~15) | value);
}

export function smsw(m: Machine, i: Instruction): void {
  if (i.rm === MEMORY) store(m, i.segment, effectiveAddress(m, i), 2, m.cr0 & 0xffff);
  else writeRm(m, i, i.size === 4 ? m.cr0 | 0 : m.cr0 & 0xffff);
}

/** CLAC and STAC: the kernel uses its users' pages between the two (Intel SDM 3, 4.6.1). */
export function clac(m: Machine): void {
  needSmap(m);
  m.flags &= ~AC;
  m.leaveUsersPages();
}

export function stac(m: Machine): void {
  needSmap(m);
  m.flags |= AC;
}

function needSmap(m: Machine): void {
  if (m.cpl !== 0) m.fault(UD);
}

export function clts(m: Machine): void {
  needLevel0(m);
  m.cr0 = (m.cr0 & ~CR0_TS) >>> 0;
}

function storeTable(m: Machine, i: Instruction, base: number, limit: number): void {
  const at = effectiveAddress(m, i);
  const rest = offsetFrom(i, at, 2);
  probeStore(m, i.segment, at, 2);
  probeStore(m, i.segment, rest, 4);
  store(m, i.segment, at, 2, limit);
  store(m, i.segment, rest, 4, base);
}

/** Limit and base of the operand; a 16-bit operand size loads 24 bits of base. */
function loadTable(m: Machine, i: Instruction): TableRegister {
  needLevel0(m);
  const at = effectiveAddress(m, i);
  const limit = load(m, i.segment, at, 2);
  const base = load(m, i.segment, offsetFrom(i, at, 2), 4);
  return { limit, base: (i.size === 2 ? base & 0xffffff : base) >>> 0 };
}

export const { sgdt, sidt, lgdt, lidt } = tableInstructions(storeTable, loadTable);

/** SALC: AL becomes 0 or 0xff after CF (undocumented, on all processors). */
export function salc(m: Machine): void {
  m.g8[registerIndex(RAX, 1)] = -carry(m);
}
