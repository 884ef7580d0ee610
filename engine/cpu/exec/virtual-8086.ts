/** Into virtual-8086 mode by IRET (Intel SDM 3, 22.2.5). */
import { EVERY_FLAG, writeFlags } from '../flags.ts';
import { CS, DS, ES, FS, GP, GS, type Machine, RSP, SS } from '../machine.ts';
import { peek } from '../operands.ts';
import { setSegment } from '../segment-state.ts';

const SEGMENT_BYTES = 0x10000;
/** Present, level 3, writable data, accessed: CS too. */
const ATTRIBUTES = 0xf3;

/** A segment register as virtual-8086 mode has it. */
export function setVirtualSegment(m: Machine, segment: number, selector: number): void {
  setSegment(m, segment, selector, selector * 16, SEGMENT_BYTES - 1, ATTRIBUTES);
}

/** The frame of 32-bit words goes on with ESP, SS, ES, DS, FS and GS. */
export function enterVirtual8086(m: Machine, ip: number, selector: number, flags: number): void {
  if (ip >= SEGMENT_BYTES) m.fault(GP, 0);
  const sp = peek(m, 12, 4);
  const segments = [SS, ES, DS, FS, GS].map((segment, n) => [segment, peek(m, 16 + 4 * n, 2)] as const);
  writeFlags(m, flags, EVERY_FLAG);
  setVirtualSegment(m, CS, selector);
  for (const [segment, value] of segments) setVirtualSegment(m, segment, value);
  m.g32[2 * RSP] = sp;
  m.ip = ip;
}
