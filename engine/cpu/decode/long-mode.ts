/** The one-byte opcode map of 64-bit code: what is not there, and what stands in its place (Intel SDM 2, table A-2). */
import { movsxd } from '../exec/moves.ts';
import { ONE_BYTE } from './one-byte.ts';
import { type Entry, row } from './rows.ts';

const map: Entry[] = [...ONE_BYTE];

for (const opcode of [
  ...[0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x60, 0x61, 0x62],
  ...[0x82, 0x9a, 0xc4, 0xc5, 0xce, 0xd4, 0xd5, 0xd6, 0xea],
])
  map[opcode] = undefined;
map[0x63] = row('Gv Ev', movsxd);

export const ONE_BYTE_64: readonly Entry[] = map;
