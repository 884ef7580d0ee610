import { REGISTERS } from '../data/registers.ts';
import type { RegisterName, StructName } from '../ids.ts';
import { splitRow, tableLines } from '../text.ts';
import { type NamedRow, NameTable } from './name-table.ts';

export interface RegisterRow extends NamedRow {
  /** Linux 7.2 has a name for it. */
  readonly inLinux: boolean;
  /** Layout of its value; undefined for a plain number. */
  readonly layout: StructName | undefined;
}

/** VP registers by name code (TLFS, virtual processor register names). */
export const registers = new NameTable<RegisterRow, RegisterName>(['HV_X64_REGISTER_', 'HV_REGISTER_'], () =>
  tableLines(REGISTERS).map((line) => {
    const [value = '', name = '', ...words] = splitRow(line).words;
    const layout = words.find((word) => word !== '-') as StructName | undefined;
    return { value: Number(value), name, inLinux: !words.includes('-'), layout };
  }),
);
