/** The x87 unit as FXSAVE stores it, which MMX shares. */
import { readNumber, writeNumber } from './guest.ts';
import { X87_BYTES } from './host-processor.ts';
import { controlWord, extended } from './instructions/x87.ts';
import type { Random } from './random.ts';

/** Registers, some of them empty, and words in which nothing is pending, or an invalid operation. */
export function startUnit(random: Random, isPending = false): Uint8Array {
  const area = new Uint8Array(X87_BYTES);
  const control = isPending ? 0x37e : controlWord(random);
  const quiet = (random.u32() & 0x7f00) | (random.u32() & 0x7f & (control | 0x40));
  const status = isPending ? quiet | 0x8081 : quiet;
  writeNumber(area, 0, BigInt(control) | (BigInt(status) << 16n), 4);
  area[4] = random.below(3) === 0 ? random.u32() : [0xff, 0xfe, 0x7f, 0][random.below(4)]!;
  for (let r = 0; r < 8; r += 1) writeNumber(area, 32 + 16 * r, extended(random), 10);
  return area;
}

/** Without what is not compared: the last instruction, and reserved bytes. */
export function unitOf(area: Uint8Array): Uint8Array {
  const unit = area.slice();
  unit.fill(0, 5, 32);
  return unit;
}

export const hex = (unit: Uint8Array): string =>
  `${readNumber(unit, 0, 4).toString(16)} tags ${unit[4]!.toString(16)} ${Array.from({ length: 8 }, (_, r) =>
    readNumber(unit, 32 + 16 * r, 10)
      .toString(16)
      .padStart(20, '0'),
  ).join(' ')}`;
