/** Task switches (Intel SDM 3, chapter 8): the state goes to the old task's segment and comes from the new one's. */
import { EVERY_FLAG, NT, readFlags, VM, writeFlags } from '../flags.ts';
import {
  CR0_PG,
  CR0_TS,
  CS,
  DB,
  DS,
  ES,
  FS,
  GP,
  GS,
  LDTR,
  type Machine,
  NP,
  SS,
  STACK_FAULT,
  TR,
  TS,
} from '../machine.ts';
import { flushTranslations, further, loadSystem, probeWrite, storeSystem } from '../memory.ts';
import { push, registerIndex, writeRegister } from '../operands.ts';
import { PRESENT, setSegment } from '../segment-state.ts';
import {
  type Descriptor,
  dplOf,
  isCode,
  isConforming,
  isReadable,
  isWritableData,
  LDT_TYPE,
  markAccessed,
  readDescriptor,
  selectorError,
  TABLE_INDICATOR,
  TSS_BUSY,
  TSS_TYPES,
  WIDE_TYPE,
} from './segments.ts';
import { setVirtualSegment } from './virtual-8086.ts';

/** Offsets in a task-state segment (Intel SDM 3, figures 8-2 and 8-10). */
interface Layout {
  readonly word: 2 | 4;
  readonly bytes: number;
  readonly cr3: number | undefined;
  readonly ip: number;
  readonly general: number;
  readonly segments: number;
  /** ES, CS, SS, DS, and in a 32-bit one FS, GS. */
  readonly segmentCount: number;
  readonly ldt: number;
  readonly trap: number | undefined;
}

const NARROW: Layout = {
  ...{ word: 2, bytes: 0x2c, cr3: undefined, ip: 0x0e, general: 0x12 },
  ...{ segments: 0x22, segmentCount: 4, ldt: 0x2a, trap: undefined },
};
const WIDE: Layout = {
  ...{ word: 4, bytes: 0x68, cr3: 0x1c, ip: 0x20, general: 0x28 },
  ...{ segments: 0x48, segmentCount: 6, ldt: 0x60, trap: 0x64 },
};
const GENERAL_COUNT = 8;
const NARROW_FLAGS = 0x7fd5 | VM;
/** L0 to L3 and LE of DR7. */
const LOCAL_BREAKPOINTS = 0x155;
const DR6_BT = 0x8000;

const layoutOf = (attributes: number): Layout => ((attributes & WIDE_TYPE) !== 0 ? WIDE : NARROW);

export type TaskSource = 'jump' | 'call' | 'return';

interface Task {
  readonly cr3: number | undefined;
  readonly ip: number;
  readonly flags: number;
  readonly general: readonly number[];
  readonly segments: readonly number[];
  readonly ldt: number;
  readonly trap: boolean;
}

/** The available task-state segment that a gate names; `ext` is the EXT bit of an error code. */
export function readTaskDescriptor(m: Machine, selector: number, ext: number): Descriptor {
  const error = selectorError(selector) + ext;
  if ((selector & TABLE_INDICATOR) !== 0) m.fault(GP, error);
  const d = readDescriptor(m, selector, GP, ext);
  if (!TSS_TYPES.includes(d.attributes & 0x1f)) m.fault(GP, error);
  if ((d.attributes & PRESENT) === 0) m.fault(NP, error);
  return d;
}

function readTask(m: Machine, tss: Descriptor, layout: Layout): Task {
  const { word } = layout;
  const read = (at: number, size: number = word): number => loadSystem(m, further(m, tss.base, at), size);
  return {
    cr3: layout.cr3 === undefined ? undefined : read(layout.cr3) >>> 0,
    ip: read(layout.ip) >>> 0,
    flags: read(layout.ip + word),
    general: Array.from({ length: GENERAL_COUNT }, (_, r) => read(layout.general + word * r)),
    segments: Array.from({ length: 6 }, (_, n) =>
      n < layout.segmentCount ? read(layout.segments + word * n, 2) : 0,
    ),
    ldt: read(layout.ldt, 2),
    trap: layout.trap !== undefined && (read(layout.trap, 2) & 1) !== 0,
  };
}

/** The part of the old task's segment that is written; nothing is unless all can be. */
function saveTask(m: Machine, flags: number): void {
  const layout = layoutOf(m.attributes[TR]!);
  const { word } = layout;
  const at = (offset: number): number => further(m, m.bases[TR]!, offset);
  const write = (offset: number, value: number, size: number = word): void =>
    storeSystem(m, at(offset), size, value);
  write(layout.ip, m.ip);
  write(layout.ip + word, flags);
  for (let r = 0; r < GENERAL_COUNT; r += 1) write(layout.general + word * r, m.g32[2 * r]!);
  for (let n = 0; n < layout.segmentCount; n += 1) write(layout.segments + word * n, m.selectors[n]!, 2);
}

/** What a switch writes is there and may be written. */
function probeSwitch(m: Machine, tss: Descriptor): void {
  const layout = layoutOf(m.attributes[TR]!);
  const wasUser = m.user;
  if (wasUser) m.beginImplicit();
  try {
    probeWrite(m, further(m, m.bases[TR]!, layout.ip), layout.ldt - layout.ip);
    probeWrite(m, tss.base, 2);
    probeWrite(m, further(m, tss.linear, 5), 1);
    probeWrite(m, further(m, oldDescriptor(m), 5), 1);
  } finally {
    if (wasUser) m.endImplicit();
  }
}

const oldDescriptor = (m: Machine): number => further(m, m.gdtBase, m.selectors[TR]! & 0xfff8);

