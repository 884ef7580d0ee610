/** Random operands of 64-bit code: any of sixteen registers, and addresses that need all 64 bits of a sum. */
import { le32, Operands, type Piece, piece } from './operands.ts';

const le64 = (value: bigint): number[] =>
  Array.from({ length: 8 }, (_, n) => Number((BigInt.asUintN(64, value) >> BigInt(8 * n)) & 0xffn));

/** MOV of 64 bits to any register. */
export const mov64 = (register: number, value: bigint): Piece =>
  piece(`mov64 r${register}`, [0x48 | (register >> 3), 0xb8 | (register & 7), ...le64(value)]);

const RSP = 4;

export class Operands64 extends Operands {
  /** Bits of the REX prefix that the operand asks for, and whether it is a register's. */
  rex = 0;
  inMemory = false;

  override memory(reg: number, address: number): { before: readonly Piece[]; bytes: readonly number[] } {
    const { random } = this;
    this.inMemory = true;
    let base = random.below(16);
    if (base === RSP) base = 3;
    const mod = (base & 7) === 5 ? 1 + random.below(2) : random.below(3);
    const disp = mod === 0 ? 0 : mod === 1 ? (random.u32() << 24) >> 24 : random.u32() | 0;
    const tail = mod === 0 ? [] : mod === 1 ? [disp & 0xff] : le32(disp);
    const plain = BigInt(address - disp);
    switch (random.below(3)) {
      case 0:
        // Without a base and an index: an absolute address of 32 bits.
        return { before: [], bytes: [(reg << 3) | 4, 0x25, ...le32(address)] };
      case 1: {
        if ((base & 7) === RSP) break;
        this.rex |= base >> 3;
        return { before: [mov64(base, plain)], bytes: [(mod << 6) | (reg << 3) | (base & 7), ...tail] };
      }
    }
    let index = random.below(16);
    if (index === base || index === RSP) index = base === 0 ? 1 : 0;
    const scale = random.below(4);
    const count = random.value64();
    this.rex |= (base >> 3) | ((index >> 3) << 1);
    return {
      before: [mov64(index, count), mov64(base, plain - (count << BigInt(scale)))],
      bytes: [(mod << 6) | (reg << 3) | 4, (scale << 6) | ((index & 7) << 3) | (base & 7), ...tail],
    };
  }
}
