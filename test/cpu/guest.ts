/** The guest that runs what the host runs, in user mode of 32-bit or of 64-bit code. */
import { registers } from '../../engine/abi/index.ts';
import { EXECUTE, GuestCpu, type GuestPage, PAGE_BYTES, READ, WRITE } from '../../engine/cpu/index.ts';
import {
  type HostRegisters,
  type Mode,
  USER_DS,
  USER32_CS,
  USER64_CS,
  X87_BYTES,
  xmmWords,
} from './host-processor.ts';

/** Code in the first page, data behind it. */
export const BASE = 0x10000000;
export const CODE = BASE;
/** Exceptions of the guest go to HLTs here, one for each vector, at level 0 on their own stack. */
export const HANDLERS = 0x2000;
const IDT = 0x1000;
const GDT = 0x1800;
const TSS = 0x3000;
/** Page tables of long mode: one GiB of pages of 2 MiB, each its own address. */
const TABLES = 0x4000;
const EVERYBODYS = 7n;
const LARGE = 0x80n;

export const register = (name: string): number => registers.number(`HV_X64_REGISTER_${name}`);
const GENERAL = register('RAX');
const MMX0 = register('FP_MMX0');
const XMM0 = register('XMM0');
const XMM_CONTROL = register('XMM_CONTROL_STATUS');
const RIP = register('RIP');
const RFLAGS = register('RFLAGS');
const segment = (selector: number, limit: number, attributes: number): bigint =>
  (BigInt(limit) << 64n) | (BigInt(selector) << 96n) | (BigInt(attributes) << 112n);

/** Little endian. */
export function writeNumber(bytes: Uint8Array, at: number, value: bigint, length: number): void {
  for (let n = 0; n < length; n += 1) bytes[at + n] = Number((value >> BigInt(8 * n)) & 0xffn);
}

export const readNumber = (bytes: Uint8Array, at: number, length: number): bigint =>
  bytes.subarray(at, at + length).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);

export class Guest {
  readonly #pages = new Map<number, GuestPage>();
  readonly cpu = new GuestCpu({ page: (gpaPage) => this.#pages.get(gpaPage) });

  readonly #mode: Mode;

  constructor(mode: Mode) {
    this.#mode = mode;
    for (const page of [0, 1, 2, 3, 4, 5, 6, ...[0, 1, 2].map((n) => CODE / PAGE_BYTES + n)])
      this.#pages.set(page, { bytes: new Uint8Array(PAGE_BYTES), permissions: READ | WRITE | EXECUTE });
    for (let vector = 0; vector < 32; vector += 1) {
      const handler = HANDLERS + vector;
      // Interrupt gate, DPL 0, code selector 8.
      this.write(IDT + vector * (mode / 4), [handler & 0xff, handler >> 8, 8, 0, 0, 0x8e, 0, 0]);
      this.write(handler, [0xf4]);
    }
    const flat = (access: number): number[] => [0xff, 0xff, 0, 0, 0, access, 0xcf, 0];
    const code = flat(0x9b);
    if (mode === 64) code[6] = 0xaf;
    this.write(GDT + 8, [...code, ...flat(0x93)]);
    // SS0:ESP0 of the TSS, or RSP0.
    this.write(TSS + 4, [0, 0x1c, 0, 0, mode === 64 ? 0 : 16, 0, 0, 0]);
    if (mode === 64) this.#startLongMode();
    // OSFXSR, OSXMMEXCPT, OSXSAVE, PAE.
    this.cpu.setRegister(register('CR4'), mode === 64 ? 0x40620n : 0x40600n);
    this.cpu.setRegister(register('XFEM'), 3n);
    this.cpu.setRegister(register('CR0'), mode === 64 ? 0x80010031n : 0x31n);
    this.cpu.setRegister(register('GDTR'), (BigInt(GDT) << 64n) | (0xffn << 48n));
    this.cpu.setRegister(register('IDTR'), (BigInt(IDT) << 64n) | (0x1ffn << 48n));
    this.cpu.setRegister(register('TR'), BigInt(TSS) | segment(0x28, 0x67, 0x8b));
  }

  #startLongMode(): void {
    this.#write64(TABLES, BigInt(TABLES + PAGE_BYTES) | EVERYBODYS);
    this.#write64(TABLES + PAGE_BYTES, BigInt(TABLES + 2 * PAGE_BYTES) | EVERYBODYS);
    for (let n = 0; n < 512; n += 1)
      this.#write64(TABLES + 2 * PAGE_BYTES + 8 * n, (BigInt(n) << 21n) | LARGE | EVERYBODYS);
    this.cpu.setRegister(register('CR3'), BigInt(TABLES));
    this.cpu.setRegister(register('EFER'), 0x901n);
  }

  #write64(gpa: number, value: bigint): void {
    this.write(
      gpa,
      Array.from({ length: 8 }, (_, n) => Number((value >> BigInt(8 * n)) & 0xffn)),
    );
  }

