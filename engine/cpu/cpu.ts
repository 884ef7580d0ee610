/** The guest processor: runs decoded blocks until something needs the VMM or the hypervisor. */
import { type Block, CodeCache, mayChain } from './decode/code-cache.ts';
import { LONGEST_INSTRUCTION } from './decode/decoder.ts';
import { deliver, deliverException } from './exec/interrupts.ts';
import { CR4_OSXSAVE } from './exec-sse/xsave.ts';
import type { CpuExit, CpuidExit, ReadMsrExit, WriteMsrExit } from './exits.ts';
import { offered } from './features.ts';
import { IF, TF } from './flags.ts';
import { type DevicePage, EXECUTE, type GuestMemory, PAGE_BYTES } from './guest-memory.ts';
import { BLOCK_DONE, runChain } from './hot/chain.ts';
import { getRegister, setRegister } from './hypervisor-registers.ts';
import type { Instruction } from './instruction.ts';
import { DB, Exit, Fault, GP, Machine, RAX, RBX, RCX, RDX } from './machine.ts';
import { flushTranslations, flushWriteTranslations, further, translate } from './memory.ts';
import { readModelSpecific, writeModelSpecific } from './model-specific.ts';
import { writeRegister } from './operands.ts';
import { RegisterWatch } from './register-watch.ts';
import { reset } from './reset.ts';
import { highOf, lowOf, writeRegister8 } from './wide-operands.ts';

/** The four registers of a CPUID answer. */
export interface CpuidResult {
  readonly eax: number;
  readonly ebx: number;
  readonly ecx: number;
  readonly edx: number;
}

/** What comes between two instructions; a `software` one is the instruction of `length` bytes that RIP stands at. */
export interface Injection {
  readonly kind: 'external' | 'nmi' | 'exception' | 'software';
  readonly vector: number;
  readonly error?: number;
  readonly length?: number;
}

const BUDGET: CpuExit = { kind: 'budget' };
const SHUTDOWN: CpuExit = { kind: 'shutdown' };
const WINDOW: CpuExit = { kind: 'interrupt-window' };

/** DR6.BS: the debug exception is that of single-stepping. */
const DR6_BS = 0x4000;

/** Instructions that are run in one go: the function comes back now and then, so that V8 replaces it by a better one. */
const CHAIN = 1024;

export class GuestCpu {
  readonly #m: Machine;
  readonly #cache: CodeCache;
  readonly #watch: RegisterWatch;
  /** `run` returns with `interrupt-window` as soon as `inject` would deliver an interrupt; or only an NMI. */
  wantInterruptWindow = false;
  wantsNmi = false;

