/** MMX in the opcode map behind 0F (Intel SDM 2, tables A-3 and B-13): what stands there beside the instructions of XMM registers. */
import * as convert from '../exec-mmx/convert.ts';
import * as moves from '../exec-mmx/moves.ts';
import { mmx, shifts, shuffle } from '../exec-mmx/packed.ts';
import { GENERAL, type Prefixed, registersOnly, x } from './rows.ts';

const none = (entry: Prefixed['none']): Partial<Prefixed> => ({ none: entry });

const map: Record<number, Partial<Prefixed>> = {
  42: { none: x(convert.toNumbers(1)), p66: x(convert.toNumbers(2)) },
  44: { none: x(convert.toWholes(1, true)), p66: x(convert.toWholes(2, true)) },
  45: { none: x(convert.toWholes(1, false)), p66: x(convert.toWholes(2, false)) },
  110: none(x(moves.loadGeneral, 0, GENERAL)),
  111: none(x(moves.load)),
  112: none(x(shuffle, 0, 'Ed Vd Ib')),
  119: none(x(moves.empty, 0, '')),
  126: none(x(moves.storeGeneral, 0, GENERAL)),
  127: none(x(moves.store)),
  196: none(x(moves.insertWord, 0, 'Ew Vw Ib')),
  197: none(x(moves.extractWord, 0, 'Ed Vd Ib')),
  214: { f3: x(moves.toVector), f2: x(moves.fromVector) },
  215: none(x(moves.signs)),
  231: none(x(moves.store, 0, 'Md Vd')),
  247: none(x(moves.storeMasked)),
};
for (const [opcode, execute] of Object.entries(mmx)) map[Number(opcode)] = none(x(execute));
for (const [opcode, executes] of Object.entries(shifts))
  map[Number(opcode)] = none(registersOnly(executes, (execute) => execute));

/** By the opcode: what each prefix chooses. */
export const MMX: Readonly<Record<number, Partial<Prefixed>>> = map;
