/** IN, OUT, INS, OUTS: always an exit. */
import { IOPL } from '../flags.ts';
import { type Instruction, REP_NONE } from '../instruction.ts';
import { GP, type Machine, RCX, RDX, TR } from '../machine.ts';
import { further, loadSystem } from '../memory.ts';
import { readRegister } from '../operands.ts';
import { PRESENT } from '../segment-state.ts';
import { TSS_32, TSS_BUSY } from './segments.ts';
import { indexRegister } from './strings.ts';

/** Where a 32-bit TSS says how far away its bitmap is. */
const BITMAP_OFFSET = 0x66;

/** Above IOPL, and always in virtual-8086 mode, the bitmap of the TSS decides (Intel SDM 1, 19.5.2): a port is open where its bit is 0. */
function needPortAccess(m: Machine, port: number, size: number): void {
  if (m.cpl <= (m.flags & IOPL) >> 12 && !m.virtual8086) return;
  if ((m.attributes[TR]! & 0x9f & ~TSS_BUSY) !== (PRESENT | TSS_32) || m.limits[TR]! < BITMAP_OFFSET + 1)
    m.fault(GP, 0);
  const bitmap = loadSystem(m, further(m, m.bases[TR]!, BITMAP_OFFSET), 2);
  const at = bitmap + (port >> 3);
  // Two bytes are read, whatever the size.
  if (at + 1 > m.limits[TR]!) m.fault(GP, 0);
  const bits = loadSystem(m, further(m, m.bases[TR]!, at), 2) >> (port & 7);
  if ((bits & ((1 << size) - 1)) !== 0) m.fault(GP, 0);
}

function leaveForPort(m: Machine, i: Instruction, port: number, direction: 'in' | 'out'): void {
  needPortAccess(m, port, i.size);
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
  needPortAccess(m, portInDx(m), i.size);
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
