/** Loads and stores of guest memory by segment and offset. Only what the TLB does not know leaves the fast path. */
import { type DevicePage, EXECUTE, type GuestPage, PAGE_BYTES, READ, WRITE } from './guest-memory.ts';
import { isAligned, type Pair, replaceLocked, replaceLocked64, replaceLockedPair } from './locked.ts';
import { CANONICAL_END, GP, type Machine, SS, STACK_FAULT } from './machine.ts';
import { CR4_SMAP, type PageAccess, physicalAddress } from './paging.ts';
import { ABOVE_LIMIT, expandsDown } from './segment-state.ts';
import { clearTag, clearTags, isKnown, setTag, slotOf, viewIn, viewOf } from './tlb.ts';

const OFFSET_MASK = PAGE_BYTES - 1;

// Linear addresses are whole numbers: unsigned 32 bits, or in 64-bit mode a signed one of 48 bits (the upper half of the
// address space is negative).

/** `delta` bytes further on: 32-bit addresses wrap. */
export function further(m: Machine, linear: number, delta: number): number {
  return m.longMode && (m.code64 || linear + delta < 0 || linear > 0xffffffff)
    ? linear + delta
    : (linear + delta) >>> 0;
}

/** Linear address of a readable operand; #GP or #SS outside the segment. `offset` is unsigned, in 64-bit mode signed. */
export function readAddress(m: Machine, segment: number, offset: number, size: number): number {
  if (m.flat[segment] === 1) return offset;
  if (m.code64) return m.bases[segment]! + offset;
  if (offset + size - 1 > m.readLimits[segment]!)
    outsideLimit(m, segment, offset, size, m.readLimits[segment]!);
  return (m.bases[segment]! + offset) >>> 0;
}

/** Linear address of a writable operand; #GP or #SS outside the segment. */
export function writeAddress(m: Machine, segment: number, offset: number, size: number): number {
  if (m.flat[segment] === 1) return offset;
  if (m.code64) return m.bases[segment]! + offset;
  if (offset + size - 1 > m.writeLimits[segment]!)
    outsideLimit(m, segment, offset, size, m.writeLimits[segment]!);
  return (m.bases[segment]! + offset) >>> 0;
}

/** Faults unless the segment grows down and holds the operand above its limit. */
function outsideLimit(m: Machine, segment: number, offset: number, size: number, allowed: number): void {
  if (allowed === ABOVE_LIMIT && expandsDown(m.attributes[segment]!)) {
    const top = (m.attributes[segment]! & 0x4000) !== 0 ? 0xffffffff : 0xffff;
    if (offset > m.limits[segment]! && offset + size - 1 <= top) return;
  }
  m.fault(segment === SS ? STACK_FAULT : GP, m.protectedMode ? 0 : undefined);
}

/** The value at `segment`:`offset`: signed for 4 bytes, else unsigned. */
export function load(m: Machine, segment: number, offset: number, size: number): number {
  return loadLinear(m, readAddress(m, segment, offset, size), size);
}

export function store(m: Machine, segment: number, offset: number, size: number, value: number): void {
  storeLinear(m, writeAddress(m, segment, offset, size), size, value);
}

/** Reads an operand that `storeUpdate` will write: what could stop the write stops here. */
export function loadForUpdate(m: Machine, segment: number, offset: number, size: number): number {
  const linear = writeAddress(m, segment, offset, size);
  const at = linear & OFFSET_MASK;
  if (isKnown(m.writeTags, linear) && at + size <= PAGE_BYTES) {
    const view = m.writeViews[slotOf(linear)]!;
    m.updateView = view;
    m.updateOffset = at;
    m.updateCode = -1;
    m.updateRead = loadFrom(view, at, size);
    return m.updateRead;
  }
  m.updateView = undefined;
  m.updateOffset = linear;
  const value = loadLinear(m, linear, size);
  probeWrite(m, linear, size);
  if (!m.locked || !findUpdate(m, linear, size)) return value;
  m.updateRead = loadFrom(m.updateView!, at, size);
  return m.updateRead;
}