  /**
   * `device`: registers that stand in memory; they hide what `memory` has at their place. `clock`: nanoseconds, what RDTSC
   * counts; without one it counts instructions, and a run can be repeated.
   */
  constructor(memory: GuestMemory, device?: DevicePage, clock?: () => number) {
    this.#m = new Machine(memory, device, clock);
    this.#cache = new CodeCache(this.#m);
    reset(this.#m);
    this.#watch = new RegisterWatch(this.#m);
  }

  /** The state after reset; memory and what was told about it stay. */
  reset(): void {
    reset(this.#m);
  }

  /** Instructions executed since creation; one REP instruction may count several times. */
  get executed(): number {
    return this.#m.executed;
  }

  /** The value of a register by its hypervisor name, in the layout of hv_register_value. */
  getRegister(register: number): bigint {
    return getRegister(this.#m, register);
  }

  setRegister(register: number, value: bigint): void {
    setRegister(this.#m, register, value);
  }

  /** Names of the registers that changed since this was last asked, by the guest or by `setRegister`; TSC, its number
   * of the processor and the interrupt state are not among them. */
  changedRegisters(): number[] {
    return this.#watch.changed();
  }

  /** Pages were mapped, unmapped or changed their permissions. */
  memoryChanged(): void {
    flushTranslations(this.#m);
    this.#cache.dropAll();
  }

  /** Changes whenever the guest, or whoever writes its control registers, has translations forgotten. */
  get translationsForgotten(): number {
    return this.#m.translationsForgotten;
  }

  /** What another processor has forgotten of this VP's translations, this one forgets as well. */
  forgetTranslations(): void {
    flushTranslations(this.#m);
  }

  /** `GuestMemory.written` hears again of pages that it has heard of. */
  forgetWrites(): void {
    flushWriteTranslations(this.#m);
  }

  /** The host wrote to this page while the guest runs. Writes between two runs are seen without this. */
  invalidate(gpaPage: number): void {
    this.#cache.drop(gpaPage);
  }

  /** True where an external interrupt can be delivered before the next instruction. */
  get interruptible(): boolean {
    return (this.#m.flags & IF) !== 0 && !this.#m.interruptShadow;
  }

  /** True where an NMI can be delivered before the next instruction. */
  get nmiInterruptible(): boolean {
    return !this.#m.nmiBlocked && !this.#m.interruptShadow;
  }

  /**
   * Delivers an interrupt or exception. `refused`: IF, an interrupt shadow or an earlier NMI forbids it. An exit: the delivery
   * met an exception that could not be delivered, or memory that does not answer; nothing was changed in the latter case.
   */
  inject({ kind, vector, error, length = 0 }: Injection): 'delivered' | 'refused' | CpuExit {
    if (kind === 'external' && !this.interruptible) return 'refused';
    if (kind === 'nmi' && !this.nmiInterruptible) return 'refused';
    if (kind === 'exception') return this.raise(vector, error) ?? 'delivered';
    const m = this.#m;
    const ip = m.ip;
    m.exit = undefined;
    m.pendingAccess = undefined;
    try {
      m.ip = further(m, ip, length);
      deliver(m, vector, kind === 'software' ? 'software' : 'external');
      if (kind === 'nmi') m.nmiBlocked = true;
      return 'delivered';
    } catch (stopped) {
      return this.#stopped(stopped, ip, undefined) ?? 'delivered';
    }
  }

  /** Executes at most `budgetInstructions` (exactly so many where nothing else stops it) and says why it stopped. */
  run(budgetInstructions: number): CpuExit {
    const m = this.#m;
    const end = m.executed + budgetInstructions;
    this.#cache.beginRun();
    m.exit = undefined;
    m.pendingAccess = undefined;
    for (;;) {
      const exit = this.#runUntilStopped(end);
      if (exit !== undefined) return exit;
    }
  }

  /** Undefined after an exception was delivered: the caller goes on. */
  #runUntilStopped(end: number): CpuExit | undefined {
    const m = this.#m;
    const cache = this.#cache;
    let found: Block | undefined;
    let start = m.ip;
    let shadow = false;
    try {
      for (;;) {
        start = m.ip;
        found = undefined;
        const left = end - m.executed;
        if (left <= 0) return BUDGET;
        if (this.wantInterruptWindow && (this.wantsNmi ? this.nmiInterruptible : this.interruptible))
          return WINDOW;
        if (start > m.codeLimit) m.fault(GP, m.protectedMode ? 0 : undefined);
        found = cache.find();
        const all = found.instructions.length;
        const stepping = (m.flags & TF) !== 0;
        shadow = m.interruptShadow;
        const one = stepping || shadow;
        m.interruptShadow = false;

        m.position = 0;
        const last = (one ? 1 : all <= left ? all : left | 0) - 1;
        const budget = left < CHAIN ? left | 0 : CHAIN;
        const k = runChain(m, cache, found, last, one || all > left || !mayChain(m) ? 0 : budget);
        if (k === BLOCK_DONE) {
          m.leaveBlock = false;
          continue;
        }
        const block = m.blocks[m.blockAt] ?? found;
        const instruction = block.instructions[k]!;
        start = m.pageIp + m.blockAt;
        m.ip = start + instruction.offset + instruction.length;
        if (k < m.end) m.executed += k;
        else instruction.execute(m, instruction);
        if (m.exit !== undefined) {
          // It had no effect: the shadow is still there when the instruction is tried again.
          m.interruptShadow = shadow;
          return this.#exitAt(start + instruction.offset);
        }
        m.executed += 1;
        m.leaveBlock = false;
        if (stepping) {
          start = m.ip;
          found = undefined;
          m.dr[6] = (m.dr[6]! | DR6_BS) >>> 0;
          m.fault(DB);
        }
      }
    } catch (stopped) {
      if (found === undefined) return this.#stopped(stopped, start, undefined);
      // In the straight part of the block nothing is counted yet.
      if (m.position < m.end) m.executed += m.position;
      // An exit has no effect: the shadow is still there when the instruction is tried again.
      if (stopped instanceof Exit) m.interruptShadow = shadow;
      const block = m.blocks[m.blockAt] ?? found;
      const instruction = block.instructions[m.position]!;
      return this.#stopped(stopped, m.pageIp + m.blockAt + instruction.offset, instruction);
    }
  }

  /** Makes an exit of what left an instruction, or delivers its exception, with RIP at the instruction. */
  #stopped(stopped: unknown, ip: number, instruction: Instruction | undefined): CpuExit | undefined {
    const m = this.#m;
    if (!m.faultInNewTask) m.ip = ip;
    m.faultInNewTask = false;
    m.leaveBlock = false;
    if (stopped instanceof Fault) {
      // Counted, so that a guest that only faults uses up its budget.
      m.executed += 1;
      try {
        return deliverException(m, m.faultVector, m.faultError) ? undefined : SHUTDOWN;
      } catch (second) {
        return this.#exit(second, ip, 0);
      }
    }
    return this.#exit(stopped, ip, instruction?.length ?? 0);
  }

  #exit(stopped: unknown, ip: number, instructionLength: number): CpuExit {
    if (!(stopped instanceof Exit)) throw stopped;
    const m = this.#m;
    m.ip = ip;
    const access = m.pendingAccess;
    m.pendingAccess = undefined;
    if (access !== undefined)
      return { kind: 'memory', ...access, instructionLength, instructionBytes: this.#instructionBytes() };
    return this.#exitAt(ip);
  }

  /** The exit that an instruction asked for, with RIP at the instruction. */
  #exitAt(ip: number): CpuExit {
    const m = this.#m;
    m.ip = ip;
    m.leaveBlock = false;
    const exit = m.exit!;
    return exit.kind === 'io' ? { ...exit, instructionBytes: this.#instructionBytes() } : exit;
  }

  /** Up to 15 bytes from CS:RIP on, as far as they can be fetched. */
  #instructionBytes(): Uint8Array {
    const m = this.#m;
    const bytes = new Uint8Array(LONGEST_INSTRUCTION);
    let count = 0;
    const cr2 = m.cr2;
    try {
      while (count < LONGEST_INSTRUCTION) {
        const gpa = translate(m, further(m, m.codeBase, m.ip + count), 'execute');
        const page = m.memory.page(Math.floor(gpa / PAGE_BYTES));
        if (page === undefined || (page.permissions & EXECUTE) === 0) break;
        // The rest of the page is there too; where addresses begin anew, a page does.
        const end = Math.min(LONGEST_INSTRUCTION, count + PAGE_BYTES - (gpa % PAGE_BYTES));
        for (let at = gpa % PAGE_BYTES; count < end; at += 1, count += 1) bytes[count] = page.bytes[at]!;
      }
    } catch (stopped) {
      // The rest lies in a page that is not there: nobody asked for it.
      if (!(stopped instanceof Fault || stopped instanceof Exit)) throw stopped;
      m.cr2 = cr2;
      m.pendingAccess = undefined;
    }
    return bytes.slice(0, count);
  }

  /** Moves RIP behind the instruction of an exit. The VMM or the hypervisor did what it does. */
  skip(exit: { readonly instructionLength: number }): void {
    const m = this.#m;
    const next = m.ip + exit.instructionLength;
    m.ip = m.code64 ? next : m.code32 ? next >>> 0 : next & 0xffff;
    m.executed += 1;
    m.interruptShadow = false;
  }

  /** Hands CPUID's answer over, without the features that the processor lacks. */
  completeCpuid(exit: Pick<CpuidExit, 'instructionLength' | 'leaf' | 'subleaf'>, answer: CpuidResult): void {
    const m = this.#m;
    const result = offered(exit.leaf, exit.subleaf, answer, (m.cr4 & CR4_OSXSAVE) !== 0);
    writeRegister(m, 2 * RAX, 4, result.eax);
    writeRegister(m, 2 * RBX, 4, result.ebx);
    writeRegister(m, 2 * RCX, 4, result.ecx);
    writeRegister(m, 2 * RDX, 4, result.edx);
    this.skip(exit);
  }

  completeRdmsr(exit: ReadMsrExit, value: bigint): void {
    this.#writePair(value);
    this.skip(exit);
  }

  completeWrmsr(exit: WriteMsrExit): void {
    this.skip(exit);
  }

  /** RDMSR or WRMSR of a register of the processor's own: see `isProcessorMsr`. */
  performMsr(exit: ReadMsrExit | WriteMsrExit): CpuExit | undefined {
    if (exit.kind === 'rdmsr') {
      this.completeRdmsr(exit, readModelSpecific(this.#m, exit.msr) ?? 0n);
      return undefined;
    }
    if (!writeModelSpecific(this.#m, exit.msr, exit.value)) return this.raise(GP, 0);
    this.skip(exit);
    return undefined;
  }

  /** True for the model-specific registers that the processor answers itself, unless its host wants to. */
  isProcessorMsr(msr: number): boolean {
    return readModelSpecific(this.#m, msr) !== undefined;
  }

  /** Hands the result word back: RAX, and from 32-bit code EDX:EAX (TLFS, hypercall interface). */
  completeHypercall(exit: { readonly instructionLength: number }, result: bigint): void {
    if (this.#m.code64) writeRegister8(this.#m, 2 * RAX, lowOf(result), highOf(result));
    else this.#writePair(result);
    this.skip(exit);
  }

  /** EDX:EAX, the upper halves cleared. */
  #writePair(value: bigint): void {
    writeRegister(this.#m, 2 * RAX, 4, lowOf(value));
    writeRegister(this.#m, 2 * RDX, 4, highOf(value));
  }

  /** Answers the instruction of an exit with an exception: #GP for an MSR that does not exist, for example. */
  raise(vector: number, error?: number): CpuExit | undefined {
    const m = this.#m;
    try {
      return deliverException(m, vector, m.protectedMode ? error : undefined) ? undefined : SHUTDOWN;
    } catch (stopped) {
      return this.#exit(stopped, m.ip, 0);
    }
  }
}
