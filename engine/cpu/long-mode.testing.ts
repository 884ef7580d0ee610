/** A guest for long mode. */
import assert from 'node:assert/strict';
import { bytesOf, reg, segmentValue, TestGuest } from './cpu.testing.ts';
import type { CpuExit } from './index.ts';

const PML4 = 0x10000;
const POINTERS = 0x11000;
const DIRECTORY = 0x12000;
const TABLE = 0x13000;
const GDT = 0x9000;
const IDT = 0xa000;
export const TSS = 0xc000;
export const HANDLERS = 0xb000;
/** The second entry of the top table: the same memory, in the upper half of the address space. */
export const UPPER = 0xffff_8000_0000_0000n;

export const le = (value: bigint | number, bytes: number): number[] =>
  Array.from({ length: bytes }, (_, n) => Number((BigInt(value) >> BigInt(8 * n)) & 0xffn));

/** A guest with page tables, descriptors and handlers, whose memory is at 0 and at `UPPER`. */
export class LongGuest extends TestGuest {
  constructor() {
    super();
    this.memory.write(PML4, le(POINTERS | 7, 8));
    this.memory.write(PML4 + 256 * 8, le(POINTERS | 7, 8));
    this.memory.write(POINTERS, le(DIRECTORY | 7, 8));
    this.memory.write(DIRECTORY, le(TABLE | 7, 8));
    for (let page = 0; page < 0x20; page += 1) this.memory.write(TABLE + page * 8, le(page * 0x1000 + 7, 8));
    this.memory.write(
      GDT + 8,
      bytesOf(`
        ff ff 00 00 00 9b cf 00   ; 08: 32-bit code
        ff ff 00 00 00 93 cf 00   ; 10: data
        ff ff 00 00 00 9b af 00   ; 18: 64-bit code
        ff ff 00 00 00 93 cf 00   ; 20: its stack, by SYSCALL's order
        ff ff 00 00 00 fb cf 00   ; 28: 32-bit code of level 3
        ff ff 00 00 00 f3 cf 00   ; 30: data of level 3
        ff ff 00 00 00 fb af 00   ; 38: 64-bit code of level 3
        67 00 00 c0 00 89 00 00 00 00 00 00 00 00 00 00 ; 40: TSS
      `),
    );
    for (const vector of [3, 6, 8, 13, 14]) {
      const stack = vector === 8 || vector === 3 ? 1 : 0;
      const access = vector === 3 ? 0xee : 0x8e;
      const handler = HANDLERS + vector * 16;
      this.memory.write(IDT + vector * 16, [...le(handler, 2), 0x18, 0, stack, access, ...le(0, 10)]);
      this.memory.write(handler, [0xf4, 0x48, 0xcf]); // hlt; iretq
    }
    this.memory.write(TSS + 4, le(0x5008, 8)); // RSP0, not aligned
    this.memory.write(TSS + 36, le(0x4000, 8)); // the first interrupt stack
    this.set('GDTR', (BigInt(GDT) << 64n) | (0x4fn << 48n));
    this.set('IDTR', (BigInt(IDT) << 64n) | (0xfffn << 48n));
  }

  /** 64-bit code at level 0 or 3, the stack below 0x7000. */
  long(program: string, level: 0 | 3 = 0, ip = 0x8000): this {
    this.memory.write(ip, bytesOf(program));
    this.set('CR3', PML4);
    this.set('CR4', 0x20);
    this.set('EFER', 0xd01);
    this.set('CR0', 0x80010011n);
    this.set('TR', segmentValue(0x40, TSS, 0x67, 0x8b));
    const [code, data] = level === 0 ? [0x18, 0x20] : [0x3b, 0x33];
    this.set('CS', segmentValue(code, 0, 0xffffffff, 0xa09b | (level << 5)));
    this.set('SS', segmentValue(data, 0, 0xffffffff, 0xc093 | (level << 5)));
    this.set('STAR', (0x28n << 48n) | (0x18n << 32n));
    this.set('RIP', ip);
    this.set('RSP', 0x7000);
    return this;
  }

  value(name: string): bigint {
    return this.cpu.getRegister(reg(name));
  }

  u64(gpa: number): bigint {
    return new DataView(this.memory.read(gpa, 8).buffer).getBigUint64(0, true);
  }

  /** Runs on; the processor's own registers are answered as its host does. */
  runWithMsrs(): CpuExit {
    for (;;) {
      const exit = this.run();
      if (exit.kind !== 'rdmsr' && exit.kind !== 'wrmsr') return exit;
      assert.ok(this.cpu.isProcessorMsr(exit.msr));
      const stopped = this.cpu.performMsr(exit);
      if (stopped !== undefined) return stopped;
    }
  }
}
