/** The host's processor, one instruction at a time: a child process in a 32-bit code segment under ptrace. */
import koffi from 'koffi';

/** Why this machine cannot be asked. */
export class Unavailable extends Error {}

/** 32-bit code, or 64-bit code. */
export type Mode = 32 | 64;

/** The general registers in the order of instruction encodings, the instruction pointer and the flags. */
export interface HostRegisters {
  /** Eight values of 32 bits or sixteen of 64: RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8 to R15. */
  readonly general: readonly bigint[];
  /** The XMM registers as words, eight or sixteen of them; none where they do not matter. */
  readonly xmm: Int32Array;
  readonly mxcsr: number;
  readonly eip: number;
  readonly eflags: number;
}

const PTRACE_SINGLESTEP = 9;
const PTRACE_GETREGS = 12;
const PTRACE_SETREGS = 13;
const PTRACE_GETFPREGS = 14;
const PTRACE_SETFPREGS = 15;
const PTRACE_POKETEXT = 4;
const PTRACE_SEIZE = 0x4206;
const PTRACE_INTERRUPT = 0x4207;
/** The child dies with us. */
const PTRACE_O_EXITKILL = 0x100000;
const WAIT4 = 61;
const KILL = 62;
const PTRACE = 101;
const PROCESS_VM_READV = 310;
const PROCESS_VM_WRITEV = 311;
const WALL = 0x40000000;
const SIGTRAP = 5;
const SIGKILL = 9;
const MMAP = 9;

/** Offsets in user_regs_struct of x86-64 (Linux arch/x86/include/asm/user_64.h). */
const AT = {
  r10: 56,
  r9: 64,
  r8: 72,
  rax: 80,
  rdx: 96,
  rsi: 104,
  rdi: 112,
  origRax: 120,
  rip: 128,
  cs: 136,
  eflags: 144,
  rsp: 152,
  ss: 160,
  ds: 184,
  es: 192,
} as const;
/** RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8 to R15. */
const GENERAL_AT = [80, 88, 96, 40, 152, 32, 104, 112, 72, 64, 56, 48, 24, 16, 8, 0];

/** Linux __USER32_CS and __USER_DS on x86-64: a 32-bit code segment, flat data. */
export const USER32_CS = 0x23;
export const USER64_CS = 0x33;
export const USER_DS = 0x2b;

const libc = koffi.load('libc.so.6');
// Not declared variadic: for integer arguments the convention is the same.
const systemCall = libc.func('long syscall(long, long, long, long, long, long, long)');
const posixSpawn = libc.func(
  'int posix_spawn(_Out_ int *pid, const char *path, void *actions, void *attributes, const char **argv, const char **envp)',
);

/** Read and written by the kernel by address: kept in a module's variable, so that it is never collected. */
const arena = new ArrayBuffer(0x10000);
const view = new DataView(arena);
const bytes = new Uint8Array(arena);
const base = Number(koffi.address(bytes));
const STATUS = 0;
const LOCAL_VECTOR = 16;
const REMOTE_VECTOR = 32;
const REGISTERS = 64;
const DATA = 512;
/** user_fpregs_struct, laid out as FXSAVE's area. */
const FLOATS = 0x9000;
const XMM_AT = FLOATS + 160;
const MXCSR_AT = FLOATS + 24;
/** Words of the XMM registers that code of a mode has. */
export const xmmWords = (mode: Mode): number => (mode === 64 ? 64 : 32);
export const X87_BYTES = 160;
/** To nearest, all exceptions masked (Intel SDM 1, 10.2.3). */
export const MXCSR_AFTER_RESET = 0x1f80;

const call = (number: number, ...args: number[]): number => {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = args;
  return Number(systemCall(number, a, b, c, d, e, f));
};

export class HostProcessor {
  readonly #pid: number;
  readonly #mode: Mode;

