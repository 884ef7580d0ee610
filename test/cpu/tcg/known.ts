/**
 * Where QEMU's TCG is not what the Intel SDM says, or what it leaves open: differences that are not ours. Others are kept out
 * of the cases: README.md lists them.
 */
import { GDT, GDT_LIMIT, LANDING, LDT, LDT_LIMIT, TABLES } from './image.ts';
import { SECOND_TABLE } from './kinds/paging.ts';
import type { Mode } from './setup.ts';

const ACCESSED_PAGE = 0x20;
const ACCESSED_SEGMENT = 1;
const NON_SYSTEM = 0x10;

const inLanding = (ip: number): boolean => ip >= LANDING && ip < LANDING + 64;
const PAGE_FAULT = 14;
const RESERVED_PRESENT = 9;
const WITH_SELECTOR: readonly number[] = [10, 11, 12, 13];

/** The error code that a handler finds, at `sp`: takes back what TCG writes against the SDM. */
export function mendErrorCode(mode: Mode, vector: number, sp: number, qemu: Buffer, guest: Buffer): void {
  // A reserved bit is a violation in an entry that is present (SDM 3, 4.7): TCG leaves P clear. The stack may be anywhere.
  if (vector === PAGE_FAULT) {
    const at = guest.findIndex((byte, n) => byte !== qemu[n]);
    if (at >= 0 && guest[at]! < 0x20 && (guest[at]! & RESERVED_PRESENT) === RESERVED_PRESENT)
      qemu[at] = qemu[at]! | 1;
  }
  if (sp + 8 > guest.length) return;
  // What is wrong with a segment of a new task is that task's fault (SDM 3, 8.3): TCG names an instruction of the old one.
  const inNewTask = inLanding(guest.readUInt32LE(sp + 4)) && qemu.readUInt32LE(sp + 4) < LANDING;
  if (WITH_SELECTOR.includes(vector) && inNewTask) guest.copy(qemu, sp + 4, sp + 4, sp + 8);
  // EXT is set for what the delivery of an exception meets (SDM 3, 6.13): TCG forgets it, in long mode always.
  if (mode.protectedMode && WITH_SELECTOR.includes(vector)) qemu[sp] = qemu[sp]! | (guest[sp]! & 1);
}

/** Takes back what TCG does to memory against the SDM; `halted`: the guest ran into a HLT. */
export function mendMemory(mode: Mode, halted: boolean, qemu: Buffer, guest: Buffer): void {
  // A page-directory-pointer entry of PAE has no accessed bit: it is reserved (SDM 3, table 4-8). TCG sets it.
  if (mode.tables === 'PAE')
    for (let n = 0; n < 4; n += 1) qemu[TABLES + 8 * n] = qemu[TABLES + 8 * n]! & ~ACCESSED_PAGE;
  // Far transfers, interrupts and returns do not mark descriptors accessed in TCG.
  for (const [start, limit] of [
    [GDT, GDT_LIMIT],
    [LDT, LDT_LIMIT],
  ] as const)
    for (let at = start + 5; at <= start + limit; at += 8)
      if ((qemu[at]! & NON_SYSTEM) !== 0 && (qemu[at]! | ACCESSED_SEGMENT) === guest[at])
        qemu[at] = guest[at]!;
  // QEMU stops in front of the last instruction, before it is fetched.
  if (halted && mode.tables !== undefined)
    for (const [start, end] of [
      [TABLES, TABLES + 0x4000],
      [SECOND_TABLE, SECOND_TABLE + 0x1000],
    ] as const)
      for (let at = start; at < end; at += 4)
        if ((qemu[at]! | ACCESSED_PAGE) === guest[at]) qemu[at] = guest[at]!;
}
