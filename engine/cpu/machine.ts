/** The state of one virtual processor; what the instructions work on. */
import type { Block } from './decode/code-cache.ts';
import type { CpuExit, MemoryAccess } from './exits.ts';
import type { DevicePage, GuestMemory, GuestPage } from './guest-memory.ts';
import { clearTag, Tlb } from './tlb.ts';

/** Indexes of the general registers in instruction encodings. */
export const RAX = 0;
export const RCX = 1;
export const RDX = 2;
export const RBX = 3;
export const RSP = 4;
export const RBP = 5;
export const RSI = 6;
export const RDI = 7;

export const R11 = 11;

export const GPR_COUNT = 16;
/** A seventeenth register that stays 0: what addressing forms without a base or an index add. */
export const NO_REGISTER = 16;

export const XMM_COUNT = 16;
/** Registers more than there are: where operands of memory stand, and what an instruction works on before it is done. */
export const XMM_SCRATCH = 16;
export const XMM_WORK = 17;

/** Indexes of the segment registers in instruction encodings; LDTR and TR follow as the hypervisor numbers them. */
export const ES = 0;
export const CS = 1;
export const SS = 2;
export const DS = 3;
export const FS = 4;
export const GS = 5;
export const LDTR = 6;
export const TR = 7;

export const CR0_PE = 0x1;
export const CR0_MP = 0x2;
export const CR0_EM = 0x4;
export const CR0_TS = 0x8;
export const CR0_ET = 0x10;
export const CR0_NE = 0x20;
export const CR0_WP = 0x10000;
export const CR0_PG = 0x80000000;

/** EFLAGS.VM, which is never lazy: see flags.ts. */
const FLAG_VM = 0x20000;

/** The first linear address that is not canonical; those from its negative on are. */
export const CANONICAL_END = 0x8000_0000_0000;

/** No page starts here. */
export const NO_TAG = -1;

/** A page with decoded code; decode/code-cache.ts has the blocks. */
export interface CodePage {
  readonly gpaPage: number;
  readonly page: GuestPage;
  /** 1 for each byte of the page that a decoded block covers. */
  readonly covered: Uint8Array;
}

/** Thrown to leave an instruction; made once, so that throwing is cheap. */
export class Fault extends Error {}
export class Exit extends Error {}
const FAULT = new Fault('guest exception');
const EXIT = new Exit('exit');

/** An exit of an access, before the run loop adds the instruction's bytes. */
export interface PendingAccess {
  readonly gpa: number;
  readonly gva: number;
  readonly size: number;
  readonly access: MemoryAccess;
  readonly mapped: boolean;
  readonly value: bigint | undefined;
}

/**
 * What numbers begin with that may have more than 32 bits, before they get their value: V8 keeps a field as what it held
 * first, and one that becomes a float later costs all code that was compiled until then.
 */
const FLOAT = Number.POSITIVE_INFINITY;

export class Machine {
  readonly memory: GuestMemory;
  /** Registers that stand in memory. */
  readonly device: DevicePage | undefined;

  /** Views of the same registers: register r is g32[2r] and g32[2r + 1], g16[4r], g8[8r] and, high byte, g8[8r + 1]. */
  readonly g32: Int32Array;
  readonly g16: Uint16Array;
  readonly g8: Uint8Array;
  readonly g64: BigUint64Array;

  /** Offset in CS of the next instruction; while a block runs, of the first after it. */
  ip = FLOAT;
  /** RFLAGS but for the arithmetic flags and bit 1, which is always set. */
  flags = 0;
  /** The arithmetic flags, lazily: see flags.ts. Signed 32 bits. */
  result = 0;
  carries = 0;

  readonly selectors = new Uint16Array(8);
  readonly bases = new Float64Array(8);
  /** Last valid offset of a segment that grows up; in bytes. */
  readonly limits = new Uint32Array(8);
  /** hv_x64_segment_register: type 0..3, S 4, DPL 5..6, P 7, AVL 12, L 13, D/B 14, G 15. */
  readonly attributes = new Uint16Array(8);
  /** Derived from limits and attributes: the last offset that may be read or written, -1 for none. */
  readonly readLimits = new Float64Array(8);
  readonly writeLimits = new Float64Array(8);
  /** Derived: 1 where every offset may be read and written and is the linear address. */
  readonly flat = new Uint8Array(8);

  gdtBase = FLOAT;
  gdtLimit = 0xffff;
  idtBase = FLOAT;
  idtLimit = 0xffff;

