/** Loads and stores of guest memory by segment and offset. Only what the TLB does not know leaves the fast path. */
import { type DevicePage, EXECUTE, type GuestPage, PAGE_BYTES, READ, WRITE } from './guest-memory.ts';
import { GP, type Machine, NO_TAG, SS, STACK_FAULT, TLB_SLOTS } from './machine.ts';
import { ABOVE_LIMIT, expandsDown } from './segment-state.ts';

const OFFSET_MASK = PAGE_BYTES - 1;
const PAGE_MASK = ~OFFSET_MASK;
const SLOT_MASK = TLB_SLOTS - 1;

/** Linear address of a readable operand; #GP or #SS outside the segment. `offset` is unsigned. */
export function readAddress(m: Machine, segment: number, offset: number, size: number): number {
  if (m.flat[segment] === 1) return offset;
  if (offset + size - 1 > m.readLimits[segment]!)
    outsideLimit(m, segment, offset, size, m.readLimits[segment]!);
  return (m.bases[segment]! + offset) >>> 0;
}

/** Linear address of a writable operand; #GP or #SS outside the segment. */
export function writeAddress(m: Machine, segment: number, offset: number, size: number): number {
  if (m.flat[segment] === 1) return offset;
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
  const slot = (linear >>> 12) & SLOT_MASK;
  if (m.writeTags[slot] === (linear & PAGE_MASK) && at + size <= PAGE_BYTES) {
    const view = m.writeViews[slot]!;
    m.updateView = view;
    m.updateOffset = at;
    return loadFrom(view, at, size);
  }
  m.updateView = undefined;
  m.updateOffset = linear;
  const value = loadLinear(m, linear, size);
  probeWrite(m, linear, size);
  return value;
}

export function storeUpdate(m: Machine, size: number, value: number): void {
  const view = m.updateView;
  if (view === undefined) storeLinear(m, m.updateOffset, size, value);
  else storeTo(view, m.updateOffset, size, value);
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

export function loadLinear(m: Machine, linear: number, size: number): number {
  const at = linear & OFFSET_MASK;
  const slot = (linear >>> 12) & SLOT_MASK;
  if (at + size > PAGE_BYTES) return loadAcross(m, linear, size);
  if (m.readTags[slot] !== (linear & PAGE_MASK)) return loadSlow(m, linear, size);
  return loadFrom(m.readViews[slot]!, at, size);
}

export function storeLinear(m: Machine, linear: number, size: number, value: number): void {
  const at = linear & OFFSET_MASK;
  const slot = (linear >>> 12) & SLOT_MASK;
  if (m.writeTags[slot] === (linear & PAGE_MASK) && at + size <= PAGE_BYTES)
    storeTo(m.writeViews[slot]!, at, size, value);
  else storeSlow(m, linear, size, value);
}

/** GPA of a linear address. */
export function translate(_m: Machine, linear: number): number {
  return linear;
}

/** The page behind a linear address, or an exit for an access of `size` bytes at it. */
function pageFor(
  m: Machine,
  linear: number,
  size: number,
  access: 'read' | 'write',
  value?: number,
): GuestPage {
  const gpa = translate(m, linear);
  const page = m.memory.page(Math.floor(gpa / PAGE_BYTES));
  if (page !== undefined && (page.permissions & (access === 'read' ? READ : WRITE)) !== 0) return page;
  return m.leaveForAccess({
    gpa,
    gva: linear,
    size,
    access,
    mapped: page !== undefined,
    value: value === undefined ? undefined : BigInt.asUintN(size * 8, BigInt(value)),
  });
}

const viewOf = (page: GuestPage): DataView =>
  new DataView(page.bytes.buffer, page.bytes.byteOffset, PAGE_BYTES);

/** The device page of a linear address, where it is one. */
function deviceAt(m: Machine, linear: number): DevicePage | undefined {
  const { device } = m;
  return device?.page === Math.floor(translate(m, linear) / PAGE_BYTES) ? device : undefined;
}

function loadSlow(m: Machine, linear: number, size: number): number {
  const device = deviceAt(m, linear);
  if (device !== undefined) return device.load(linear & OFFSET_MASK, size);
  const page = pageFor(m, linear, size, 'read');
  const slot = (linear >>> 12) & SLOT_MASK;
  const view = viewOf(page);
  m.readViews[slot] = view;
  m.readTags[slot] = linear & PAGE_MASK;
  return loadFrom(view, linear & OFFSET_MASK, size);
}

/** Bytes of an operand at `linear` that lie in its first page. */
const bytesInPage = (linear: number, size: number): number =>
  Math.min(size, PAGE_BYTES - (linear & OFFSET_MASK));

function loadAcross(m: Machine, linear: number, size: number): number {
  let value = 0;
  for (let i = 0; i < size; i += 1) value |= loadLinear(m, (linear + i) >>> 0, 1) << (8 * i);
  return value;
}

/** Leaves unless all `size` bytes (at most a page) from `linear` on may be written. */
export function probeWrite(m: Machine, linear: number, size: number, value?: number): void {
  const first = bytesInPage(linear, size);
  if (m.writeTags[(linear >>> 12) & SLOT_MASK] !== (linear & PAGE_MASK)) {
    if (deviceAt(m, linear) !== undefined) return;
    pageFor(m, linear, first, 'write', value);
  }
  if (first < size) pageFor(m, (linear + first) >>> 0, size - first, 'write', value);
}

/** As `probeWrite`, of a segment's range that may wrap at the segment's end. */
export function probeStore(m: Machine, segment: number, offset: number, size: number): void {
  probeWrite(m, writeAddress(m, segment, offset, size), size);
}

function storeSlow(m: Machine, linear: number, size: number, value: number): void {
  const first = bytesInPage(linear, size);
  if (first < size) {
    probeWrite(m, linear, size, value);
    for (let i = 0; i < size; i += 1) storeLinear(m, (linear + i) >>> 0, 1, (value >> (8 * i)) & 0xff);
    return;
  }
  const device = deviceAt(m, linear);
  if (device !== undefined) {
    device.store(linear & OFFSET_MASK, size, value);
    // It may have an interrupt come now.
    m.leaveBlock = true;
    return;
  }
  const page = pageFor(m, linear, size, 'write', value);
  const at = linear & OFFSET_MASK;
  const gpaPage = Math.floor(translate(m, linear) / PAGE_BYTES);
  const view = viewOf(page);
  storeTo(view, at, size, value);
  const code = m.codePages.get(gpaPage);
  if (code === undefined) {
    // loadForUpdate reads through this entry too.
    if ((page.permissions & READ) === 0) return;
    const slot = (linear >>> 12) & SLOT_MASK;
    m.writeViews[slot] = view;
    m.writeTags[slot] = linear & PAGE_MASK;
  } else {
    // Such a page never enters the write TLB, so every store comes here and is compared with the decoded bytes.
    for (let i = at; i < at + size; i += 1) {
      if (code.covered[i] === 1) {
        m.dropCode(gpaPage);
        m.leaveBlock = true;
        return;
      }
    }
  }
}

/** The page that holds the code at `linear`, or an exit for its fetch. */
export function codePageAt(
  m: Machine,
  linear: number,
): { readonly page: GuestPage; readonly gpaPage: number } {
  const gpa = translate(m, linear);
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
  m.readTags.fill(NO_TAG);
  m.writeTags.fill(NO_TAG);
  m.forgetCodeAddresses();
}

/** Forgets what may be written, so that stores to a page that now holds code are seen. */
export function flushWriteTranslations(m: Machine): void {
  m.writeTags.fill(NO_TAG);
}
