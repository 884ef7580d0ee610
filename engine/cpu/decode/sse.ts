/** MMX, SSE, SSE2 and SSE3 in the opcode map behind 0F: a prefix chooses which (Intel SDM 2, table A-3). */
import { duplicateLow, duplicateSingles } from '../exec-sse/blend.ts';
import * as convert from '../exec-sse/convert.ts';
import {
  compareScalar,
  compares,
  type FloatForms,
  floats,
  reciprocalRoots,
  reciprocals,
} from '../exec-sse/float.ts';
import { addNeighbours, subtractAdd, subtractNeighbours } from '../exec-sse/float-lanes.ts';
import * as moves from '../exec-sse/moves.ts';
import { type Operation, onVectors, ready, registerOf } from '../exec-sse/operands.ts';
import { packed, shiftGroups } from '../exec-sse/packed.ts';
import * as save from '../exec-sse/save.ts';
import * as shuffle from '../exec-sse/shuffle.ts';
import * as xsave from '../exec-sse/xsave.ts';
import type { Execute } from '../instruction.ts';
import { MMX } from './mmx.ts';
import {
  byPrefix,
  type Entry,
  GENERAL,
  type Prefixed,
  type Row,
  registersOnly,
  row,
  XMM,
  x,
} from './rows.ts';

const map: Record<number, Prefixed> = {
  16: byPrefix(x(moves.load), x(moves.load), x(moves.loadScalar, 1), x(moves.loadScalar, 2)),
  17: byPrefix(x(moves.store), x(moves.store), x(moves.storeScalar, 1), x(moves.storeScalar, 2)),
  18: byPrefix(x(moves.loadLow, 1), x(moves.loadLow), x(onVectors(duplicateSingles(0))), x(duplicateLow)),
  19: byPrefix(x(moves.storeLow, 0, 'Md Vd'), x(moves.storeLow, 0, 'Md Vd')),
  20: byPrefix(x(onVectors(shuffle.unpackSinglesLow)), x(onVectors(shuffle.unpackQuadsLow))),
  21: byPrefix(x(onVectors(shuffle.unpackSinglesHigh)), x(onVectors(shuffle.unpackQuadsHigh))),
  22: byPrefix(x(moves.loadHigh, 1), x(moves.loadHigh), x(onVectors(duplicateSingles(1)))),
  23: byPrefix(x(moves.storeHigh, 0, 'Md Vd'), x(moves.storeHigh, 0, 'Md Vd')),
  40: byPrefix(x(moves.loadAligned), x(moves.loadAligned)),
  41: byPrefix(x(moves.storeAligned), x(moves.storeAligned)),
  42: byPrefix(
    undefined,
    undefined,
    x(convert.fromGeneral(1), 0, GENERAL),
    x(convert.fromGeneral(2), 0, GENERAL),
  ),
  43: byPrefix(x(moves.storeAligned, 0, 'Md Vd'), x(moves.storeAligned, 0, 'Md Vd')),
  44: byPrefix(
    undefined,
    undefined,
    x(convert.toGeneral(1, true), 0, GENERAL),
    x(convert.toGeneral(2, true), 0, GENERAL),
  ),
  45: byPrefix(
    undefined,
    undefined,
    x(convert.toGeneral(1, false), 0, GENERAL),
    x(convert.toGeneral(2, false), 0, GENERAL),
  ),
  46: byPrefix(x(compareScalar(false), 1), x(compareScalar(false), 2)),
  47: byPrefix(x(compareScalar(true), 1), x(compareScalar(true), 2)),
  80: byPrefix(x(moves.signs, 4), x(moves.signs, 8)),
  82: byPrefix(x(reciprocalRoots.packedSingle), undefined, x(reciprocalRoots.scalarSingle)),
  83: byPrefix(x(reciprocals.packedSingle), undefined, x(reciprocals.scalarSingle)),
  84: byPrefix(x(onVectors(packed[0xdb]!)), x(onVectors(packed[0xdb]!))),
  85: byPrefix(x(onVectors(packed[0xdf]!)), x(onVectors(packed[0xdf]!))),
  86: byPrefix(x(onVectors(packed[0xeb]!)), x(onVectors(packed[0xeb]!))),
  87: byPrefix(x(onVectors(packed[0xef]!)), x(onVectors(packed[0xef]!))),
  90: byPrefix(
    x(convert.singlesToDoubles),
    x(convert.doublesToSingles),
    x(convert.singleToDouble),
    x(convert.doubleToSingle),
  ),
  91: byPrefix(
    x(convert.integersToSingles),
    x(convert.singlesToIntegers(false)),
    x(convert.singlesToIntegers(true)),
  ),
  110: byPrefix(undefined, x(moves.loadGeneral, 0, GENERAL)),
  111: byPrefix(undefined, x(moves.loadAligned), x(moves.load)),
  112: byPrefix(
    undefined,
    x(onVectors(shuffle.shuffleDoubles), 0, 'Ed Vd Ib'),
    x(onVectors(shuffle.shuffleWords(4)), 0, 'Ed Vd Ib'),
    x(onVectors(shuffle.shuffleWords(0)), 0, 'Ed Vd Ib'),
  ),
  124: byPrefix(undefined, x(addNeighbours(2)), undefined, x(addNeighbours(1))),
  125: byPrefix(undefined, x(subtractNeighbours(2)), undefined, x(subtractNeighbours(1))),
  126: byPrefix(undefined, x(moves.storeGeneral, 0, GENERAL), x(moves.loadQuad)),
  127: byPrefix(undefined, x(moves.storeAligned), x(moves.store)),
  174: byPrefix({
    choose: (modrm) => (modrm < 0xc0 ? saves[(modrm >> 3) & 7] : fences[(modrm >> 3) & 7]),
  }),
  195: byPrefix(row('Mv Gv', moves.storeInteger, 0, 'any')),
  196: byPrefix(undefined, x(moves.insertWord, 0, 'Ew Vw Ib')),
  197: byPrefix(undefined, x(moves.extractWord, 0, 'Ed Vd Ib')),
  198: byPrefix(
    x(onVectors(shuffle.shuffleSingles), 0, 'Ed Vd Ib'),
    x(onVectors(shuffle.shuffleQuads), 0, 'Ed Vd Ib'),
  ),
  208: byPrefix(undefined, x(subtractAdd(2)), undefined, x(subtractAdd(1))),
  214: byPrefix(undefined, x(moves.storeQuad)),
  215: byPrefix(undefined, x(moves.signs, 1)),
  230: byPrefix(
    undefined,
    x(convert.doublesToIntegers(true)),
    x(convert.integersToDoubles),
    x(convert.doublesToIntegers(false)),
  ),
  231: byPrefix(undefined, x(moves.storeAligned, 0, 'Md Vd')),
  240: byPrefix(undefined, undefined, undefined, x(moves.load, 0, 'Md Vd')),
  247: byPrefix(undefined, x(moves.storeMasked)),
};

