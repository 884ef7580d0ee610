/** The one-byte opcode map (Intel SDM 2, table A-2), without the prefixes. */
import { arpl } from '../exec/access-rights.ts';
import * as alu from '../exec/alu.ts';
import * as bits from '../exec/bits.ts';
import * as control from '../exec/control.ts';
import * as far from '../exec/far.ts';
import * as interrupts from '../exec/interrupts.ts';
import * as io from '../exec/io.ts';
import * as moves from '../exec/moves.ts';
import * as multiply from '../exec/multiply.ts';
import * as segments from '../exec/segments.ts';
import * as shifts from '../exec/shifts.ts';
import * as stack from '../exec/stack.ts';
import * as strings from '../exec/strings.ts';
import * as system from '../exec/system.ts';
import { CS, DS, ES, SS } from '../machine.ts';
import * as x87 from '../x87/index.ts';
import { type Entry, group, row } from './rows.ts';

const map: Entry[] = new Array<Entry>(256).fill(undefined);

for (let kind = alu.ADD; kind < alu.CMP; kind += 1) {
  map[kind * 8] = row('Eb Gb', alu.aluRmReg, kind, 'lock');
  map[kind * 8 + 1] = row('Ev Gv', alu.aluRmReg, kind, 'lock');
  map[kind * 8 + 2] = row('Gb Eb', alu.aluRegRm, kind);
  map[kind * 8 + 3] = row('Gv Ev', alu.aluRegRm, kind);
  map[kind * 8 + 4] = row('b Ib', alu.aluAccImm, kind);
  map[kind * 8 + 5] = row('v Iz', alu.aluAccImm, kind);
}
map[0x38] = row('Eb Gb', alu.cmpRmReg);
map[0x39] = row('Ev Gv', alu.cmpRmReg);
map[0x3a] = row('Gb Eb', alu.cmpRegRm);
map[0x3b] = row('Gv Ev', alu.cmpRegRm);
map[0x3c] = row('b Ib', alu.cmpAccImm);
map[0x3d] = row('v Iz', alu.cmpAccImm);

for (const [opcode, segment] of [
  [0x06, ES],
  [0x0e, CS],
  [0x16, SS],
  [0x1e, DS],
] as const) {
  map[opcode] = row('v', segments.pushSeg, segment);
  if (segment !== CS) map[opcode + 1] = row('v', segments.popSeg, segment, 'ends');
}
map[0x27] = row('', bits.daa);
map[0x2f] = row('', bits.das);
map[0x37] = row('', bits.aaa);
map[0x3f] = row('', bits.aas);

for (let r = 0; r < 8; r += 1) {
  map[0x40 + r] = row('Zv', alu.incRm);
  map[0x48 + r] = row('Zv', alu.decRm);
  map[0x50 + r] = row('Zv', stack.pushRm);
  map[0x58 + r] = row('Zv', stack.popRm);
  // XCHG with the accumulator: its register operand is number 0.
  map[0x90 + r] = r === 0 ? row('', moves.nop) : row('Zv', moves.xchgRmReg);
  map[0xb0 + r] = row('Zb Ib', moves.movRmImm);
  map[0xb8 + r] = row('Zv Iz', moves.movRmImm);
}

map[0x60] = row('v', stack.pusha);
map[0x61] = row('v', stack.popa);
map[0x62] = row('Gv Mv', interrupts.bound);
map[0x63] = row('Ew Gw', arpl);
map[0x68] = row('v Iz', stack.pushImm);
map[0x69] = row('Gv Ev Iz', multiply.imulRegRmImm);
map[0x6a] = row('v Is', stack.pushImm);
map[0x6b] = row('Gv Ev Is', multiply.imulRegRmImm);
map[0x6c] = row('b', io.ins, 0, 'ends');
map[0x6d] = row('v', io.ins, 0, 'ends');
map[0x6e] = row('b', io.outs, 0, 'ends');
map[0x6f] = row('v', io.outs, 0, 'ends');

for (let code = 0; code < 16; code += 1) map[0x70 + code] = row('v Jb', control.jcc, code, 'ends');

const aluGroup = (form: string): Entry =>
  group(
    ...[0, 1, 2, 3, 4, 5, 6].map((kind) => row(form, alu.aluRmImm, kind, 'lock')),
    row(form, alu.cmpRmImm),
  );
map[0x80] = aluGroup('Eb Ib');
map[0x81] = aluGroup('Ev Iz');
map[0x82] = aluGroup('Eb Ib');
map[0x83] = aluGroup('Ev Is');
map[0x84] = row('Eb Gb', alu.testRmReg);
map[0x85] = row('Ev Gv', alu.testRmReg);
map[0x86] = row('Eb Gb', moves.xchgRmReg, 0, 'locks');
map[0x87] = row('Ev Gv', moves.xchgRmReg, 0, 'locks');
map[0x88] = row('Eb Gb', moves.movRmReg);
map[0x89] = row('Ev Gv', moves.movRmReg);
map[0x8a] = row('Gb Eb', moves.movRegRm);
map[0x8b] = row('Gv Ev', moves.movRegRm);
map[0x8c] = row('Ev Sw', segments.movRmSeg);
map[0x8d] = row('Gv Mv', moves.lea);
map[0x8e] = row('Ew Sw', segments.movSegRm, 0, 'ends');
map[0x8f] = group(row('Ev', stack.popRm));

map[0x98] = row('v', moves.cbw);
map[0x99] = row('v', moves.cwd);
map[0x9a] = row('Ap', far.callFar, 0, 'ends');
map[0x9b] = row('', x87.wait);
map[0x9c] = row('v', stack.pushf);
map[0x9d] = row('v', stack.popf, 0, 'ends');
map[0x9e] = row('', moves.sahf);
map[0x9f] = row('', moves.lahf);