  cr0 = FLOAT;
  cr2 = FLOAT;
  cr3 = FLOAT;
  cr4 = 0;
  cr8 = 0;
  efer = 0;
  /** STAR's upper half, LSTAR, SFMASK: what SYSCALL reads of them. */
  starHigh = FLOAT;
  starLow = FLOAT;
  lstar = FLOAT;
  sfmask = FLOAT;
  kernelGsBase = FLOAT;
  /** What SYSENTER and SYSEXIT read. */
  sysenterCs = 0;
  sysenterEip = FLOAT;
  sysenterEsp = FLOAT;
  /** Of the operand of 64 bits that was read last: see wide-operands.ts. */
  high = 0;
  /** The block that runs: its offset in its page, the offset in CS where that page starts, and the halves of this. */
  blockAt = 0;
  pageIp = FLOAT;
  pageLow = 0;
  pageHigh = 0;
  /** The decoded blocks of that page, by offset. */
  blocks: readonly (Block | undefined)[] = [];
  /** How many instructions of it hot/chain.ts runs. */
  end = 0;
  /** Derived from EFER and CR0: long mode is active. */
  longMode = false;
  /** Derived: it is, and CS holds 64-bit code. */
  code64 = false;
  readonly dr = new Float64Array(8);
  /** The x87 unit: control and status word, a bit for each physical register that is not empty. */
  fpControl = 0x40;
  fpStatus = 0;
  fpTags = 0;
  /** Opcode and address of its last instruction (16 and 64 bits), and the address of its operand: kept as they were written. */
  fpLast = 0n;
  fpData = 0n;
  /** Its registers from the top of the stack on, four words each, as FXSAVE stores them. */
  readonly fpStack = new Int32Array(32);
  /** As `xmmTouched`. */
  fpTouched = false;
  mxcsr = 0x1f80;
  /** XCR0, whose bit 0 counts as set. */
  xcr0 = 0;
  /** Views of the XMM registers and of those beyond (XMM_SCRATCH, XMM_WORK): register r is x32[4r] and so on. */
  readonly x8: Uint8Array;
  readonly xs8: Int8Array;
  readonly x16: Uint16Array;
  readonly xs16: Int16Array;
  readonly x32: Int32Array;
  readonly x64: BigUint64Array;
  readonly f64: Float64Array;
  /** An instruction has had to do with them since the registers that changed were last asked for. */
  xmmTouched = false;
  /** Registers that the processor only keeps, by hypervisor name: model-specific ones and others. */
  readonly kept = new Map<number, bigint>();
  /** Model-specific registers that are a value and nothing else, by their numbers. */
  readonly modelSpecific = new Map<number, bigint>();

  /** Derived from the attributes of SS: what the stack pointer is cut to. */
  stackMask = 0xffff;
  /** Derived from the attributes of CS. */
  code32 = false;
  /** Derived: the base of CS, and the last offset in it. */
  codeBase = FLOAT;
  codeLimit = FLOAT;

  /** Instructions executed since creation. */
  executed = FLOAT;
  /** What RDTSC reads, with tscOffset added, where the host has a clock; else it is `executed`. */
  readonly clock: (() => number) | undefined;
  tscOffset = 0n;
  /** What RDTSCP gives beside the time. */
  tscAux = 0;

  /** Makes the run loop leave the block after this instruction: the block's own bytes were written. */
  leaveBlock = false;
  /** Index in its block of the instruction that runs, where it may leave: see hot/chain.ts. */
  position = 0;
  /** The next instruction is executed before any interrupt is taken (STI, MOV SS). */
  interruptShadow = false;
  /** An NMI is being handled: the next one waits for the IRET (Intel SDM 3, 7.7.1). */
  nmiBlocked = false;

  faultVector = 0;
  faultError: number | undefined;
  exit: CpuExit | undefined;
  pendingAccess: PendingAccess | undefined;
  /** A fault that is raised belongs to the instruction at `ip`, the first of a task that was just switched to. */
  faultInNewTask = false;

  /** Translations of levels 0 to 2, and those of level 3. */
  readonly tlbs: readonly [Tlb, Tlb];
  /** Of the current one. */
  readTags: Int32Array;
  writeTags: Int32Array;
  readViews: DataView[];
  writeViews: DataView[];
  readPages: (GuestPage | undefined)[];
  writePages: (GuestPage | undefined)[];
  /** Accesses are those of level 3. Derived from the attributes of SS. */
  user = false;
  /** An access that the processor makes for itself at level 3. */
  implicit = false;
  /** Of the last translation: whether level 3 may use the page; of any since all were forgotten: a page was large. */
  translatedUser = false;
  translatedLarge = false;
  /** How often translations were forgotten: another processor that goes on with this state has to forget its own. */
  translationsForgotten = 0;
  /** Slots of the first TLB with pages of level 3, which SMAP guards. */
  readonly usersPages: number[] = [];
  /** The four page-directory-pointer entries of PAE, low and high halves, once they were read. */
  readonly pointers = new Int32Array(8);
  pointersLoaded = false;
  /** Where the operand of a read-modify-write instruction is, between the read and the write. */
  updateView: DataView | undefined;
  updateOffset = FLOAT;
  /** While an instruction with LOCK runs (locked.ts): what its operand was, its page where that holds code, and whether
   * another VP has changed it since. */
  locked = false;
  updateRead = 0;
  updateReadHigh = 0;
  updateCode = -1;
  lost = false;
  readonly beforeLocked = new Int32Array((GPR_COUNT + 1) * 2);