  write(gpa: number, bytes: ArrayLike<number>): void {
    for (let i = 0; i < bytes.length; i += 1)
      this.#pages.get(Math.floor((gpa + i) / PAGE_BYTES))!.bytes[(gpa + i) % PAGE_BYTES] = bytes[i]!;
  }

  read(gpa: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; ) {
      const from = (gpa + at) % PAGE_BYTES;
      const part = this.#pages
        .get(Math.floor((gpa + at) / PAGE_BYTES))!
        .bytes.subarray(from, from + length - at);
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }

  /** User mode, with the selectors that the host's process has. */
  start(at: HostRegisters): void {
    this.cpu.setRegister(
      register('CS'),
      this.#mode === 64 ? segment(USER64_CS, 0xffffffff, 0xa0fb) : segment(USER32_CS, 0xffffffff, 0xc0fb),
    );
    for (const name of ['DS', 'ES', 'SS'])
      this.cpu.setRegister(register(name), segment(USER_DS, 0xffffffff, 0xc0f3));
    at.general.forEach((value, r) => {
      this.cpu.setRegister(GENERAL + r, value);
    });
    for (let r = 0; r < at.xmm.length / 4; r += 1)
      this.cpu.setRegister(
        XMM0 + r,
        [3, 2, 1, 0].reduce((value, n) => (value << 32n) | BigInt(at.xmm[4 * r + n]! >>> 0), 0n),
      );
    this.cpu.setRegister(XMM_CONTROL, BigInt(at.mxcsr) << 64n);
    this.cpu.setRegister(RIP, BigInt(at.eip));
    this.cpu.setRegister(RFLAGS, BigInt(at.eflags));
  }

  /** As FXSAVE stores it, without the last instruction and operand. */
  getX87(): Uint8Array {
    const area = new Uint8Array(X87_BYTES);
    writeNumber(area, 0, this.cpu.getRegister(register('FP_CONTROL_STATUS')), 5);
    const view = new DataView(area.buffer);
    for (let r = 0; r < 8; r += 1) {
      const value = this.cpu.getRegister(MMX0 + r);
      view.setBigUint64(32 + 16 * r, value, true);
      view.setUint16(40 + 16 * r, Number(value >> 64n), true);
    }
    return area;
  }

  setX87(area: Uint8Array): void {
    this.cpu.setRegister(register('FP_CONTROL_STATUS'), readNumber(area, 0, 5));
    for (let r = 0; r < 8; r += 1) this.cpu.setRegister(MMX0 + r, readNumber(area, 32 + 16 * r, 10));
  }

  get(): HostRegisters {
    return {
      general: Array.from({ length: this.#mode === 64 ? 16 : 8 }, (_, r) =>
        this.cpu.getRegister(GENERAL + r),
      ),
      xmm: Int32Array.from({ length: xmmWords(this.#mode) }, (_, n) =>
        Number(BigInt.asIntN(32, this.cpu.getRegister(XMM0 + (n >> 2)) >> BigInt(32 * (n & 3)))),
      ),
      mxcsr: Number((this.cpu.getRegister(XMM_CONTROL) >> 64n) & 0xffffn),
      eip: Number(this.cpu.getRegister(RIP)),
      eflags: Number(this.cpu.getRegister(RFLAGS)),
    };
  }
}
