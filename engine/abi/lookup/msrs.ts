import { MSR_LAYOUTS, MSRS } from '../data/msrs.ts';
import type { MsrAddress } from '../ids.ts';
import { tableLines } from '../text.ts';
import { type BitField, parseBitField } from './bit-fields.ts';
import { type NamedRow, NameTable } from './name-table.ts';

export interface MsrRow extends NamedRow {
  /** The name without HV_X64_MSR_. */
  readonly abiName: string;
  readonly access: 'rw' | 'ro' | 'wo';
  /** Value at reset; undefined where no source states one. */
  readonly reset: bigint | undefined;
  /** Which layout of the table its value has (`sint`); undefined for a plain number. */
  readonly layout: string | undefined;
  readonly bits: readonly BitField[];
  /** Who writes it in Linux. */
  readonly owner: string | undefined;
  readonly note: string;
  /** What holds for every MSR with this layout. */
  readonly layoutNote: string;
}

interface MsrLayout {
  readonly bits: readonly BitField[];
  readonly note: string;
}

function layouts(): Map<string, MsrLayout> {
  const map = new Map<string, MsrLayout>();
  for (const line of tableLines(MSR_LAYOUTS)) {
    const [row = '', note = ''] = line.split(' # ');
    const colon = row.indexOf(': ');
    const words = row.slice(colon + 2).split(', ');
    const bits = words.map(parseBitField).filter((bit) => bit !== undefined);
    map.set(row.slice(0, colon), { bits, note });
  }
  return map;
}

/** Synthetic MSRs by address (TLFS). Linux has called them HV_X64_MSR_, HV_REGISTER_ and HV_MSR_. */
export const msrs = new NameTable<MsrRow, MsrAddress>(['HV_X64_MSR_', 'HV_MSR_', 'HV_REGISTER_'], () => {
  const layoutOf = layouts();
  return tableLines(MSRS).map((line) => {
    const [row = '', owner = '-', note = ''] = line.split(' | ');
    const [value = '', abiName = '', access, reset = '-', layout = '-'] = row.trim().split(/\s+/);
    return {
      value: Number(value),
      name: `HV_X64_MSR_${abiName}`,
      abiName,
      access: access as MsrRow['access'],
      reset: reset === '-' ? undefined : BigInt(reset),
      layout: layout === '-' ? undefined : layout,
      bits: layoutOf.get(layout)?.bits ?? [],
      owner: owner === '-' ? undefined : owner,
      note,
      layoutNote: layoutOf.get(layout)?.note ?? '',
    };
  });
});
