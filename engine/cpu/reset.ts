/** The state after reset (Intel SDM 3, table 10-1). */
import { setArithmetic } from './flags.ts';
import { CR0_ET, CS, LDTR, type Machine, RDX, TR } from './machine.ts';
import { flushTranslations } from './memory.ts';
import { setSegment } from './segment-state.ts';

const DATA = 0x93;
const CODE = 0x9b;
const LDT = 0x82;
const BUSY_TSS_32 = 0x8b;
/** What the table gives for EDX: family and model; the exact stepping is nobody's business. */
const PROCESSOR_SIGNATURE = 0x600;

export function reset(m: Machine): void {
  m.g32.fill(0);
  m.g32[2 * RDX] = PROCESSOR_SIGNATURE;
  m.cr0 = 0x60000000 | CR0_ET;
  m.cr2 = 0;
  m.cr3 = 0;
  m.cr4 = 0;
  m.cr8 = 0;
  m.efer = 0;
  m.starHigh = 0;
  m.starLow = 0;
  m.lstar = 0;
  m.sfmask = 0;
  m.kernelGsBase = 0;
  m.sysenterCs = 0;
  m.sysenterEip = 0;
  m.sysenterEsp = 0;
  m.tscAux = 0;
  m.longMode = false;
  m.flags = 0;
  setArithmetic(m, 0);
  for (let segment = 0; segment < LDTR; segment += 1) setSegment(m, segment, 0, 0, 0xffff, DATA);
  setSegment(m, CS, 0xf000, 0xffff0000, 0xffff, CODE);
  setSegment(m, LDTR, 0, 0, 0xffff, LDT);
  setSegment(m, TR, 0, 0, 0xffff, BUSY_TSS_32);
  m.ip = 0xfff0;
  m.gdtBase = 0;
  m.gdtLimit = 0xffff;
  m.idtBase = 0;
  m.idtLimit = 0xffff;
  m.dr.fill(0);
  m.dr[6] = 0xffff0ff0;
  m.dr[7] = 0x400;
  m.fpControl = 0x40;
  m.fpStatus = 0;
  m.fpTags = 0;
  m.fpLast = 0n;
  m.fpData = 0n;
  m.fpStack.fill(0);
  m.fpTouched = true;
  m.mxcsr = 0x1f80;
  m.xcr0 = 0;
  m.x32.fill(0);
  m.kept.clear();
  m.modelSpecific.clear();
  m.interruptShadow = false;
  m.leaveBlock = false;
  flushTranslations(m);
}
