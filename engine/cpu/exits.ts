/** Why `GuestCpu.run` returned. RIP points at the instruction of the exit, which had no effect yet. */

/** What every exit of an instruction carries. */
interface OfInstruction {
  /** Bytes of the instruction: what completing it adds to RIP. */
  readonly instructionLength: number;
}

export interface IoExit extends OfInstruction {
  readonly kind: 'io';
  readonly port: number;
  /** 1, 2 or 4 bytes. */
  readonly size: number;
  readonly direction: 'in' | 'out';
  /** INS or OUTS: the data is in memory at ES:RDI or `segment`:RSI; completing it is the VMM's work. */
  readonly string: boolean;
  readonly rep: boolean;
  /** How many elements are still to be moved; 1 without REP. */
  readonly count: number;
  /** What OUT writes; 0 for IN and for string instructions. */
  readonly value: number;
  /** Segment index of the source of OUTS (ES 0, CS, SS, DS, FS, GS 5). */
  readonly segment: number;
  /** Up to 15 bytes from CS:RIP on. */
  readonly instructionBytes: Uint8Array;
}

export type MemoryAccess = 'read' | 'write' | 'execute';

export interface MemoryExit extends OfInstruction {
  readonly kind: 'memory';
  readonly gpa: number;
  /** Linear address of the access. */
  readonly gva: number;
  readonly size: number;
  readonly access: MemoryAccess;
  /** True where the page is there and only the permission is missing. */
  readonly mapped: boolean;
  /** What a plain store writes; undefined for reads and where the value depends on what is read. */
  readonly value: bigint | undefined;
  /** Up to 15 bytes from CS:RIP on; empty where they cannot be fetched. */
  readonly instructionBytes: Uint8Array;
}

export interface CpuidExit extends OfInstruction {
  readonly kind: 'cpuid';
  readonly leaf: number;
  readonly subleaf: number;
}

export interface ReadMsrExit extends OfInstruction {
  readonly kind: 'rdmsr';
  readonly msr: number;
}

export interface WriteMsrExit extends OfInstruction {
  readonly kind: 'wrmsr';
  readonly msr: number;
  readonly value: bigint;
}

/** VMCALL: input and output are in the registers of the TLFS calling convention. */
export interface HypercallExit extends OfInstruction {
  readonly kind: 'hypercall';
}

export interface HaltExit extends OfInstruction {
  readonly kind: 'halt';
}

/** A triple fault: an exception during the delivery of a double fault. */
export interface ShutdownExit {
  readonly kind: 'shutdown';
}

/** The instruction budget is used up. */
export interface BudgetExit {
  readonly kind: 'budget';
}

/** An interrupt could be delivered now, and the caller asked to be told. */
export interface InterruptWindowExit {
  readonly kind: 'interrupt-window';
}

/** The guest turned on what this processor does not have. */
export interface UnsupportedExit extends OfInstruction {
  readonly kind: 'unsupported';
  readonly what: string;
}

export type CpuExit =
  | IoExit
  | MemoryExit
  | CpuidExit
  | ReadMsrExit
  | WriteMsrExit
  | HypercallExit
  | HaltExit
  | ShutdownExit
  | BudgetExit
  | InterruptWindowExit
  | UnsupportedExit;
