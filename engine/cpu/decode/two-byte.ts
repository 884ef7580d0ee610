/** The opcode map behind 0F (Intel SDM 2, table A-3): what of it this processor has. */
import * as rights from '../exec/access-rights.ts';
import * as alu from '../exec/alu.ts';
import * as bits from '../exec/bits.ts';
import * as control from '../exec/control.ts';
import * as moves from '../exec/moves.ts';
import * as multiply from '../exec/multiply.ts';
import * as segments from '../exec/segments.ts';
import * as shifts from '../exec/shifts.ts';
import { sysenter, sysexit } from '../exec/sysenter.ts';
import * as system from '../exec/system.ts';
import { xgetbv, xsetbv } from '../exec-sse/xsave.ts';
import { swapgs, syscall, sysret } from '../exec64/index.ts';
import { FS, GS, SS } from '../machine.ts';
import { type Entry, group, groupWithSpecials, row } from './rows.ts';
import { SSE } from './sse.ts';

const map: Entry[] = new Array<Entry>(256).fill(undefined);

map[0x00] = group(
  row('Ev', segments.storeLdtr),
  row('Ev', segments.storeTr),
  row('Ew', segments.lldt, 0, 'ends'),
  row('Ew', segments.ltr, 0, 'ends'),
  row('Ew', rights.verr),
  row('Ew', rights.verw),
);
map[0x02] = row('Gv Ew', rights.lar);
map[0x03] = row('Gv Ew', rights.lsl);

/** ModRM bytes of whole instructions in the group 0F 01 (Intel SDM 2, table A-6). */
const VMCALL = 0xc1;
const XGETBV = 0xd0;
const XSETBV = 0xd1;
const CLAC = 0xca;
const STAC = 0xcb;
const SWAPGS = 0xf8;
const RDTSCP = 0xf9;
map[0x01] = groupWithSpecials(
  [
    row('Mv', system.sgdt),
    row('Mv', system.sidt),
    row('Mv', system.lgdt, 0, 'ends'),
    row('Mv', system.lidt, 0, 'ends'),
    row('Ev', system.smsw),
    undefined,
    row('Ew', system.lmsw, 0, 'ends'),
    row('Mb', system.invlpg, 0, 'ends'),
  ],
  new Map([
    [VMCALL, row('Ev', system.vmcall, 0, 'ends')],
    [XGETBV, row('Ev', xgetbv, 0, 'ends')],
    [XSETBV, row('Ev', xsetbv, 0, 'ends')],
    [CLAC, row('Ev', system.clac, 0, 'ends')],
    [STAC, row('Ev', system.stac, 0, 'ends')],
    [SWAPGS, row('Ev', swapgs, 0, 'ends')],
    [RDTSCP, row('Ev', system.rdtscp, 0, 'ends')],
  ]),
);
map[0x05] = row('', syscall, 0, 'ends');
map[0x07] = row('v', sysret, 0, 'ends');
map[0x06] = row('', system.clts, 0, 'ends');
map[0x08] = row('', system.cacheControl, 0, 'ends');
map[0x09] = row('', system.cacheControl, 0, 'ends');

// Prefetches and the hint NOPs: the operand is decoded and not touched.
map[0x0d] = row('Ev', moves.nop);
for (let opcode = 0x18; opcode <= 0x1f; opcode += 1) map[opcode] = row('Ev', moves.nop);

map[0x20] = row('Cd', system.movFromCr, 0, 'ends');
map[0x21] = row('Dd', system.movFromDr, 0, 'ends');
map[0x22] = row('Cd', system.movToCr, 0, 'ends');
map[0x23] = row('Dd', system.movToDr, 0, 'ends');

map[0x30] = row('', system.wrmsr, 0, 'ends');
map[0x31] = row('', system.rdtsc, 0, 'ends');
map[0x32] = row('', system.rdmsr, 0, 'ends');
map[0x34] = row('', sysenter, 0, 'ends');
map[0x35] = row('v', sysexit, 0, 'ends');

for (let code = 0; code < 16; code += 1) {
  map[0x40 + code] = row('Gv Ev', moves.cmov, code);
  map[0x80 + code] = row('v Jz', control.jcc, code, 'ends');
  map[0x90 + code] = row('Eb', moves.setcc, code);
}

map[0xa0] = row('v', segments.pushSeg, FS);
map[0xa1] = row('v', segments.popSeg, FS);
map[0xa2] = row('', system.cpuid, 0, 'ends');
map[0xa3] = row('Ev Gv', bits.bitRmReg, bits.BT);
map[0xa4] = row('Ev Gv Ib', shifts.shldImm);
map[0xa5] = row('Ev Gv', shifts.shldCl);
map[0xa8] = row('v', segments.pushSeg, GS);
map[0xa9] = row('v', segments.popSeg, GS);
map[0xab] = row('Ev Gv', bits.bitRmReg, bits.BTS, 'lock');
map[0xac] = row('Ev Gv Ib', shifts.shrdImm);
map[0xad] = row('Ev Gv', shifts.shrdCl);
map[0xaf] = row('Gv Ev', multiply.imulRegRm);

map[0xb0] = row('Eb Gb', alu.cmpxchg, 0, 'lock');
map[0xb1] = row('Ev Gv', alu.cmpxchg, 0, 'lock');
map[0xb2] = row('Gv Mv', segments.loadFarPointer, SS, 'ends');
map[0xb3] = row('Ev Gv', bits.bitRmReg, bits.BTR, 'lock');
map[0xb4] = row('Gv Mv', segments.loadFarPointer, FS);
map[0xb5] = row('Gv Mv', segments.loadFarPointer, GS);
map[0xb6] = row('Gv Eb', moves.movzx);
map[0xb7] = row('Gv Ew', moves.movzx);
map[0xba] = group(
  undefined,
  undefined,
  undefined,
  undefined,
  row('Ev Ib', bits.bitRmImm, bits.BT),
  row('Ev Ib', bits.bitRmImm, bits.BTS, 'lock'),
  row('Ev Ib', bits.bitRmImm, bits.BTR, 'lock'),
  row('Ev Ib', bits.bitRmImm, bits.BTC, 'lock'),
);
map[0xbb] = row('Ev Gv', bits.bitRmReg, bits.BTC, 'lock');
map[0xb8] = { plain: undefined, rep: row('Gv Ev', bits.popcnt), repne: undefined };
map[0xbc] = row('Gv Ev', bits.bsf);
map[0xbd] = { plain: row('Gv Ev', bits.bsr), rep: row('Gv Ev', bits.lzcnt), repne: row('Gv Ev', bits.bsr) };
map[0xbe] = row('Gv Eb', moves.movsx);
map[0xbf] = row('Gv Ew', moves.movsx);

map[0xc0] = row('Eb Gb', alu.xadd, 0, 'lock');
map[0xc1] = row('Ev Gv', alu.xadd, 0, 'lock');
map[0xc7] = group(undefined, row('Mv', moves.cmpxchg8b, 0, 'lock'));
for (let r = 0; r < 8; r += 1) map[0xc8 + r] = row('Zv', moves.bswap);

for (const [opcode, entry] of SSE) map[opcode] = entry;

export const TWO_BYTE: readonly Entry[] = map;
