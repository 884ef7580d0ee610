/** A small guest for the tests: memory as a map of pages, programs as hex bytes. */
import { registers } from '../abi/index.ts';
import {
  type CpuExit,
  type DevicePage,
  EXECUTE,
  GuestCpu,
  type GuestMemory,
  type GuestPage,
  PAGE_BYTES,
  READ,
  WRITE,
} from './index.ts';

const ALL = READ | WRITE | EXECUTE;

/** Pages of RAM that are mapped one by one. */
export class TestMemory implements GuestMemory {
  readonly pages = new Map<number, GuestPage>();
  pairs?: Int32Array<SharedArrayBuffer>;

  map(gpa: number, bytes: number, permissions = ALL): this {
    for (let at = gpa; at < gpa + bytes; at += PAGE_BYTES)
      this.pages.set(at / PAGE_BYTES, { bytes: new Uint8Array(PAGE_BYTES), permissions });
    return this;
  }

  page(gpaPage: number): GuestPage | undefined {
    return this.pages.get(gpaPage);
  }

  write(gpa: number, bytes: ArrayLike<number>): void {
    for (let i = 0; i < bytes.length; i += 1)
      this.pages.get(Math.floor((gpa + i) / PAGE_BYTES))!.bytes[(gpa + i) % PAGE_BYTES] = bytes[i]!;
  }

  read(gpa: number, length: number): Uint8Array {
    return Uint8Array.from(
      { length },
      (_, i) => this.pages.get(Math.floor((gpa + i) / PAGE_BYTES))!.bytes[(gpa + i) % PAGE_BYTES]!,
    );
  }

  u32(gpa: number): number {
    return new DataView(this.read(gpa, 4).buffer).getUint32(0, true);
  }
}

/** Bytes of hex text; what follows a `;` on a line is a comment. */
export function bytesOf(text: string): Uint8Array {
  const digits = text.replace(/;.*$/gm, '').replace(/\s+/g, '');
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

export const reg = (name: string): number => registers.number(`HV_X64_REGISTER_${name}`);

export const segmentValue = (selector: number, base: number, limit: number, attributes: number): bigint =>
  BigInt(base) | (BigInt(limit) << 64n) | (BigInt(selector) << 96n) | (BigInt(attributes) << 112n);

export class TestGuest {
  readonly memory: TestMemory;
  readonly cpu: GuestCpu;

  constructor(memory = new TestMemory().map(0, 0x20000), device?: DevicePage) {
    this.memory = memory;
    this.cpu = new GuestCpu(memory, device);
  }

  get(name: string): number {
    return Number(this.cpu.getRegister(reg(name)));
  }

  set(name: string, value: number | bigint): void {
    this.cpu.setRegister(reg(name), BigInt(value));
  }

  /** Real mode with all segments at 0, code at `ip`, the stack below 0x7000. */
  real(program: string, ip = 0x7c00): this {
    this.memory.write(ip, bytesOf(program));
    this.set('CS', segmentValue(0, 0, 0xffff, 0x9b));
    this.set('RIP', ip);
    this.set('RSP', 0x7000);
    return this;
  }

  /** Flat 32-bit protected mode, code at `ip`, the stack below 0x7000. */
  flat(program: string, ip = 0x8000): this {
    this.memory.write(ip, bytesOf(program));
    this.set('CR0', 0x11);
    this.set('CS', segmentValue(8, 0, 0xffffffff, 0xc09b));
    for (const name of ['DS', 'ES', 'SS', 'FS', 'GS'])
      this.set(name, segmentValue(16, 0, 0xffffffff, 0xc093));
    this.set('RIP', ip);
    this.set('RSP', 0x7000);
    return this;
  }

  run(budget = 100_000): CpuExit {
    return this.cpu.run(budget);
  }

  /** Runs until HLT; gives what was written to port 0x3f8. Any other exit fails the test. */
  console(budget = 1_000_000): string {
    let text = '';
    for (;;) {
      const exit = this.run(budget);
      if (exit.kind === 'halt') return text;
      if (exit.kind !== 'io' || exit.port !== 0x3f8 || exit.direction !== 'out')
        throw new Error(
          `unexpected exit ${JSON.stringify(exit, (_, v) => (typeof v === 'bigint' ? `${v}` : v))}`,
        );
      text += String.fromCharCode(exit.value);
      this.cpu.skip(exit);
    }
  }
}

/** CR4.OSFXSR: the guest has SSE switched on. */
export const OSFXSR = 0x200;

/** What the gates lead to. */
const GUARDED = [6, 7, 13, 14, 16, 19];

/** Flat 32-bit code whose exceptions end in a HLT at 0xb010 and their number. */
export function guarded(program: string, cr0 = 0x11, cr4 = OSFXSR): TestGuest {
  const guest = new TestGuest().flat(program);
  guest.set('CR0', cr0);
  guest.set('CR4', cr4);
  for (const vector of GUARDED) {
    guest.memory.write(0xa000 + vector * 8, bytesOf(`${(0x10 + vector).toString(16)} b0 08 00 00 8e 00 00`));
    guest.memory.write(0xb010 + vector, [0xf4]);
  }
  guest.memory.write(0x9008, bytesOf('ffff0000009bcf00 ffff00000093cf00'));
  guest.set('GDTR', (0x9000n << 64n) | (0x1fn << 48n));
  guest.set('IDTR', (0xa000n << 64n) | (0xffn << 48n));
  return guest;
}