/** Finds the bytes of an operand that may be written, also where stores to its page are looked at; false for a device's. */
function findUpdate(m: Machine, linear: number, size: number): boolean {
  const at = linear & OFFSET_MASK;
  if (at + size > PAGE_BYTES) return false;
  const gpa = translate(m, linear, 'write');
  if (deviceAt(m, gpa) !== undefined) return false;
  m.updateView = viewOf(pageFor(m, linear, gpa, size, 'write'));
  m.updateOffset = at;
  m.updateCode = Math.floor(gpa / PAGE_BYTES);
  return true;
}

export function storeUpdate(m: Machine, size: number, value: number): void {
  const view = m.updateView;
  if (view === undefined) storeLinear(m, m.updateOffset, size, value);
  else if (m.locked && isAligned(view, m.updateOffset, size)) {
    replaceLocked(m, view, m.updateOffset, size, m.updateRead, value);
    noteLocked(m, size);
  } else {
    storeTo(view, m.updateOffset, size, value);
    if (m.locked) noteLocked(m, size);
  }
}

function noteLocked(m: Machine, size: number): void {
  if (m.updateCode >= 0) noteStore(m, m.updateCode, m.updateOffset, size);
}

/** The halves of a number of 64 bits, joined. */
export const signed64 = (low: number, high: number): bigint => (BigInt(high) << 32n) | BigInt(low >>> 0);

/** Replaces 8 bytes at `linear`, which may be written, as one step; false where that cannot be. */
export function replace64(m: Machine, linear: number, read: bigint, value: bigint): boolean {
  if (!findUpdate(m, linear, 8)) return false;
  if (!isAligned(m.updateView!, m.updateOffset, 8)) return false;
  replaceLocked64(m, m.updateView!, m.updateOffset, read, value);
  noteLocked(m, 8);
  return true;
}

function loadFrom(view: DataView, at: number, size: number): number {
  if (size === 4) return view.getInt32(at, true);
  if (size === 1) return view.getUint8(at);
  return view.getUint16(at, true);
}

function storeTo(view: DataView, at: number, size: number, value: number): void {
  if (size === 4) view.setInt32(at, value, true);
  else if (size === 1) view.setUint8(at, value);
  else view.setUint16(at, value, true);
}

/** As `replace64`, of 16 aligned bytes. */
export function replacePair(m: Machine, linear: number, read: Pair, value: Pair): boolean {
  if (!findUpdate(m, linear, 16)) return false;
  replaceLockedPair(m, m.updateView!, m.updateOffset, read, value);
  noteLocked(m, 16);
  return true;
}

export function loadLinear(m: Machine, linear: number, size: number): number {
  const at = linear & OFFSET_MASK;
  if (at + size > PAGE_BYTES) return loadAcross(m, linear, size);
  if (!isKnown(m.readTags, linear)) return loadSlow(m, linear, size);
  return loadFrom(m.readViews[slotOf(linear)]!, at, size);
}

export function storeLinear(m: Machine, linear: number, size: number, value: number): void {
  const at = linear & OFFSET_MASK;
  if (isKnown(m.writeTags, linear) && at + size <= PAGE_BYTES)
    storeTo(m.writeViews[slotOf(linear)]!, at, size, value);
  else storeSlow(m, linear, size, value);
}

/** 8 bytes: the low half; the high half is in `Machine.high`. */
export function loadLinear8(m: Machine, linear: number): number {
  const at = linear & OFFSET_MASK;
  if (isKnown(m.readTags, linear) && at <= PAGE_BYTES - 8) {
    const view = m.readViews[slotOf(linear)]!;
    m.high = view.getInt32(at + 4, true);
    return view.getInt32(at, true);
  }
  const low = loadLinear(m, linear, 4);
  m.high = loadLinear(m, further(m, linear, 4), 4);
  return low;
}

export function storeLinear8(m: Machine, linear: number, low: number, high: number): void {
  const at = linear & OFFSET_MASK;
  if (isKnown(m.writeTags, linear) && at <= PAGE_BYTES - 8) {
    const view = m.writeViews[slotOf(linear)]!;
    view.setInt32(at, low, true);
    view.setInt32(at + 4, high, true);
    return;
  }
  probeWrite(m, linear, 8, low, high);
  storeLinear(m, linear, 4, low);
  storeLinear(m, further(m, linear, 4), 4, high);
}

