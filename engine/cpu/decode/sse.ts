/** SSE and SSE2 in the opcode map behind 0F: a prefix chooses which (Intel SDM 2, table A-3). MMX registers there are none. */
import * as convert from '../exec-sse/convert.ts';
import {
  compareScalar,
  compares,
  type FloatForms,
  floats,
  reciprocalRoots,
  reciprocals,
} from '../exec-sse/float.ts';
import * as moves from '../exec-sse/moves.ts';
import { packed, shiftGroups } from '../exec-sse/packed.ts';
import * as save from '../exec-sse/save.ts';
import * as shuffle from '../exec-sse/shuffle.ts';
import * as xsave from '../exec-sse/xsave.ts';
import type { Execute } from '../instruction.ts';
import { type Entry, group, type Prefixed, type Row, row } from './rows.ts';

/** An XMM register, and one or memory: their indexes are those of 4-byte registers. */
const XMM = 'Ed Vd';

const byPrefix = (none?: Entry, p66?: Entry, f3?: Entry, f2?: Entry): Prefixed => ({ none, p66, f3, f2 });
const x = (execute: Execute, kind = 0, form = XMM): Row => row(form, execute, kind);

const map: Record<number, Entry> = {
  16: byPrefix(x(moves.load), x(moves.load), x(moves.loadScalar, 1), x(moves.loadScalar, 2)),
  17: byPrefix(x(moves.store), x(moves.store), x(moves.storeScalar, 1), x(moves.storeScalar, 2)),
  18: byPrefix(x(moves.loadLow, 1), x(moves.loadLow)),
  19: byPrefix(x(moves.storeLow, 0, 'Md Vd'), x(moves.storeLow, 0, 'Md Vd')),
  20: byPrefix(x(shuffle.unpackSinglesLow), x(shuffle.unpackQuadsLow)),
  21: byPrefix(x(shuffle.unpackSinglesHigh), x(shuffle.unpackQuadsHigh)),
  22: byPrefix(x(moves.loadHigh, 1), x(moves.loadHigh)),
  23: byPrefix(x(moves.storeHigh, 0, 'Md Vd'), x(moves.storeHigh, 0, 'Md Vd')),
  40: byPrefix(x(moves.loadAligned), x(moves.loadAligned)),
  41: byPrefix(x(moves.storeAligned), x(moves.storeAligned)),
  42: byPrefix(
    undefined,
    undefined,
    x(convert.fromGeneral(1), 0, 'Ev Vd'),
    x(convert.fromGeneral(2), 0, 'Ev Vd'),
  ),
  43: byPrefix(x(moves.storeAligned, 0, 'Md Vd'), x(moves.storeAligned, 0, 'Md Vd')),
  44: byPrefix(
    undefined,
    undefined,
    x(convert.toGeneral(1, true), 0, 'Ev Vd'),
    x(convert.toGeneral(2, true), 0, 'Ev Vd'),
  ),
  45: byPrefix(
    undefined,
    undefined,
    x(convert.toGeneral(1, false), 0, 'Ev Vd'),
    x(convert.toGeneral(2, false), 0, 'Ev Vd'),
  ),
  46: byPrefix(x(compareScalar(false), 1), x(compareScalar(false), 2)),
  47: byPrefix(x(compareScalar(true), 1), x(compareScalar(true), 2)),
  80: byPrefix(x(moves.signs, 4), x(moves.signs, 8)),
  82: byPrefix(x(reciprocalRoots.packedSingle), undefined, x(reciprocalRoots.scalarSingle)),
  83: byPrefix(x(reciprocals.packedSingle), undefined, x(reciprocals.scalarSingle)),
  84: byPrefix(x(packed[0xdb]!), x(packed[0xdb]!)),
  85: byPrefix(x(packed[0xdf]!), x(packed[0xdf]!)),
  86: byPrefix(x(packed[0xeb]!), x(packed[0xeb]!)),
  87: byPrefix(x(packed[0xef]!), x(packed[0xef]!)),
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
  110: byPrefix(undefined, x(moves.loadGeneral, 0, 'Ev Vd')),
  111: byPrefix(undefined, x(moves.loadAligned), x(moves.load)),
  112: byPrefix(
    undefined,
    x(shuffle.shuffleDoubles, 0, 'Ed Vd Ib'),
    x(shuffle.shuffleWords, 4, 'Ed Vd Ib'),
    x(shuffle.shuffleWords, 0, 'Ed Vd Ib'),
  ),
  126: byPrefix(undefined, x(moves.storeGeneral, 0, 'Ev Vd'), x(moves.loadQuad)),
  127: byPrefix(undefined, x(moves.storeAligned), x(moves.store)),
  174: byPrefix({
    choose: (modrm) => (modrm < 0xc0 ? saves[(modrm >> 3) & 7] : fences[(modrm >> 3) & 7]),
  }),
  195: byPrefix(row('Mv Gv', moves.storeInteger)),
  196: byPrefix(undefined, x(moves.insertWord, 0, 'Ew Vw Ib')),
  197: byPrefix(undefined, x(moves.extractWord, 0, 'Ed Vd Ib')),
  198: byPrefix(x(shuffle.shuffleSingles, 0, 'Ed Vd Ib'), x(shuffle.shuffleQuads, 0, 'Ed Vd Ib')),
  214: byPrefix(undefined, x(moves.storeQuad)),
  215: byPrefix(undefined, x(moves.signs, 1)),
  230: byPrefix(
    undefined,
    x(convert.doublesToIntegers(true)),
    x(convert.integersToDoubles),
    x(convert.doublesToIntegers(false)),
  ),
  231: byPrefix(undefined, x(moves.storeAligned, 0, 'Md Vd')),
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
  map[Number(opcode)] = byPrefix(undefined, x(execute));
for (const [opcode, executes] of Object.entries(shiftGroups)) {
  const rows = Array.from({ length: 8 }, (_, n) => {
    const execute = executes[n];
    return execute === undefined ? undefined : row('Ed Ib', execute);
  });
  const { choose } = group(...rows);
  // Registers only.
  map[Number(opcode)] = byPrefix(undefined, {
    choose: (modrm) => (modrm < 0xc0 ? undefined : choose(modrm)),
  });
}

export const SSE: ReadonlyMap<number, Entry> = new Map(
  Object.entries(map).map(([opcode, entry]) => [Number(opcode), entry]),
);

/** Those with a general register of 4 or 8 bytes. */
export const GENERAL: ReadonlySet<Execute> = new Set(
  [0x2a, 0x2c, 0x2d, 0x6e, 0x7e, 0xc3].flatMap((opcode) => {
    const entry = map[opcode] as Prefixed;
    return [entry.none, entry.p66, entry.f3, entry.f2].flatMap((e) =>
      e !== undefined && 'execute' in e ? [e.execute] : [],
    );
  }),
);