map[0xa0] = row('Ob', moves.movAccMemory);
map[0xa1] = row('Ov', moves.movAccMemory);
map[0xa2] = row('Ob', moves.movMemoryAcc);
map[0xa3] = row('Ov', moves.movMemoryAcc);
map[0xa8] = row('b Ib', alu.testAccImm);
map[0xa9] = row('v Iz', alu.testAccImm);
for (const [opcode, kind] of [
  [0xa4, strings.MOVS],
  [0xa6, strings.CMPS],
  [0xaa, strings.STOS],
  [0xac, strings.LODS],
  [0xae, strings.SCAS],
] as const) {
  map[opcode] = row('b', strings.string, kind, 'ends');
  map[opcode + 1] = row('v', strings.string, kind, 'ends');
}

const shiftGroup = (form: string, execute: typeof shifts.shiftRmCl): Entry =>
  group(...[0, 1, 2, 3, 4, 5, 6, 7].map((kind) => row(form, execute, kind)));
map[0xc0] = shiftGroup('Eb Ib', shifts.shiftRmImm);
map[0xc1] = shiftGroup('Ev Ib', shifts.shiftRmImm);
map[0xd0] = shiftGroup('Eb', shifts.shiftRmOne);
map[0xd1] = shiftGroup('Ev', shifts.shiftRmOne);
map[0xd2] = shiftGroup('Eb', shifts.shiftRmCl);
map[0xd3] = shiftGroup('Ev', shifts.shiftRmCl);

map[0xc2] = row('v Iw', control.ret, 0, 'ends');
map[0xc3] = row('v', control.ret, 0, 'ends');
map[0xc4] = row('Gv Mv', segments.loadFarPointer, ES);
map[0xc5] = row('Gv Mv', segments.loadFarPointer, DS);
map[0xc6] = group(row('Eb Ib', moves.movRmImm));
map[0xc7] = group(row('Ev Iz', moves.movRmImm));
map[0xc8] = row('v Iw Ib', stack.enter);
map[0xc9] = row('v', stack.leaveFrame);
map[0xca] = row('v Iw', far.retFar, 0, 'ends');
map[0xcb] = row('v', far.retFar, 0, 'ends');
map[0xcc] = row('', interrupts.int3, 0, 'ends');
map[0xcd] = row('v Ib', interrupts.int, 0, 'ends');
map[0xce] = row('', interrupts.into, 0, 'ends');
map[0xcf] = row('v', far.iret, 0, 'ends');

map[0xd4] = row('b Ib', multiply.aam);
map[0xd5] = row('b Ib', multiply.aad);
map[0xd6] = row('', system.salc);
map[0xd7] = row('b', moves.xlat);
for (let opcode = 0xd8; opcode <= 0xdf; opcode += 1)
  map[opcode] = row('Ev', x87.coprocessor, opcode - 0xd8, 'ends');

for (let kind = 0; kind < 4; kind += 1) map[0xe0 + kind] = row('v Jb', control.loop, kind, 'ends');
map[0xe4] = row('b Ib', io.inImm, 0, 'ends');
map[0xe5] = row('v Ib', io.inImm, 0, 'ends');
map[0xe6] = row('b Ib', io.outImm, 0, 'ends');
map[0xe7] = row('v Ib', io.outImm, 0, 'ends');
map[0xe8] = row('v Jz', control.call, 0, 'ends');
map[0xe9] = row('v Jz', control.jmp, 0, 'ends');
map[0xea] = row('Ap', far.jmpFar, 0, 'ends');
map[0xeb] = row('v Jb', control.jmp, 0, 'ends');
map[0xec] = row('b', io.inDx, 0, 'ends');
map[0xed] = row('v', io.inDx, 0, 'ends');
map[0xee] = row('b', io.outDx, 0, 'ends');
map[0xef] = row('v', io.outDx, 0, 'ends');

map[0xf1] = row('', interrupts.int1, 0, 'ends');
map[0xf4] = row('', system.hlt, 0, 'ends');
map[0xf5] = row('', system.cmc);
for (const [opcode, form, imm] of [
  [0xf6, 'Eb', 'Eb Ib'],
  [0xf7, 'Ev', 'Ev Iz'],
] as const) {
  map[opcode] = group(
    row(imm, alu.testRmImm),
    row(imm, alu.testRmImm),
    row(form, alu.notRm, 0, 'lock'),
    row(form, alu.negRm, 0, 'lock'),
    row(form, multiply.mul),
    row(form, multiply.imulAcc),
    row(form, multiply.div),
    row(form, multiply.idiv),
  );
}
map[0xf8] = row('', system.clc);
map[0xf9] = row('', system.stc);
map[0xfa] = row('', system.cli, 0, 'ends');
map[0xfb] = row('', system.sti, 0, 'ends');
map[0xfc] = row('', system.cld);
map[0xfd] = row('', system.std);
map[0xfe] = group(row('Eb', alu.incRm, 0, 'lock'), row('Eb', alu.decRm, 0, 'lock'));
map[0xff] = group(
  row('Ev', alu.incRm, 0, 'lock'),
  row('Ev', alu.decRm, 0, 'lock'),
  row('Ev', control.callRm, 0, 'ends'),
  row('Mv', far.callFarMemory, 0, 'ends'),
  row('Ev', control.jmpRm, 0, 'ends'),
  row('Mv', far.jmpFarMemory, 0, 'ends'),
  row('Ev', stack.pushRm),
);

export const ONE_BYTE: readonly Entry[] = map;
