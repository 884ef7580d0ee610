import { PARTITION_PROPERTIES } from '../data/properties.ts';
import type { PropertyCode } from '../ids.ts';
import { splitRow, tableLines } from '../text.ts';
import { type NamedRow, NameTable } from './name-table.ts';

/** Partition properties by code. */
export const partitionProperties = new NameTable<NamedRow, PropertyCode>(['HV_PARTITION_PROPERTY_'], () =>
  tableLines(PARTITION_PROPERTIES).map((line) => {
    const [value = '', name = ''] = splitRow(line).words;
    return { value: Number(value), name };
  }),
);