export function loadForUpdate8(m: Machine, linear: number): number {
  m.updateOffset = linear;
  const low = loadLinear8(m, linear);
  const high = m.high;
  probeWrite(m, linear, 8);
  m.high = high;
  m.updateRead = low;
  m.updateReadHigh = high;
  return low;
}

export function storeUpdate8(m: Machine, low: number, high: number): void {
  const linear = m.updateOffset;
  if (m.locked && replace64(m, linear, signed64(m.updateRead, m.updateReadHigh), signed64(low, high))) return;
  m.updateOffset = linear;
  storeLinear8(m, m.updateOffset, low, high);
}

/** GPA of a linear address, as the current level may use it; #PF, and in 64-bit mode #GP where it is not canonical. */
export function translate(m: Machine, linear: number, access: PageAccess): number {
  if (m.longMode && !(linear < CANONICAL_END && linear >= -CANONICAL_END)) m.fault(GP, 0);
  return physicalAddress(m, linear, access);
}

function stored(size: number, low: number, high: number | undefined): bigint {
  const value = high === undefined ? BigInt(low) : (BigInt(high) << 32n) | BigInt(low >>> 0);
  return BigInt.asUintN(size * 8, value);
}

/** The page at `gpa`, or an exit for an access of `size` bytes at it. */
function pageFor(
  m: Machine,
  linear: number,
  gpa: number,
  size: number,
  access: 'read' | 'write',
  value?: number,
  high?: number,
): GuestPage {
  const gpaPage = Math.floor(gpa / PAGE_BYTES);
  const page = m.memory.page(gpaPage);
  if (page !== undefined && (page.permissions & (access === 'read' ? READ : WRITE)) !== 0) {
    if (access === 'write') m.memory.written?.(gpaPage);
    return page;
  }
  return m.leaveForAccess({
    gpa,
    gva: linear,
    size,
    access,
    mapped: page !== undefined,
    value: value === undefined ? undefined : stored(size, value, high),
  });
}

/** The device page of an address, where it is one. */
function deviceAt(m: Machine, gpa: number): DevicePage | undefined {
  return m.device?.page === Math.floor(gpa / PAGE_BYTES) ? m.device : undefined;
}

/** Remembers where a page is. With SMAP the kernel may use those of its users for a while only. */
function remember(m: Machine, linear: number, page: GuestPage, access: 'read' | 'write'): DataView {
  const slot = slotOf(linear);
  const reads = access === 'read';
  const tags = reads ? m.readTags : m.writeTags;
  const view = viewIn(reads ? m.readViews : m.writeViews, reads ? m.readPages : m.writePages, slot, page);
  setTag(tags, linear);
  if (m.translatedUser && !m.user && (m.cr4 & CR4_SMAP) !== 0) {
    if (m.implicit) clearTag(tags, slot);
    else m.usersPages.push(slot);
  }
  return view;
}

function loadSlow(m: Machine, linear: number, size: number): number {
  const gpa = translate(m, linear, 'read');
  const device = deviceAt(m, gpa);
  if (device !== undefined) return device.load(linear & OFFSET_MASK, size);
  const view = remember(m, linear, pageFor(m, linear, gpa, size, 'read'), 'read');
  return loadFrom(view, linear & OFFSET_MASK, size);
}

/** As `loadLinear`, of a table that the processor itself reads: with the rights of level 0 whatever the level is. */
export function loadSystem(m: Machine, linear: number, size: number): number {
  if (!m.user) return loadLinear(m, linear, size);
  m.beginImplicit();
  try {
    return loadLinear(m, linear, size);
  } finally {
    m.endImplicit();
  }
}

export function storeSystem(m: Machine, linear: number, size: number, value: number): void {
  if (!m.user) {
    storeLinear(m, linear, size, value);
    return;
  }
  m.beginImplicit();
  try {
    storeLinear(m, linear, size, value);
  } finally {
    m.endImplicit();
  }
}

/** Bytes of an operand at `linear` that lie in its first page. */
const bytesInPage = (linear: number, size: number): number =>
  Math.min(size, PAGE_BYTES - (linear & OFFSET_MASK));

function loadAcross(m: Machine, linear: number, size: number): number {
  let value = 0;
  for (let i = 0; i < size; i += 1) value |= loadLinear(m, further(m, linear, i), 1) << (8 * i);
  return value;
}

