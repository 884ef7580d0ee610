import { constantNumber, registers } from '../../abi/index.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import { cellAt } from '../cells/place.ts';
import { PLACES } from './places.ts';
import { cellValues, setRegister } from './values.ts';

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
  if (index !== 0) setRegister(context, vp, VP_INDEX, { low, high: 0n });
  if ((flags & LAPIC) === 0n) return;
  const base = index === 0 ? APIC_ENABLED | BOOT_PROCESSOR : APIC_ENABLED;
  setRegister(context, vp, APIC_BASE, { low: base, high: 0n });
  for (const name of APIC_IDS) setRegister(context, vp, name, { low, high: 0n });
}