function markBusy(m: Machine, linear: number, busy: boolean): void {
  const at = further(m, linear, 5);
  const access = loadSystem(m, at, 1);
  storeSystem(m, at, 1, busy ? access | TSS_BUSY : access & ~TSS_BUSY);
}

/**
 * Switches to the task of a checked descriptor. What is wrong with its segments is raised in the new task (Intel SDM 3,
 * 8.3); an `error` code is pushed on its stack.
 */
export function switchTask(m: Machine, tss: Descriptor, how: TaskSource, ext: number, error?: number): void {
  const layout = layoutOf(tss.attributes);
  if (tss.limit < layout.bytes - 1) m.fault(TS, selectorError(tss.selector) + ext);
  const task = readTask(m, tss, layout);
  probeSwitch(m, tss);
  const old = m.selectors[TR]!;
  const flags = readFlags(m);
  if (how !== 'call') markBusy(m, oldDescriptor(m), false);
  saveTask(m, how === 'return' ? flags & ~NT : flags);
  if (how === 'call') storeSystem(m, tss.base, 2, old);
  if (how !== 'return') markBusy(m, tss.linear, true);

  // From here on faults are the new task's.
  m.faultInNewTask = true;
  m.cr0 = (m.cr0 | CR0_TS) >>> 0;
  setSegment(m, TR, tss.selector, tss.base, tss.limit, tss.attributes | TSS_BUSY);
  if (task.cr3 !== undefined && (m.cr0 & CR0_PG) !== 0) {
    m.cr3 = task.cr3;
    flushTranslations(m);
  }
  m.dr[7] = (m.dr[7]! & ~LOCAL_BREAKPOINTS) >>> 0;
  m.ip = task.ip;
  writeFlags(m, how === 'call' ? task.flags | NT : task.flags, layout.word === 4 ? EVERY_FLAG : NARROW_FLAGS);
  task.general.forEach((value, r) => {
    // A 16-bit task leaves the upper halves as they are, as QEMU has it: nothing is said of them.
    writeRegister(m, registerIndex(r, layout.word), layout.word, value);
  });
  loadTaskSegments(m, task);
  if (task.ip > m.limits[CS]!) m.fault(GP, ext);
  if (error !== undefined) push(m, error, layout.word);
  if (task.trap) {
    m.dr[6] = (m.dr[6]! | DR6_BT) >>> 0;
    m.fault(DB);
  }
  m.faultInNewTask = false;
}

function loadTaskSegments(m: Machine, task: Task): void {
  const { segments } = task;
  const level = segments[CS]! & 3;
  // All are unusable until they are loaded; the level is known already.
  setSegment(m, LDTR, task.ldt, 0, 0, 0);
  if (m.virtual8086)
    segments.forEach((selector, segment) => {
      setVirtualSegment(m, segment, selector);
    });
  else
    segments.forEach((selector, segment) => {
      setSegment(m, segment, selector, 0, 0, segment === SS ? level << 5 : 0);
    });
  loadLdt(m, task.ldt);
  if (!m.virtual8086)
    for (const segment of [CS, SS, ES, DS, FS, GS]) loadTaskSegment(m, segment, segments[segment]!, level);
}

function loadLdt(m: Machine, selector: number): void {
  if ((selector & 0xfffc) === 0) return;
  const error = selectorError(selector);
  if ((selector & TABLE_INDICATOR) !== 0) m.fault(TS, error);
  const d = readDescriptor(m, selector, TS);
  if ((d.attributes & 0x1f) !== LDT_TYPE || (d.attributes & PRESENT) === 0) m.fault(TS, error);
  setSegment(m, LDTR, selector, d.base, d.limit, d.attributes);
}

/** As other loads of segment registers, but what is wrong is #TS. */
function loadTaskSegment(m: Machine, segment: number, selector: number, level: number): void {
  const error = selectorError(selector);
  if ((selector & 0xfffc) === 0) {
    if (segment === CS || segment === SS) m.fault(TS, error);
    return;
  }
  const d = readDescriptor(m, selector, TS);
  if (!isAllowed(d, segment, selector & 3, level)) m.fault(TS, error);
  if ((d.attributes & PRESENT) === 0) m.fault(segment === SS ? STACK_FAULT : NP, error);
  setSegment(m, segment, selector, d.base, d.limit, markAccessed(m, d));
}

function isAllowed({ attributes }: Descriptor, segment: number, rpl: number, level: number): boolean {
  const dpl = dplOf(attributes);
  const conforming = isCode(attributes) && isConforming(attributes);
  if (segment === CS) return isCode(attributes) && (conforming ? dpl <= rpl : dpl === rpl);
  if (segment === SS) return isWritableData(attributes) && dpl === level && rpl === level;
  return isReadable(attributes) && (conforming || dpl >= Math.max(rpl, level));
}

/** An interrupt or exception through a task gate. */
export function interruptToTask(m: Machine, selector: number, ext: number, error: number | undefined): void {
  switchTask(m, readTaskDescriptor(m, selector, ext), 'call', ext, error);
}

/** IRET with NT set goes to the task that the current one's segment names. */
export function returnFromTask(m: Machine): void {
  const selector = loadSystem(m, m.bases[TR]!, 2);
  const error = selectorError(selector);
  if ((selector & TABLE_INDICATOR) !== 0) m.fault(TS, error);
  const d = readDescriptor(m, selector, TS);
  if (!TSS_TYPES.includes(d.attributes & 0x1f & ~TSS_BUSY) || (d.attributes & TSS_BUSY) === 0)
    m.fault(TS, error);
  if ((d.attributes & PRESENT) === 0) m.fault(NP, error);
  switchTask(m, d, 'return', 0);
}