/** Leaves unless all `size` bytes (at most a page) from `linear` on may be written. */
export function probeWrite(m: Machine, linear: number, size: number, value?: number, high?: number): void {
  const first = bytesInPage(linear, size);
  probePage(m, linear, first, value, high);
  if (first < size) probePage(m, further(m, linear, first), size - first, value, high);
}

function probePage(m: Machine, linear: number, size: number, value?: number, high?: number): void {
  if (isKnown(m.writeTags, linear)) return;
  const gpa = translate(m, linear, 'write');
  if (deviceAt(m, gpa) === undefined) pageFor(m, linear, gpa, size, 'write', value, high);
}

/** As `probeWrite`, of a segment's range that may wrap at the segment's end. */
export function probeStore(m: Machine, segment: number, offset: number, size: number): void {
  probeWrite(m, writeAddress(m, segment, offset, size), size);
}

function storeSlow(m: Machine, linear: number, size: number, value: number): void {
  const first = bytesInPage(linear, size);
  if (first < size) {
    probeWrite(m, linear, size, value);
    for (let i = 0; i < size; i += 1) storeLinear(m, further(m, linear, i), 1, (value >> (8 * i)) & 0xff);
    return;
  }
  const gpa = translate(m, linear, 'write');
  const device = deviceAt(m, gpa);
  if (device !== undefined) {
    device.store(linear & OFFSET_MASK, size, value);
    // It may have an interrupt come now.
    m.leaveBlock = true;
    return;
  }
  const page = pageFor(m, linear, gpa, size, 'write', value);
  const at = linear & OFFSET_MASK;
  const gpaPage = Math.floor(gpa / PAGE_BYTES);
  // Pages with code never enter the write TLB, so every store to one comes here.
  const isCode = m.codePages.has(gpaPage);
  // loadForUpdate reads through this entry too.
  const known = !isCode && (page.permissions & READ) !== 0;
  storeTo(known ? remember(m, linear, page, 'write') : viewOf(page), at, size, value);
  if (isCode) noteStore(m, gpaPage, at, size);
}

/** Decoded code that a store has changed is dropped. */
function noteStore(m: Machine, gpaPage: number, at: number, size: number): void {
  const code = m.codePages.get(gpaPage);
  if (code === undefined) return;
  for (let i = at; i < at + size; i += 1) {
    if (code.covered[i] === 1) {
      m.dropCode(gpaPage);
      m.leaveBlock = true;
      return;
    }
  }
}

/** The page that holds the code at `linear`, or an exit for its fetch. */
export function codePageAt(
  m: Machine,
  linear: number,
): { readonly page: GuestPage; readonly gpaPage: number } {
  const gpa = translate(m, linear, 'execute');
  const gpaPage = Math.floor(gpa / PAGE_BYTES);
  const page = m.memory.page(gpaPage);
  if (page !== undefined && (page.permissions & EXECUTE) !== 0) return { page, gpaPage };
  return m.leaveForAccess({
    gpa,
    gva: linear,
    size: 1,
    access: 'execute',
    mapped: page !== undefined,
    value: undefined,
  });
}

/** Forgets all translations. */
export function flushTranslations(m: Machine): void {
  m.translationsForgotten += 1;
  for (const tlb of m.tlbs) {
    clearTags(tlb.readTags);
    clearTags(tlb.writeTags);
  }
  m.usersPages.length = 0;
  m.translatedLarge = false;
  m.pointersLoaded = false;
  m.forgetCodeAddresses();
}

/** Forgets the translation of one page; where there were large pages, all of them. */
export function flushTranslation(m: Machine, linear: number): void {
  if (m.translatedLarge) {
    flushTranslations(m);
    return;
  }
  m.translationsForgotten += 1;
  for (const tlb of m.tlbs) {
    clearTag(tlb.readTags, slotOf(linear));
    clearTag(tlb.writeTags, slotOf(linear));
  }
  m.forgetCodeAddresses();
}

/** Forgets what may be written, so that stores to a page that now holds code are seen. */
export function flushWriteTranslations(m: Machine): void {
  for (const tlb of m.tlbs) clearTags(tlb.writeTags);
}
