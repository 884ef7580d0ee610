import { ERRNOS } from '../data/errnos.ts';
import { tableLines } from '../text.ts';
import { type NamedRow, NameTable } from './name-table.ts';

/** Name of a Linux errno, `EINVAL`. */
export type ErrnoName = `E${string}`;

export interface ErrnoRow extends NamedRow {
  readonly name: ErrnoName;
  readonly meaning: string;
}

/** Linux errnos (positive numbers). */
export const errnos = new NameTable<ErrnoRow>([], () =>
  tableLines(ERRNOS).map((line) => {
    const [value = '', name = '', ...meaning] = line.split(' ');
    return { value: Number(value), name: name as ErrnoName, meaning: meaning.join(' ') };
  }),
);

/** The number of an errno that the program names. */
export function errnoNumber(name: ErrnoName): number {
  return errnos.number(name);
}