const saves: readonly (Row | undefined)[] = [
  row('Md', save.fxsave),
  row('Md', save.fxrstor, 0, 'ends'),
  row('Md', save.ldmxcsr, 0, 'ends'),
  row('Md', save.stmxcsr),
  row('Md', xsave.xsave),
  row('Md', xsave.xrstor, 0, 'ends'),
  row('Md', xsave.xsaveopt),
  row('Md', save.clflush),
];
const fences: readonly (Row | undefined)[] = [0, 1, 2, 3, 4, 5, 6, 7].map((n) =>
  n < 5 ? undefined : row('Ed', save.fence),
);

const allForms = (f: FloatForms, form = XMM): Prefixed =>
  byPrefix(
    x(f.packedSingle, 0, form),
    x(f.packedDouble, 0, form),
    x(f.scalarSingle, 0, form),
    x(f.scalarDouble, 0, form),
  );
for (const [opcode, forms] of Object.entries(floats)) map[Number(opcode)] = allForms(forms);
map[0xc2] = allForms(compares, 'Ed Vd Ib');
for (const [opcode, execute] of Object.entries({ ...packed, ...shuffle.shuffles }))
  map[Number(opcode)] = byPrefix(undefined, x(onVectors(execute)));

/** Of the register that the rm operand is. */
const shifted =
  (operation: Operation): Execute =>
  (m, i) => {
    ready(m);
    operation(m, registerOf(i), registerOf(i), i.imm);
  };
for (const [opcode, operations] of Object.entries(shiftGroups))
  map[Number(opcode)] = byPrefix(undefined, registersOnly(operations, shifted));

for (const [opcode, entries] of Object.entries(MMX))
  map[Number(opcode)] = { ...(map[Number(opcode)] ?? byPrefix()), ...entries };

export const SSE: ReadonlyMap<number, Entry> = new Map(
  Object.entries(map).map(([opcode, entry]) => [Number(opcode), entry]),
);