  /** Starts a process and maps `length` bytes of memory at `address` in it, for everything. */
  constructor(mode: Mode, address: number, length: number) {
    this.#mode = mode;
    const pid = [0];
    if (posixSpawn(pid, '/bin/sleep', null, null, ['sleep', '1000', null], [null]) !== 0)
      throw new Unavailable('no /bin/sleep to trace');
    this.#pid = pid[0]!;
    if (call(PTRACE, PTRACE_SEIZE, this.#pid, 0, PTRACE_O_EXITKILL) < 0) {
      this.end();
      throw new Unavailable(`ptrace is not permitted (errno ${koffi.errno()})`);
    }
    call(PTRACE, PTRACE_INTERRUPT, this.#pid);
    this.#wait();
    this.#map(address, length);
  }

  end(): void {
    call(KILL, this.#pid, SIGKILL);
    call(WAIT4, this.#pid, base + STATUS, WALL);
  }

  #wait(): number {
    if (call(WAIT4, this.#pid, base + STATUS, WALL) < 0) throw new Unavailable('the traced process is gone');
    const status = view.getUint32(STATUS, true);
    if ((status & 0xff) !== 0x7f) throw new Unavailable(`the traced process ended (status ${status})`);
    return (status >> 8) & 0xff;
  }

  #get(): void {
    call(PTRACE, PTRACE_GETREGS, this.#pid, 0, base + REGISTERS);
  }

  #set(): void {
    if (call(PTRACE, PTRACE_SETREGS, this.#pid, 0, base + REGISTERS) < 0)
      throw new Unavailable(`registers were refused (errno ${koffi.errno()})`);
  }

  #write64(at: number, value: number): void {
    view.setUint32(REGISTERS + at, value, true);
    view.setUint32(REGISTERS + at + 4, Math.floor(value / 0x100000000), true);
  }

  /** Makes the child call mmap: a syscall instruction where it stands, and registers for it. */
  #map(address: number, length: number): void {
    this.#get();
    const rip =
      view.getUint32(REGISTERS + AT.rip, true) + view.getUint32(REGISTERS + AT.rip + 4, true) * 0x100000000;
    call(PTRACE, PTRACE_POKETEXT, this.#pid, rip, 0x050f);
    const PROT_ALL = 7;
    const MAP_PRIVATE_FIXED_ANONYMOUS = 0x32;
    for (const [at, value] of [
      [AT.rax, MMAP],
      [AT.rdi, address],
      [AT.rsi, length],
      [AT.rdx, PROT_ALL],
      [AT.r10, MAP_PRIVATE_FIXED_ANONYMOUS],
      [AT.r9, 0],
    ] as const)
      this.#write64(at, value);
    view.setBigInt64(REGISTERS + AT.r8, -1n, true);
    // No system call is to be restarted.
    view.setBigInt64(REGISTERS + AT.origRax, -1n, true);
    this.#set();
    call(PTRACE, PTRACE_SINGLESTEP, this.#pid);
    this.#wait();
    this.#get();
    if (view.getUint32(REGISTERS + AT.rax, true) !== address)
      throw new Unavailable('memory could not be mapped');
    if (this.#mode === 64) return;
    for (const [at, value] of [
      [AT.cs, USER32_CS],
      [AT.ss, USER_DS],
      [AT.ds, USER_DS],
      [AT.es, USER_DS],
    ] as const)
      this.#write64(at, value);
    this.#set();
  }

  set(registers: HostRegisters): void {
    registers.general.forEach((value, r) => {
      view.setBigUint64(REGISTERS + GENERAL_AT[r]!, value, true);
    });
    this.#write64(AT.rip, registers.eip);
    this.#write64(AT.eflags, registers.eflags);
    this.#set();
    if (registers.xmm.length === 0) return;
    call(PTRACE, PTRACE_GETFPREGS, this.#pid, 0, base + FLOATS);
    view.setUint32(MXCSR_AT, registers.mxcsr, true);
    registers.xmm.forEach((word, n) => {
      view.setInt32(XMM_AT + 4 * n, word, true);
    });
    call(PTRACE, PTRACE_SETFPREGS, this.#pid, 0, base + FLOATS);
  }

  #vectors(): Pick<HostRegisters, 'xmm' | 'mxcsr'> {
    call(PTRACE, PTRACE_GETFPREGS, this.#pid, 0, base + FLOATS);
    return {
      xmm: Int32Array.from({ length: xmmWords(this.#mode) }, (_, n) => view.getInt32(XMM_AT + 4 * n, true)),
      mxcsr: view.getUint32(MXCSR_AT, true),
    };
  }

  /** The x87 unit's part of FXSAVE's area. */
  getX87(): Uint8Array {
    call(PTRACE, PTRACE_GETFPREGS, this.#pid, 0, base + FLOATS);
    return bytes.slice(FLOATS, FLOATS + X87_BYTES);
  }

  setX87(area: Uint8Array): void {
    call(PTRACE, PTRACE_GETFPREGS, this.#pid, 0, base + FLOATS);
    const mxcsr = view.getUint32(MXCSR_AT, true);
    const mask = view.getUint32(MXCSR_AT + 4, true);
    bytes.set(area, FLOATS);
    view.setUint32(MXCSR_AT, mxcsr, true);
    view.setUint32(MXCSR_AT + 4, mask, true);
    call(PTRACE, PTRACE_SETFPREGS, this.#pid, 0, base + FLOATS);
  }

  get(): HostRegisters {
    this.#get();
    return {
      ...this.#vectors(),
      general:
        this.#mode === 64
          ? GENERAL_AT.map((at) => view.getBigUint64(REGISTERS + at, true))
          : GENERAL_AT.slice(0, 8).map((at) => BigInt(view.getUint32(REGISTERS + at, true))),
      eip: view.getUint32(REGISTERS + AT.rip, true),
      eflags: view.getUint32(REGISTERS + AT.eflags, true),
    };
  }

  /** Executes one instruction (one element of a repeated one); the signal it raised, 0 for none. */
  step(): number {
    call(PTRACE, PTRACE_SINGLESTEP, this.#pid);
    const signal = this.#wait();
    return signal === SIGTRAP ? 0 : signal;
  }

  #transfer(number: number, address: number, length: number): void {
    view.setBigUint64(LOCAL_VECTOR, BigInt(base + DATA), true);
    view.setBigUint64(LOCAL_VECTOR + 8, BigInt(length), true);
    view.setBigUint64(REMOTE_VECTOR, BigInt(address), true);
    view.setBigUint64(REMOTE_VECTOR + 8, BigInt(length), true);
    const done = call(number, this.#pid, base + LOCAL_VECTOR, 1, base + REMOTE_VECTOR, 1, 0);
    if (done !== length) throw new Unavailable(`the child's memory is out of reach (errno ${koffi.errno()})`);
  }

  /** At most 32 KiB. */
  read(address: number, length: number): Uint8Array {
    this.#transfer(PROCESS_VM_READV, address, length);
    return bytes.slice(DATA, DATA + length);
  }

  write(address: number, data: Uint8Array): void {
    bytes.set(data, DATA);
    this.#transfer(PROCESS_VM_WRITEV, address, data.length);
  }
}
