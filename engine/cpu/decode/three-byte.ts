/** The opcode maps behind 0F 38 and 0F 3A (Intel SDM 2, tables ): SSSE3, SSE4, MOVBE, CRC32. */
import { crc32 } from '../exec/crc32.ts';
import * as moves from '../exec/moves.ts';
import { align, mmx38 } from '../exec-mmx/packed.ts';
import * as blend from '../exec-sse/blend.ts';
import { dotProduct, wholes } from '../exec-sse/float-lanes.ts';
import { distancesOfFour, sse4, ssse3, test, widening } from '../exec-sse/integers.ts';
import { loadAligned } from '../exec-sse/moves.ts';
import { onVectors } from '../exec-sse/operands.ts';
import { alignRight } from '../exec-sse/shuffle.ts';
import { compareStrings } from '../exec-sse/strings.ts';
import type { Execute } from '../instruction.ts';
import { byPrefix, type Entry, GENERAL, row, x } from './rows.ts';

const empty = (): Entry[] => new Array<Entry>(256).fill(undefined);
const map38 = empty();
const map3a = empty();

for (const [opcode, operation] of Object.entries(ssse3))
  map38[Number(opcode)] = byPrefix(x(mmx38[Number(opcode)]!), x(onVectors(operation)));
for (const [opcode, operation] of Object.entries(sse4))
  map38[Number(opcode)] = byPrefix(undefined, x(onVectors(operation)));
map38[0x10] = byPrefix(undefined, x(onVectors(blend.blendByMask(1))));
map38[0x14] = byPrefix(undefined, x(onVectors(blend.blendByMask(4))));
map38[0x15] = byPrefix(undefined, x(onVectors(blend.blendByMask(8))));
map38[0x17] = byPrefix(undefined, x(test));
for (const [first, signs] of [
  [0x20, true],
  [0x30, false],
] as const)
  widening(signs).forEach((execute, n) => {
    map38[first + n] = byPrefix(undefined, x(execute));
  });
map38[0x2a] = byPrefix(undefined, x(loadAligned, 0, 'Md Vd'));
map38[0xf0] = { plain: row('Gv Mv', moves.movbeLoad), rep: undefined, repne: row('Gv Eb', crc32, 0, 'any') };
map38[0xf1] = { plain: row('Mv Gv', moves.movbeStore), rep: undefined, repne: row('Ev Gv', crc32, 0, 'any') };

const IMMEDIATE = 'Ed Vd Ib';
const vector = (opcode: number, execute: Execute, kind = 0, form = IMMEDIATE): void => {
  map3a[opcode] = byPrefix(undefined, x(execute, kind, form));
};
vector(0x08, wholes.packedSingle);
vector(0x09, wholes.packedDouble);
vector(0x0a, wholes.scalarSingle);
vector(0x0b, wholes.scalarDouble);
vector(0x0c, onVectors(blend.blend(4)));
vector(0x0d, onVectors(blend.blend(8)));
vector(0x0e, onVectors(blend.blend(2)));
map3a[0x0f] = byPrefix(x(align, 0, IMMEDIATE), x(onVectors(alignRight), 0, IMMEDIATE));
vector(0x14, blend.extract, 1);
vector(0x15, blend.extract, 2);
vector(0x16, blend.extractWide, 0, `${GENERAL} Ib`);
vector(0x17, blend.extractSingle);
vector(0x20, blend.insertByte);
vector(0x21, blend.insertSingle);
vector(0x22, blend.insertWide, 0, `${GENERAL} Ib`);
vector(0x40, dotProduct(1));
vector(0x41, dotProduct(2));
vector(0x42, onVectors(distancesOfFour));
for (const opcode of [0x60, 0x61, 0x62, 0x63])
  vector(opcode, compareStrings(opcode < 0x62, (opcode & 1) === 0), 0, `${GENERAL} Ib`);

export const THREE_BYTE_38: readonly Entry[] = map38;
export const THREE_BYTE_3A: readonly Entry[] = map3a;
