/** IN, OUT, INS, OUTS: always an exit. */
import { IOPL } from '../flags.ts';
import { type Instruction, REP_NONE } from '../instruction.ts';
import { GP, type Machine, RCX, RDX } from '../machine.ts';
import { readRegister } from '../operands.ts';
import { indexRegister } from './strings.ts';

/** Above IOPL the TSS's permission bitmap decides; first form: it allows nothing. */
function needPortAccess(m: Machine): void {
  if (m.cpl > (m.flags & IOPL) >> 12) m.fault(GP, 0);
}

function leaveForPort(m: Machine, i: Instruction, port: number, direction: 'in' | 'out'): void {
  needPortAccess(m);
  const value = direction === 'out' ? readRegister(m, 0, i.size) >>> 0 : 0;
  m.stop({
    kind: 'io',
    port,
    size: i.size,
    direction,
    string: false,
    rep: false,
    count: 1,
    value,
    segment: 0,
    instructionLength: i.length,
    instructionBytes: NO_BYTES,
  });
}

/** The run loop fills them in. */
const NO_BYTES = new Uint8Array(0);

const portInDx = (m: Machine): number => m.g16[4 * RDX]!;

export function inImm(m: Machine, i: Instruction): void {
  leaveForPort(m, i, i.imm & 0xff, 'in');
}

export function inDx(m: Machine, i: Instruction): void {
  leaveForPort(m, i, portInDx(m), 'in');
}

export function outImm(m: Machine, i: Instruction): void {
  leaveForPort(m, i, i.imm & 0xff, 'out');
}

export function outDx(m: Machine, i: Instruction): void {
  leaveForPort(m, i, portInDx(m), 'out');
}

function leaveForString(m: Machine, i: Instruction, direction: 'in' | 'out'): void {
  needPortAccess(m);
  const repeated = i.rep !== REP_NONE;
  const count = repeated ? indexRegister(m, RCX, i) : 1;
  if (count === 0) return;
  m.stop({
    kind: 'io',
    port: portInDx(m),
    size: i.size,
    direction,
    string: true,
    rep: repeated,
    count,
    value: 0,
    segment: i.segment,
    instructionLength: i.length,
    instructionBytes: NO_BYTES,
  });
}

export function ins(m: Machine, i: Instruction): void {
  leaveForString(m, i, 'in');
}

export function outs(m: Machine, i: Instruction): void {
  leaveForString(m, i, 'out');
}
