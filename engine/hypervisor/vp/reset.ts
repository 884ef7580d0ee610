import { constantNumber, registers } from '../../abi/index.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import { cellAt } from '../cells/place.ts';
import { VP } from '../cells/vp.ts';
import { PLACES } from './places.ts';
import { letGo, waitForStart } from './suspend.ts';
import { cellValues, registerOf, setRegister } from './values.ts';

const DATA = 0x93n;
const CODE = 0x9bn;
const LDT = 0x82n;
const BUSY_TSS = 0x8bn;
const LIMIT = 0xffffn;

function segment(selector: bigint, attributes: bigint): bigint {
  return LIMIT | (selector << 32n) | (attributes << 48n);
}

/** Value by register, the low half and, where it is not 0, the high one (Intel SDM 3, table 10-1; table 12-7 for PAT). */
const RESET: readonly (readonly [name: string, low: bigint, high?: bigint])[] = [
  ['RDX', 0x600n],
  ['RIP', 0xfff0n],
  ['RFLAGS', 2n],
  ['CR0', 0x6000_0010n],
  ['XFEM', 1n],
  ['DR6', 0xffff_0ff0n],
  ['DR7', 0x400n],
  ['ES', 0n, segment(0n, DATA)],
  ['CS', 0xffff_0000n, segment(0xf000n, CODE)],
  ['SS', 0n, segment(0n, DATA)],
  ['DS', 0n, segment(0n, DATA)],
  ['FS', 0n, segment(0n, DATA)],
  ['GS', 0n, segment(0n, DATA)],
  ['LDTR', 0n, segment(0n, LDT)],
  ['TR', 0n, segment(0n, BUSY_TSS)],
  ['IDTR', LIMIT << 48n],
  ['GDTR', LIMIT << 48n],
  ['PAT', 0x0007_0406_0007_0406n],
  ['FP_CONTROL_STATUS', 0x40n],
  ['XMM_CONTROL_STATUS', 0n, 0x1f80n],
];
/** What INIT leaves alone: memory types, x87 and SSE (Intel SDM 3, table 9-1). */
const KEPT_BY_INIT: ReadonlySet<string> = new Set(['PAT', 'XFEM', 'FP_CONTROL_STATUS', 'XMM_CONTROL_STATUS']);
/** What it clears that is 0 in a new VP anyway. */
const CLEARED_BY_INIT: readonly string[] = [
  ...['RAX', 'RCX', 'RBX', 'RSP', 'RBP', 'RSI', 'RDI', 'R8', 'R9', 'R10', 'R11', 'R12', 'R13', 'R14', 'R15'],
  ...[
    'CR2',
    'CR3',
    'CR4',
    'CR8',
    'DR0',
    'DR1',
    'DR2',
    'DR3',
    'EFER',
    'PENDING_INTERRUPTION',
    'INTERRUPT_STATE',
  ],
];
/** The same by cell. */
const CELLS = RESET.flatMap(([name, low, high = 0n]) => {
  const place = PLACES.get(registers.number(name));
  if (place === undefined) throw new Error(`register ${name} has no cells`);
  return cellValues(place, low, high);
});

const VP_INDEX = registers.number('VP_INDEX');
const APIC_BASE = registers.number('APIC_BASE');
const APIC_ENABLED = 0xfee0_0000n | (1n << 11n);
const BOOT_PROCESSOR = 1n << 8n;
const APIC_IDS = ['INITIAL_APIC_ID', 'APIC_ID'].map((name) => registers.number(name));
const LAPIC = BigInt(constantNumber('HV_PARTITION_CREATION_FLAG_LAPIC_ENABLED'));

/** The state of a new VP; a partition without a LAPIC has no APIC base (TLFS 2013, HvCreateVp). */
export function resetRegisters(context: Context, vp: ObjectId, index: number, flags: bigint): void {
  // All that is known of a new VP's registers is current: there is no mark to be taken away.
  for (const { slot, value } of CELLS) context.store.set(cellAt(vp, slot), value);
  const low = BigInt(index);
  if (index !== 0) {
    setRegister(context, vp, VP_INDEX, { low, high: 0n });
    context.store.set(cellAt(vp, VP.slots.lapic.id), index);
  }
  if ((flags & LAPIC) === 0n) return;
  const base = index === 0 ? APIC_ENABLED | BOOT_PROCESSOR : APIC_ENABLED;
  setRegister(context, vp, APIC_BASE, { low: base, high: 0n });
  // All but the first wait for it to start them, as after a reset of a machine (Intel SDM 3, 9.4.1).
  if (index !== 0) waitForStart(context, vp, true);
  for (const name of APIC_IDS) setRegister(context, vp, name, { low, high: 0n });
}

const CR0 = registers.number('CR0');
/** CD and NW stay as they are. */
const CACHE_BITS = 0x6000_0000n;
const RIP = registers.number('RIP');
const CS = registers.number('CS');

/**
 * INIT: the registers as after a reset, but for what it keeps; all VPs but the one that booted wait for a start-up
 * interrupt (Intel SDM 3, table 9-1 and 9.4.1).
 */
export function initRegisters(context: Context, vp: ObjectId): void {
  const caches = registerOf(context, vp, CR0).low & CACHE_BITS;
  for (const name of CLEARED_BY_INIT) setRegister(context, vp, registers.number(name), { low: 0n, high: 0n });
  for (const [name, low, high = 0n] of RESET)
    if (!KEPT_BY_INIT.has(name)) setRegister(context, vp, registers.number(name), { low, high });
  setRegister(context, vp, CR0, { low: 0x10n | caches, high: 0n });
  const boots = (registerOf(context, vp, APIC_BASE).low & BOOT_PROCESSOR) !== 0n;
  waitForStart(context, vp, !boots);
  letGo(context, vp);
}

/** A start-up interrupt: real mode from the page that its vector names (Intel SDM 3, 9.4.4.1). */
export function startRegisters(context: Context, vp: ObjectId, vector: number): void {
  const page = BigInt(vector);
  setRegister(context, vp, CS, { low: page << 12n, high: segment(page << 8n, CODE) });
  setRegister(context, vp, RIP, { low: 0n, high: 0n });
  waitForStart(context, vp, false);
  letGo(context, vp);
}