  /** Pages with decoded code by GPA page: stores to them are looked at (memory.ts). */
  readonly codePages = new Map<number, CodePage>();
  /** Drops the decoded blocks of a page; set by the code cache. */
  dropCode: (gpaPage: number) => void = () => {};
  /** Forgets at which addresses code pages stand; set by the code cache. */
  forgetCodeAddresses: () => void = () => {};

  constructor(memory: GuestMemory, device?: DevicePage, clock?: () => number) {
    this.memory = memory;
    this.device = device;
    this.clock = clock;
    this.executed = 0;
    const buffer = new ArrayBuffer((GPR_COUNT + 1) * 8);
    this.g32 = new Int32Array(buffer);
    this.g16 = new Uint16Array(buffer);
    this.g8 = new Uint8Array(buffer);
    this.g64 = new BigUint64Array(buffer);
    const xmm = new ArrayBuffer((XMM_WORK + 1) * 16);
    this.x8 = new Uint8Array(xmm);
    this.xs8 = new Int8Array(xmm);
    this.x16 = new Uint16Array(xmm);
    this.xs16 = new Int16Array(xmm);
    this.x32 = new Int32Array(xmm);
    this.x64 = new BigUint64Array(xmm);
    this.f64 = new Float64Array(xmm);
    const none = new DataView(new ArrayBuffer(0));
    this.tlbs = [new Tlb(none), new Tlb(none)];
    this.readTags = this.tlbs[0].readTags;
    this.writeTags = this.tlbs[0].writeTags;
    this.readViews = this.tlbs[0].readViews;
    this.writeViews = this.tlbs[0].writeViews;
    this.readPages = this.tlbs[0].readPages;
    this.writePages = this.tlbs[0].writePages;
  }

  /** The time-stamp counter. */
  get timeStamp(): bigint {
    const time = this.clock === undefined ? this.executed : this.clock();
    return BigInt.asUintN(64, BigInt(time) + this.tscOffset);
  }

  set timeStamp(value: bigint) {
    this.tscOffset += value - this.timeStamp;
  }

  /** Accesses from here on are those of level 3, or not. */
  setUser(user: boolean): void {
    if (this.user === user) return;
    this.user = user;
    const tlb = this.tlbs[user ? 1 : 0];
    this.readTags = tlb.readTags;
    this.writeTags = tlb.writeTags;
    this.readViews = tlb.readViews;
    this.writeViews = tlb.writeViews;
    this.readPages = tlb.readPages;
    this.writePages = tlb.writePages;
  }

  /** AC is clear: the kernel may not use the pages of its users any more, where SMAP guards them. */
  leaveUsersPages(): void {
    const [kernel] = this.tlbs;
    for (const slot of this.usersPages) {
      clearTag(kernel.readTags, slot);
      clearTag(kernel.writeTags, slot);
    }
    this.usersPages.length = 0;
  }

  /** The processor reads or writes its own tables while level 3 runs. */
  beginImplicit(): void {
    this.setUser(false);
    this.implicit = true;
  }

  endImplicit(): void {
    this.implicit = false;
    this.setUser(true);
  }

  /** Raises a guest exception out of the current instruction. */
  fault(vector: number, error?: number): never {
    this.faultVector = vector;
    this.faultError = error;
    throw FAULT;
  }

  /**
   * Has the run loop return after the current instruction, which does nothing else and ends its block: for the exits
   * that are everyday. A throw costs as much as hundreds of instructions.
   */
  stop(exit: CpuExit): void {
    this.exit = exit;
  }

  /** Leaves the current instruction for the VMM or the hypervisor. */
  leave(exit: CpuExit): never {
    this.exit = exit;
    throw EXIT;
  }

  /** Leaves the current instruction because of an access that memory does not answer. */
  leaveForAccess(access: PendingAccess): never {
    this.pendingAccess = access;
    throw EXIT;
  }

  get protectedMode(): boolean {
    return (this.cr0 & CR0_PE) !== 0;
  }

  /** Real mode or virtual-8086 mode: a selector is the number of a paragraph. */
  get realSegments(): boolean {
    return (this.cr0 & CR0_PE) === 0 || this.virtual8086;
  }

  get virtual8086(): boolean {
    return (this.flags & FLAG_VM) !== 0;
  }

  /** Current privilege level: the DPL of SS (Intel SDM 3, 5.5); 0 in real mode. */
  get cpl(): number {
    return this.protectedMode ? (this.attributes[SS]! >> 5) & 3 : 0;
  }
}

/** Where an event comes from: decides on the gate's privilege check and the EXT bit of error codes. */
export type EventSource = 'exception' | 'software' | 'external';

/** Exception vectors (Intel SDM 3, table 6-1). */
export const DE = 0;
export const DB = 1;
export const BP = 3;
export const OVERFLOW = 4;
export const BR = 5;
export const UD = 6;
export const NM = 7;
export const DOUBLE_FAULT = 8;
export const TS = 10;
export const NP = 11;
export const STACK_FAULT = 12;
export const GP = 13;
export const PAGE_FAULT = 14;
export const MF = 16;
export const XM = 19;
