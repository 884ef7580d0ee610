/** PUSH, POP and what saves several registers at once. */
import { IF, IOPL, RF, readFlags, VIF, VIP, VM, writeFlags } from '../flags.ts';
import { type Instruction, MEMORY } from '../instruction.ts';
import { GP, type Machine, RBP, RSP, SS } from '../machine.ts';
import { load, probeStore, store } from '../memory.ts';
import {
  effectiveAddress,
  peek,
  push,
  readRegister,
  readRm,
  registerIndex,
  setStackPointer,
  stackOffset,
  stackPointer,
  writeRegister,
  writeRm,
} from '../operands.ts';

export function pushRm(m: Machine, i: Instruction): void {
  push(m, readRm(m, i), i.size);
}

export function pushImm(m: Machine, i: Instruction): void {
  push(m, i.imm, i.size);
}

/** An address by RSP is that after the pop (Intel SDM 2, POP). */
export function popRm(m: Machine, i: Instruction): void {
  const value = peek(m, 0, i.size);
  const before = stackPointer(m);
  const after = stackOffset(m, i.size);
  if (i.rm !== MEMORY) {
    setStackPointer(m, after);
    writeRm(m, i, value);
    return;
  }
  setStackPointer(m, after);
  const offset = effectiveAddress(m, i);
  setStackPointer(m, before);
  store(m, i.segment, offset, i.size, value);
  setStackPointer(m, after);
}

export function pusha(m: Machine, i: Instruction): void {
  for (let r = 0; r < 8; r += 1) probeStore(m, SS, stackOffset(m, -i.size * (r + 1)), i.size);
  for (let r = 0; r < 8; r += 1)
    store(
      m,
      SS,
      stackOffset(m, -i.size * (r + 1)),
      i.size,
      readRegister(m, registerIndex(r, i.size), i.size),
    );
  setStackPointer(m, stackOffset(m, -i.size * 8));
}

export function popa(m: Machine, i: Instruction): void {
  const values: number[] = [];
  for (let n = 0; n < 8; n += 1) values.push(peek(m, n * i.size, i.size));
  const after = stackOffset(m, i.size * 8);
  values.forEach((value, n) => {
    if (7 - n !== RSP) writeRegister(m, registerIndex(7 - n, i.size), i.size, value);
  });
  setStackPointer(m, after);
}

/** In virtual-8086 mode what has to do with the flags is the kernel's, unless it gives it away. */
export function needIopl3(m: Machine): void {
  if ((m.flags & IOPL) !== IOPL) m.fault(GP, 0);
}

export function pushf(m: Machine, i: Instruction): void {
  if (m.virtual8086) needIopl3(m);
  push(m, readFlags(m) & ~(RF | VM), i.size);
}

/** What POPF and IRET may change: IOPL only at level 0, IF only where IOPL allows; VM, VIF and VIP never. */
export function changeableFlags(m: Machine, size: number): number {
  let mask = 0x257fd5 & ~(VM | VIF | VIP | RF);
  if (m.cpl !== 0) mask &= ~IOPL;
  if (m.cpl > (m.flags & IOPL) >> 12) mask &= ~IF;
  return size === 2 ? mask & 0xffff : mask;
}

export function popf(m: Machine, i: Instruction): void {
  if (m.virtual8086) needIopl3(m);
  const value = peek(m, 0, i.size);
  setStackPointer(m, stackOffset(m, i.size));
  const mask = changeableFlags(m, i.size);
  writeFlags(m, value & ~RF, mask | (i.size === 4 ? RF : 0));
}

export function enter(m: Machine, i: Instruction): void {
  const level = i.imm2 & 31;
  const size = i.size;
  const frame = stackOffset(m, -size);
  for (let n = 1; n <= level + 1; n += 1) probeStore(m, SS, stackOffset(m, -size * n), size);
  const rbp = m.g32[2 * RBP]!;
  const links: number[] = [];
  for (let n = 1; n < level; n += 1) links.push(load(m, SS, ((rbp - n * size) & m.stackMask) >>> 0, size));
  if (level > 0) links.push(frame);
  store(m, SS, frame, size, rbp);
  links.forEach((link, n) => {
    store(m, SS, stackOffset(m, -size * (n + 2)), size, link);
  });
  const after = stackOffset(m, -size * (1 + links.length) - (i.imm & 0xffff));
  writeRegister(m, registerIndex(RBP, size), size, frame);
  setStackPointer(m, after);
}

export function leaveFrame(m: Machine, i: Instruction): void {
  const frame = (m.g32[2 * RBP]! & m.stackMask) >>> 0;
  const value = load(m, SS, frame, i.size);
  setStackPointer(m, (frame + i.size) & m.stackMask);
  writeRegister(m, registerIndex(RBP, i.size), i.size, value);
}
